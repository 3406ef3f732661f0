import NIOCore
import NIOHTTP1
import NIOHTTP2
import NIOPosix
import NIOSSL
import Synchronization

/// An HTTP server that answers as a test says: HTTP/1.1, and HTTP/2 where that is offered.
final class SmallServer: Sendable {
    struct Request: Sendable {
        var method: String
        var uri: String
        var headers: HTTPHeaders
        var body: [UInt8] = []
        var isHTTP2: Bool
    }

    enum Reply: Sendable {
        case answer(Int, String, headers: [String: String] = [:])
        /// An answer in pieces; one that does not end stays open.
        case stream([String], ends: Bool)
        /// No answer at all.
        case silence
        /// The beginning of an answer that breaks off.
        case half(String)
    }

    typealias Responder = @Sendable (Request) -> Reply

    struct State {
        var children: [ObjectIdentifier: any Channel] = [:]
        var accepted = 0
        var requests: [Request] = []
        /// Streams that were open and whose client has gone.
        var abandoned = 0
    }

    let port: Int
    private let listener: any Channel
    let state: StateBox

    final class StateBox: Sendable {
        let content = Mutex(State())
    }

    private init(listener: any Channel, state: StateBox) throws {
        self.listener = listener
        self.state = state
        guard let port = listener.localAddress?.port else { throw TestFailure("no port") }
        self.port = port
    }

    static func start(
        tls: TestAuthority.Identity? = nil, clientAuthority: String? = nil,
        protocols: [String] = ["h2", "http/1.1"], port: Int = 0, responder: @escaping Responder
    ) async throws -> SmallServer {
        let state = StateBox()
        let context = try tls.map {
            try Self.context($0, clientAuthority: clientAuthority, protocols: protocols)
        }
        let bootstrap = ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                state.content.withLock {
                    $0.accepted += 1
                    $0.children[ObjectIdentifier(channel)] = channel
                }
                channel.closeFuture.whenComplete { _ in
                    _ = state.content.withLock {
                        $0.children.removeValue(forKey: ObjectIdentifier(channel))
                    }
                }
                let add: @Sendable (any Channel) -> EventLoopFuture<Void> = { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(
                            Responding(state: state, responder: responder))
                    }
                }
                guard let context else {
                    return channel.pipeline.configureHTTPServerPipeline().flatMap { add(channel) }
                }
                return channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        NIOSSLServerHandler(context: context))
                }.flatMap { channel.configureCommonHTTPServerPipeline(add) }
            }
        return try SmallServer(
            listener: try await bootstrap.bind(host: "127.0.0.1", port: port).get(), state: state)
    }

    private static func context(
        _ identity: TestAuthority.Identity, clientAuthority: String?, protocols: [String]
    ) throws -> NIOSSLContext {
        var tls = TLSConfiguration.makeServerConfiguration(
            certificateChain: try NIOSSLCertificate.fromPEMFile(identity.certificate)
                .map { .certificate($0) },
            privateKey: .privateKey(try NIOSSLPrivateKey(file: identity.key, format: .pem)))
        tls.applicationProtocols = protocols
        if let clientAuthority {
            tls.certificateVerification = .noHostnameVerification
            tls.trustRoots = .file(clientAuthority)
        }
        return try NIOSSLContext(configuration: tls)
    }

    var requests: [Request] { state.content.withLock { $0.requests } }
    var accepted: Int { state.content.withLock { $0.accepted } }
    var abandoned: Int { state.content.withLock { $0.abandoned } }
    var connections: Int { state.content.withLock { $0.children.count } }

    /// Keeps the connections that there are, and reads nothing from them any more.
    func freeze() async throws {
        for channel in state.content.withLock({ Array($0.children.values) }) {
            try await channel.setOption(.autoRead, value: false).get()
        }
    }

    func stop() async throws {
        try await listener.close().get()
        for channel in state.content.withLock({ Array($0.children.values) }) {
            channel.close(promise: nil)
        }
    }
}

/// Answers the requests of one connection or stream.
private final class Responding: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let state: SmallServer.StateBox
    private let responder: SmallServer.Responder
    private var request: SmallServer.Request?
    private var isStreaming = false

    init(state: SmallServer.StateBox, responder: @escaping SmallServer.Responder) {
        self.state = state
        self.responder = responder
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            request = SmallServer.Request(
                method: head.method.rawValue, uri: head.uri, headers: head.headers,
                isHTTP2: head.version.major == 2)
        case .body(let bytes): request?.body += Array(bytes.readableBytesView)
        case .end:
            guard let request else { return }
            state.content.withLock { $0.requests.append(request) }
            reply(responder(request), context)
        }
    }

    private func reply(_ reply: SmallServer.Reply, _ context: ChannelHandlerContext) {
        switch reply {
        case .answer(let code, let body, let headers):
            var headers = HTTPHeaders(headers.map { ($0.key, $0.value) })
            headers.add(name: "content-length", value: "\(body.utf8.count)")
            write(
                .head(.init(version: .http1_1, status: .init(statusCode: code), headers: headers)),
                context)
            write(.body(.byteBuffer(ByteBuffer(string: body))), context)
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        case .stream(let pieces, let ends):
            write(.head(.init(version: .http1_1, status: .ok)), context)
            for piece in pieces {
                context.writeAndFlush(
                    wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: piece)))), promise: nil)
            }
            if ends {
                context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
            } else {
                isStreaming = true
                context.flush()
            }
        case .silence: break
        case .half(let body):
            let headers = HTTPHeaders([("content-length", "\(body.utf8.count + 1000)")])
            write(.head(.init(version: .http1_1, status: .ok, headers: headers)), context)
            let context = NIOLoopBound(context, eventLoop: context.eventLoop)
            context.value.writeAndFlush(
                wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: body))))
            ).whenComplete { _ in context.value.close(promise: nil) }
        }
    }

    private func write(_ part: HTTPServerResponsePart, _ context: ChannelHandlerContext) {
        context.write(wrapOutboundOut(part), promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        if isStreaming { state.content.withLock { $0.abandoned += 1 } }
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}
