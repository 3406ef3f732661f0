import NIOCore
import NIOHTTP1
import NIOHTTP2
import NIOPosix
import NIOSSL
import Synchronization

/// An API server for tests: true to the documented API in what it serves, small, and made to go
/// wrong on demand.
///
/// ```
/// let server = ScriptedAPIServer()
/// try await server.start()
/// try server.cluster.apply(yaml: manifests)
/// let text = server.kubeconfig(for: .serviceAccount("metallb-system", "martlet-speaker"))
/// server.faults.add(Fault(.expired, verbs: ["watch"], times: 1))
/// …
/// try await server.stop()
/// ```
///
/// A server that was stopped can be started again: it has the same port and the same objects.
package final class ScriptedAPIServer: Sendable {
    private struct Running {
        var group: MultiThreadedEventLoopGroup?
        var listener: (any Channel)?
        var port = 0
        var certificates: ServerCertificates?
    }

    let core: ServerCore
    private let running: Mutex<Running>
    private let connections = ConnectionRegister()

    package init(_ settings: ServerSettings = ServerSettings()) {
        core = ServerCore(settings)
        running = Mutex(Running(port: settings.port, certificates: settings.certificates))
    }

    /// The objects, past HTTP.
    package var cluster: Cluster { core.cluster }
    /// What was asked.
    package var requests: RequestLog { core.log }
    /// What goes wrong.
    package var faults: FaultScript { core.faults }
    /// Who is who.
    package var tokens: TokenBook { core.tokens }
    /// Where it listens; 0 before it has been started.
    package var port: Int { running.withLock { $0.port } }
    /// Such as `https://127.0.0.1:6443`.
    package var url: String {
        running.withLock { running in
            let scheme = running.certificates == nil ? "http" : "https"
            return "\(scheme)://\(core.settings.host):\(running.port)"
        }
    }
    /// How many connections are open.
    package var connectionCount: Int { connections.count }

    /// Listens.
    package func start() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: core.settings.threads)
        let port = self.port
        do {
            let listener = try await ServerBootstrap(group: group)
                .serverChannelOption(.backlog, value: 4096)
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
                .childChannelInitializer { [self] channel in configure(channel) }
                .bind(host: core.settings.host, port: port).get()
            running.withLock { running in
                running.group = group
                running.listener = listener
                running.port = listener.localAddress?.port ?? port
            }
        } catch {
            try await group.shutdownGracefully()
            throw error
        }
    }

    /// Closes every connection and listens no more; the objects stay.
    package func stop() async throws {
        let (group, listener) = running.withLock { running in
            defer {
                running.group = nil
                running.listener = nil
            }
            return (running.group, running.listener)
        }
        guard let group else { return }
        try await listener?.close()
        connections.closeAll { _ in true }
        try await group.shutdownGracefully()
        cluster.state.withLock { $0.endWatches() }
    }

    /// Closes the connections of a user, or all, as a fault of the network does.
    package func dropConnections(of user: String? = nil) {
        connections.closeAll { name in
            guard let user else { return true }
            return name == user || name.hasSuffix(":\(user)")
        }
    }

    /// Forgets the past and ends every watch, so that clients meet 410 when they resume.
    package func compact() {
        cluster.compact()
    }

    /// Serves other certificates to connections from now on.
    package func use(_ certificates: ServerCertificates) {
        running.withLock { $0.certificates = certificates }
    }

    private func configure(_ channel: any Channel) -> EventLoopFuture<Void> {
        connections.add(channel)
        do {
            guard let certificates = running.withLock({ $0.certificates }) else {
                return configureHTTP1(channel)
            }
            let context = try NIOSSLContext(
                configuration: certificates.configuration(
                    protocols: core.settings.offersHTTP2 ? ["h2", "http/1.1"] : ["http/1.1"]))
            let handler = NIOSSLServerHandler(context: context)
            try channel.pipeline.syncOperations.addHandler(handler)
            return channel.configureHTTP2SecureUpgrade(
                h2ChannelConfigurator: { [self] channel in configureHTTP2(channel) },
                http1ChannelConfigurator: { [self] channel in configureHTTP1(channel) })
        } catch {
            return channel.eventLoop.makeFailedFuture(error)
        }
    }

    private func configureHTTP1(_ channel: any Channel) -> EventLoopFuture<Void> {
        channel.eventLoop.makeCompletedFuture { [core, connections] in
            try channel.pipeline.syncOperations.configureHTTPServerPipeline(
                withErrorHandling: true)
            try channel.pipeline.syncOperations.addHandler(
                RequestHandler(core: core, connections: connections, isHTTP2: false))
        }
    }

    private func configureHTTP2(_ channel: any Channel) -> EventLoopFuture<Void> {
        channel.configureHTTP2Pipeline(
            mode: .server,
            initialLocalSettings: [
                HTTP2Setting(parameter: .maxConcurrentStreams, value: 1000),
                HTTP2Setting(parameter: .maxHeaderListSize, value: 1 << 16),
                HTTP2Setting(parameter: .initialWindowSize, value: 1 << 20),
            ]
        ) { [core, connections] stream in
            stream.eventLoop.makeCompletedFuture {
                try stream.pipeline.syncOperations.addHandler(
                    HTTP2FramePayloadToHTTP1ServerCodec())
                try stream.pipeline.syncOperations.addHandler(
                    RequestHandler(core: core, connections: connections, isHTTP2: true))
            }
        }.map { _ in () }
    }
}

extension ScriptedAPIServer {
    /// A kubeconfig with a new token of a user.
    package func kubeconfig(for user: ServerUser, namespace: String = "metallb-system") -> String {
        let token = tokens.issue(to: user)
        return kubeconfig(credentials: "token: \(token)", namespace: namespace)
    }

    /// A kubeconfig that names a user by what is written here in its place.
    package func kubeconfig(credentials: String, namespace: String = "metallb-system") -> String {
        var cluster = "server: \(url)"
        if let certificates = running.withLock({ $0.certificates }) {
            let authority = Base64.text(Array(certificates.authority.utf8))
            cluster += "\n    certificate-authority-data: \(authority)"
        }
        return """
            apiVersion: v1
            kind: Config
            current-context: scripted
            clusters:
            - name: scripted
              cluster:
                \(cluster)
            contexts:
            - name: scripted
              context:
                cluster: scripted
                user: scripted
                namespace: \(namespace)
            users:
            - name: scripted
              user:
                \(credentials)

            """
    }
}
