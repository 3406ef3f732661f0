import Hummingbird
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// HTTP for people and programs on this host: health, metrics, state, explanations and commands.
///
/// It listens on a TCP address (default 127.0.0.1:7480) and on a Unix socket. What it shows changes
/// nothing, so it needs no authentication beyond where it listens; commands (POST) are taken only
/// where none but this host can reach, unless told otherwise.
///
/// Bounds, for each address: 256 connections, further ones wait in the kernel's queue of 256 until
/// one closes, and one that is idle for a minute is closed.
package struct AdminHTTPServer: ServiceLifecycle.Service {
    private let addresses: [AdminAddress]
    private let content: any AdminContent
    private let allowsRemoteCommands: Bool
    private let connectionLimit: Int
    private let idleLimit: Duration
    private let logger: Logger

    /// - Parameters:
    ///   - allowsRemoteCommands: Whether commands are taken at addresses that other hosts reach.
    ///   - connectionLimit: Connections at once for each address; 256.
    ///   - idleLimit: How long a connection may say nothing; a minute.
    package init(
        addresses: [AdminAddress], content: any AdminContent, allowsRemoteCommands: Bool = false,
        connectionLimit: Int = 256, idleLimit: Duration = .seconds(60), logger: Logger
    ) {
        self.addresses = addresses
        self.allowsRemoteCommands = allowsRemoteCommands
        self.connectionLimit = connectionLimit
        self.idleLimit = idleLimit
        self.content = content
        self.logger = logger
    }

    /// Serves until graceful shutdown or cancellation; a socket file left by a killed process is
    /// replaced, and removed at the end.
    package func run() async throws {
        try await withThrowingTaskGroup { group in
            for address in addresses {
                group.addTask { try await serve(at: address) }
            }
            try await group.waitForAll()
        }
    }

    private func serve(at address: AdminAddress) async throws {
        // What goes wrong is said once, in our words.
        var quiet = logger
        quiet.logLevel = .critical
        let bind: BindAddress
        switch address {
        case .tcp(let host, let port): bind = .hostname(host, port: port)
        case .unix(let path):
            try await prepareSocket(at: path)
            bind = .unixDomainSocket(path: path)
        }
        let application = Application(
            router: router(at: address),
            server: .http1(configuration: .init(idleTimeout: TimeAmount(idleLimit))),
            configuration: .init(
                address: bind, serverName: "martlet",
                availableConnectionsDelegate: .maximum(connectionLimit, logger: quiet)),
            eventLoopGroupProvider: .shared(MultiThreadedEventLoopGroup.singleton),
            logger: quiet)
        do {
            try await application.run()
        } catch {
            logger.critical(
                "the admin server cannot listen",
                metadata: [
                    "place": "\(address)", "error": "\(error)",
                    "remedy": "is another daemon there? --admin names another place",
                ])
            throw error
        }
    }

    private func prepareSocket(at path: String) async throws {
        let folder = URL(filePath: path).deletingLastPathComponent()
        do {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            if FileManager.default.fileExists(atPath: path) {
                try await removeStaleSocket(at: path)
            }
        } catch {
            logger.critical(
                "the admin server's socket cannot be made",
                metadata: [
                    "path": "\(path)", "error": "\(error)",
                    "remedy": "make \(folder.path) writable, or name another path by --admin",
                ])
            throw error
        }
    }

    /// Removes the socket that a killed process left. Anything but a socket is not ours to remove,
    /// nor is a socket at which somebody answers.
    private func removeStaleSocket(at path: String) async throws {
        let type = try FileManager.default.attributesOfItem(atPath: path)[.type]
        guard type as? FileAttributeType == .typeSocket else {
            throw AdminSocketFault.noSocket(path: path)
        }
        let answer: (any Channel)?
        do {
            answer = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .connect(unixDomainSocketPath: path).get()
        } catch {
            // Nobody listens: that is what makes it stale.
            answer = nil
        }
        if let answer {
            try await answer.close()
            throw AdminSocketFault.inUse(path: path)
        }
        try FileManager.default.removeItem(atPath: path)
    }

    private func router(at address: AdminAddress) -> Router<BasicRequestContext> {
        let router = Router()
        // Every path and method in one place, so that a page knows that it is not a command and a
        // command that it is not a page.
        router.add(middleware: AdminPages(content: content))
        router.add(
            middleware: AdminCommands(
                content: content,
                gate: AdminCommandGate(address: address, allowsRemote: allowsRemoteCommands),
                logger: logger))
        return router
    }
}
