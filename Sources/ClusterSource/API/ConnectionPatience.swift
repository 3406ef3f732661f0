import AsyncHTTPClient
import NIOCore
import NIOHTTP2

/// How long connections to the API server are believed in.
///
/// A request has its own time limit. This is for what outlives requests: a watch to a host that is
/// gone would be silent for ever, and a shared HTTP/2 connection would take down one request after
/// the other.
struct ConnectionPatience: Sendable {
    /// How long a connection, TLS included, may take to come about.
    var connect = TimeAmount.seconds(5)
    /// How long an HTTP/2 connection may be silent before the server is asked (RFC 9113 §6.7).
    var silence = TimeAmount.seconds(10)
    /// How long it may take to answer that.
    var answer = TimeAmount.seconds(10)
    /// How long a connection that nobody needs is kept.
    var idle = TimeAmount.seconds(60)
}

extension HTTPClient.Configuration {
    init(access: ClusterAccess, patience: ConnectionPatience) {
        self.init(
            redirectConfiguration: .disallow, timeout: .init(connect: patience.connect),
            // A watch has an HTTP/1.1 connection for itself. All of them must leave room for
            // writes.
            connectionPool: .init(
                idleTimeout: patience.idle, concurrentHTTP1ConnectionsPerHostSoftLimit: 64),
            proxy: access.proxy?.configuration)
        // Who asks knows how to wait: failing at once tells the reason.
        connectionPool.retryConnectionEstablishment = false
        httpVersion = .automatic
        if let name = access.tlsServerName { dnsOverride = [name: access.server.host] }
        http1_1ConnectionDebugInitializer = { channel in Self.watchOver(channel) }
        http2ConnectionDebugInitializer = { channel in
            Self.watchOver(channel).flatMapThrowing {
                try channel.pipeline.syncOperations.addHandler(ConnectionPulse(patience))
            }
        }
    }

    /// Has the kernel end connections to hosts that are gone: idle ones after 15 s and three probes
    /// of 5 s, others when nothing was acknowledged for 20 s.
    private static func watchOver(_ channel: any Channel) -> EventLoopFuture<Void> {
        // Numbers of <netinet/tcp.h>, which have no other names here.
        let options:
            [(ChannelOptions.Types.SocketOption, ChannelOptions.Types.SocketOption.Value)] = [
                (.init(level: .socket, name: .so_keepalive), 1),
                (.init(level: .tcp, name: .init(rawValue: 4)), 15),  // TCP_KEEPIDLE
                (.init(level: .tcp, name: .init(rawValue: 5)), 5),  // TCP_KEEPINTVL
                (.init(level: .tcp, name: .init(rawValue: 6)), 3),  // TCP_KEEPCNT
                (.init(level: .tcp, name: .init(rawValue: 18)), 20_000),  // TCP_USER_TIMEOUT, ms
            ]
        return EventLoopFuture.andAllSucceed(
            options.map { channel.setOption($0.0, value: $0.1) }, on: channel.eventLoop)
    }
}

extension ClusterAccess.Proxy {
    fileprivate var configuration: HTTPClient.Configuration.Proxy {
        switch kind {
        case .socks: .socksServer(host: host, port: port)
        case .http:
            .server(
                host: host, port: port,
                authorization: user.map { .basic(username: $0, password: password ?? "") })
        }
    }
}

/// Asks a server whose HTTP/2 connection is silent whether it is still there, and closes the
/// connection if it does not say so.
final class ConnectionPulse: ChannelDuplexHandler {
    typealias InboundIn = HTTP2Frame
    typealias InboundOut = HTTP2Frame
    typealias OutboundIn = HTTP2Frame
    typealias OutboundOut = HTTP2Frame

    private let patience: ConnectionPatience
    private var lastHeard = NIODeadline.now()
    private var hasAsked = false
    private var timer: Scheduled<Void>?

    init(_ patience: ConnectionPatience) { self.patience = patience }

    func handlerAdded(context: ChannelHandlerContext) {
        lastHeard = .now()
        wait(patience.silence, context)
    }

    func handlerRemoved(context: ChannelHandlerContext) { timer?.cancel() }

    func channelInactive(context: ChannelHandlerContext) {
        timer?.cancel()
        context.fireChannelInactive()
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        lastHeard = .now()
        hasAsked = false
        context.fireChannelReadComplete()
    }

    private func wait(_ time: TimeAmount, _ context: ChannelHandlerContext) {
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: time) {
            self.timeIsUp(context)
        }
    }

    private func timeIsUp(_ context: ChannelHandlerContext) {
        let silence = NIODeadline.now() - lastHeard
        if silence < patience.silence {
            wait(patience.silence - silence, context)
        } else if !hasAsked {
            hasAsked = true
            let ping = HTTP2Frame(
                streamID: .rootStream, payload: .ping(HTTP2PingData(withInteger: 0), ack: false))
            context.writeAndFlush(wrapOutboundOut(ping), promise: nil)
            wait(patience.answer, context)
        } else {
            context.close(promise: nil)
        }
    }
}
