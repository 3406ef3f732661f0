import Kubernetes
import Logging
import Synchronization
import Testing

@testable import ClusterSource

/// Certificates that all tests of the client share; making them takes a while.
struct TestCertificates: Sendable {
    var authority: TestAuthority
    var server: TestAuthority.Identity
    var client: TestAuthority.Identity
    var otherAuthority: TestAuthority
    var otherServer: TestAuthority.Identity

    private static let made = Task<TestCertificates, any Error> {
        let authority = try await TestAuthority("first")
        let other = try await TestAuthority("second")
        return TestCertificates(
            authority: authority,
            server: try await authority.identity(
                "server", names: "IP:127.0.0.1,DNS:api.example.com"),
            client: try await authority.identity("client", names: "DNS:client"),
            otherAuthority: other,
            otherServer: try await other.identity("server", names: "IP:127.0.0.1"))
    }

    static func shared() async throws -> TestCertificates { try await made.value }
}

extension SmallServer {
    /// How a test reaches it, without credentials.
    func access(_ trust: ClusterAccess.Trust? = nil) throws -> ClusterAccess {
        let scheme = trust == nil ? "http" : "https"
        var access = ClusterAccess(
            origin: .inCluster,
            server: try #require(ServerAddress("\(scheme)://127.0.0.1:\(port)")))
        access.trust = trust ?? .system
        return access
    }
}

/// Gives a test a client, and takes it back.
func withClient<Answer>(
    _ access: ClusterAccess, pace: Credentials.Pace = Credentials.Pace(),
    patience: ConnectionPatience = ConnectionPatience(), logger: Logger = .silent,
    _ body: (APIClient) async throws -> Answer
) async throws -> Answer {
    let client = APIClient(
        access: access, userAgent: "martlet/test", logger: logger, pace: pace,
        patience: patience)
    do {
        let answer = try await body(client)
        await client.shutdown()
        return answer
    } catch {
        await client.shutdown()
        throw error
    }
}

/// The failure that something must end with.
func failure(
    _ body: () async throws(APIFailure) -> Void, at location: SourceLocation = #_sourceLocation
) async throws -> APIFailure {
    do throws(APIFailure) {
        try await body()
    } catch {
        return error
    }
    Issue.record("it did not fail", sourceLocation: location)
    throw TestFailure("it did not fail")
}

/// Waits for something that others bring about.
func eventually(
    _ what: String, within limit: Duration = .seconds(10),
    _ isSo: () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + limit
    while try await !isSo() {
        guard ContinuousClock.now < deadline else {
            throw TestFailure("not within \(limit): \(what)")
        }
        try await Task.sleep(for: .milliseconds(2))
    }
}

extension Logger {
    static var silent: Logger { Logger(label: "test") { _ in SwiftLogNoOpLogHandler() } }
}

/// Keeps all that is logged.
final class KeptLog: Sendable {
    private let lines = Mutex<[String]>([])

    var text: String { lines.withLock { $0.joined(separator: "\n") } }

    var logger: Logger {
        var logger = Logger(label: "test") { _ in Handler(log: self) }
        logger.logLevel = .trace
        return logger
    }

    private struct Handler: LogHandler {
        let log: KeptLog
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.trace

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            log.lines.withLock {
                $0.append("\(event.message) \(event.metadata ?? [:])")
            }
        }
    }
}

/// A number that tasks of a test share.
final class SharedCount: Sendable {
    private let content = Mutex(0)

    var value: Int { content.withLock { $0 } }
    func add() { content.withLock { $0 += 1 } }
}
