import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// A proxy that takes CONNECT (RFC 9110 §9.3.6) and hands bytes on.
final class SmallProxy: Sendable {
    let port: Int
    private let listener: any Channel
    private let requests: Requests

    fileprivate final class Requests: Sendable {
        let content = Mutex<[HTTPRequestHead]>([])
    }

    private init(listener: any Channel, requests: Requests) throws {
        guard let port = listener.localAddress?.port else { throw TestFailure("no port") }
        self.listener = listener
        self.requests = requests
        self.port = port
    }

    static func start() async throws -> SmallProxy {
        let requests = Requests()
        let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Connecting(requests: requests))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        return try SmallProxy(listener: listener, requests: requests)
    }

    var asked: [HTTPRequestHead] { requests.content.withLock { $0 } }

    func stop() async throws { try await listener.close().get() }
}

/// Reads the one request, and from then on hands bytes on. What comes early waits.
private final class Connecting: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let requests: SmallProxy.Requests
    private var text = ""
    private var isAsked = false
    private var early: [ByteBuffer] = []
    private var target: (any Channel)?

    init(requests: SmallProxy.Requests) { self.requests = requests }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = unwrapInboundIn(data)
        if let target {
            target.writeAndFlush(bytes, promise: nil)
        } else if isAsked {
            early.append(bytes)
        } else {
            text += String(buffer: bytes)
            if text.hasSuffix("\r\n\r\n") { connect(context) }
        }
    }

    private func connect(_ context: ChannelHandlerContext) {
        isAsked = true
        let lines = text.split(separator: "\r\n").map(String.init)
        let words = (lines.first ?? "").split(separator: " ").map(String.init)
        let parts = words.count > 1 ? words[1].split(separator: ":").map(String.init) : []
        guard words.first == "CONNECT", parts.count == 2, let port = Int(parts[1]) else {
            return context.close(promise: nil)
        }
        var headers = HTTPHeaders()
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { continue }
            headers.add(
                name: String(line[..<colon]),
                value: String(line[line.index(after: colon)...].drop { $0 == " " }))
        }
        let head = HTTPRequestHead(
            version: .http1_1, method: .CONNECT, uri: words[1], headers: headers)
        requests.content.withLock { $0.append(head) }
        let client = context.channel
        let here = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        ClientBootstrap(group: context.eventLoop)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Returning(client))
                }
            }
            .connect(host: parts[0], port: port)
            .whenComplete { result in
                let (handler, context) = here.value
                handler.connected(result, context)
            }
    }

    private func connected(
        _ result: Result<any Channel, any Error>, _ context: ChannelHandlerContext
    ) {
        guard case .success(let channel) = result else { return context.close(promise: nil) }
        target = channel
        context.writeAndFlush(
            wrapOutboundOut(ByteBuffer(string: "HTTP/1.1 200 OK\r\n\r\n")), promise: nil)
        for bytes in early { channel.writeAndFlush(bytes, promise: nil) }
        early = []
    }

    func channelInactive(context: ChannelHandlerContext) { target?.close(promise: nil) }
}

/// Hands bytes back.
private final class Returning: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let client: any Channel

    init(_ client: any Channel) { self.client = client }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        client.writeAndFlush(unwrapInboundIn(data), promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) { client.close(promise: nil) }
}
