import Glibc
import LinuxNetwork
import NetworkTypes
import Synchronization

/// A network of its own for a test: a thread that has left the machine's network namespace.
///
/// The namespace has no name. It lives as long as the thread and what was started from it, so
/// nothing is left behind, whatever the test did. Sockets opened and programs run on the thread are
/// inside.
package enum Namespace {
    /// A command that failed, and what it said.
    package struct CommandFailed: Error, CustomStringConvertible {
        package let description: String
    }

    /// Whether tests that need namespaces run: as root, and in CI always, where they must not be
    /// passed over for want of it.
    package static let isAvailable = unsafe geteuid() == 0 || getenv("CI") != nil

    /// Runs `body` on a thread in a new, empty network namespace.
    package static func run<Value: Sendable>(
        _ body: @escaping @Sendable () throws -> Value
    ) async throws -> Value {
        try HomeWorkers.keep()
        let running = Mutex<NetworkThread?>(nil)
        defer { running.withLock { $0 }?.join() }
        return try await withCheckedThrowingContinuation { continuation in
            do {
                // Whoever resumes a task may have to start a worker for it, which would then live
                // in the namespace of its starter: so this one stays at home.
                let waiting = try NetworkThread(name: "test-home") {
                    continuation.resume(with: Result { try runApart(body) })
                }
                running.withLock { $0 = waiting }
            } catch {
                continuation.resume(throwing: error)
            }
        }
    }

    private static func runApart<Value: Sendable>(
        _ body: @escaping @Sendable () throws -> Value
    ) throws -> Value {
        let outcome = Mutex<Result<Value, any Error>?>(nil)
        let apart = try NetworkThread(name: "test-network") {
            let result = Result {
                try leaveNamespace()
                return try body()
            }
            outcome.withLock { $0 = result }
        }
        apart.join()
        guard let result = outcome.withLock({ $0 }) else {
            throw CommandFailed(description: "the thread in the namespace ended early")
        }
        return try result.get()
    }

    /// `unshare(CLONE_NEWNET)`, looked up by name because the Glibc module hides GNU extensions.
    private static func leaveNamespace() throws {
        typealias Unshare = @convention(c) (Int32) -> Int32
        let newNetwork: Int32 = 0x4000_0000
        guard let symbol = unsafe dlsym(nil, "unshare") else {
            throw CommandFailed(description: "this C library has no unshare")
        }
        let unshare = unsafe unsafeBitCast(symbol, to: Unshare.self)
        guard unshare(newNetwork) == 0 else {
            throw SystemError("unshare", errno: errno, subject: "network namespace")
        }
    }

    /// Runs a shell command inside and returns what it wrote; throws when it failed.
    @discardableResult
    package static func shell(_ command: String) throws -> String {
        guard let pipe = unsafe popen("( \(command) ) 2>&1", "r") else {
            throw CommandFailed(description: "\(command): cannot be started")
        }
        var output: [UInt8] = []
        var byte = unsafe fgetc(pipe)
        while byte != EOF {
            output.append(UInt8(truncatingIfNeeded: byte))
            byte = unsafe fgetc(pipe)
        }
        let text = String(decoding: output, as: UTF8.self)
        guard unsafe pclose(pipe) == 0 else {
            throw CommandFailed(description: "\(command): \(text)")
        }
        return text
    }

    /// Whether `condition` comes true before the time is over; looks once a millisecond.
    package static func eventually(
        within limit: Duration = .seconds(5), _ condition: () throws -> Bool
    ) rethrows -> Bool {
        let deadline = MonotonicClock.now() + limit
        while try !condition() {
            guard MonotonicClock.now() < deadline else { return false }
            usleep(1000)
        }
        return true
    }
}
