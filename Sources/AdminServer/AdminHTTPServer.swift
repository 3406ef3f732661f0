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

/// Where the admin server listens, or where a client finds it.
package enum AdminAddress: Sendable, Equatable {
    /// Host (name or address, IPv6 without brackets) and port, 0 for any free one.
    case tcp(host: String, port: Int)
    /// Path of a Unix stream socket.
    case unix(path: String)

    /// Reads `ADDR:PORT`, `[V6]:PORT` or a path that begins with `/` or `unix:`.
    package init?(_ text: String) {
        if text.hasPrefix("/") {
            self = .unix(path: text)
        } else if text.hasPrefix("unix:") {
            let path = text.dropFirst("unix:".count)
            guard !path.isEmpty else { return nil }
            self = .unix(path: String(path))
        } else {
            guard let colon = text.lastIndex(of: ":"),
                let port = UInt16(text[text.index(after: colon)...])
            else { return nil }
            var host = text[..<colon]
            if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
            guard !host.isEmpty else { return nil }
            self = .tcp(host: String(host), port: Int(port))
        }
    }
}

extension AdminAddress: CustomStringConvertible {
    /// As ``init(_:)`` reads it.
    package var description: String {
        switch self {
        case .tcp(let host, let port):
            host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .unix(let path): path
        }
    }
}

/// What the admin server shows; every call answers from values that are ready, it never waits for
/// the network.
package protocol AdminContent: Sendable {
    /// `nil` when every thread is at work, else what is wrong.
    func unhealthy() async -> String?
    /// `nil` when the daemon does its job, else what it is waiting for.
    func unready() async -> String?
    /// The metrics.
    func metrics() async -> [MetricFamily]
    /// The whole state as JSON.
    func state() async throws -> [UInt8]
    /// The explanation of a Service or an address as JSON; `nil` when neither is known.
    func explanation(of subject: String) async throws -> [UInt8]?
}

/// HTTP for people and programs on this host: health, metrics, state and explanations.
///
/// It listens on a TCP address (default 127.0.0.1:7480) and on a Unix socket. Nothing it serves
/// changes anything, so it needs no authentication beyond where it listens.
package struct AdminHTTPServer: ServiceLifecycle.Service {
    private let addresses: [AdminAddress]
    private let content: any AdminContent
    private let logger: Logger

    package init(addresses: [AdminAddress], content: any AdminContent, logger: Logger) {
        self.addresses = addresses
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
            router: router(),
            configuration: .init(address: bind, serverName: "martlet"),
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

    private func router() -> Router<BasicRequestContext> {
        let router = Router()
        router.get("/healthz") { _, _ in await verdict(content.unhealthy()) }
        router.get("/readyz") { _, _ in await verdict(content.unready()) }
        router.get("/metrics") { _, _ in
            let text = MetricFamily.exposition(await content.metrics())
            return Self.response(
                .ok, type: "text/plain; version=0.0.4; charset=utf-8", Array(text.utf8))
        }
        router.get("/state") { _, _ in
            Self.response(.ok, type: "application/json", try await content.state())
        }
        router.get("/explain") { request, _ in
            guard let subject = request.uri.queryParameters.get("subject") else {
                return Self.response(
                    .badRequest, type: "text/plain",
                    Array("the query needs subject=SERVICE or subject=ADDRESS\n".utf8))
            }
            guard let explanation = try await content.explanation(of: subject) else {
                return Self.response(
                    .notFound, type: "text/plain",
                    Array("no Service and no address is called \(subject)\n".utf8))
            }
            return Self.response(.ok, type: "application/json", explanation)
        }
        return router
    }

    private func verdict(_ fault: String?) -> Response {
        Self.response(
            fault == nil ? .ok : .serviceUnavailable, type: "text/plain",
            Array((fault ?? "ok").utf8) + [UInt8(ascii: "\n")])
    }

    private static func response(
        _ status: HTTPResponse.Status, type: String, _ body: [UInt8]
    ) -> Response {
        Response(
            status: status, headers: [.contentType: type],
            body: .init(byteBuffer: ByteBuffer(bytes: body)))
    }
}
