import Glibc
import Synchronization
import TestNetwork
import Testing

@testable import LinuxNetwork

@Suite(.enabled(if: Namespace.isAvailable, "needs root to make network namespaces"))
struct DataplaneLockTests {
    @Test("the second who wants the data plane of a network is refused, and told who has it")
    func held() async throws {
        try await Namespace.run {
            let first = try DataplaneLock()
            let refusal = #expect(throws: DataplaneLock.Held.self) { _ = try DataplaneLock() }
            #expect(refusal?.process == getpid())
            #expect(refusal?.description.contains("process \(getpid())") == true)
            #expect(refusal?.description.contains("--dataplane none") == true)
            withExtendedLifetime(first) {}
        }
    }

    @Test("with its holder the lock goes; a thousand who asked leave no trace")
    func released() async throws {
        try await Namespace.run {
            do {
                let first = try DataplaneLock()
                for attempt in 0..<1_000 {
                    let refusal = #expect(throws: DataplaneLock.Held.self) {
                        _ = try DataplaneLock()
                    }
                    if attempt % 32 == 0 {
                        #expect(refusal?.process == getpid())
                        first.answer()
                    }
                }
            }
            // A process that another test begins keeps the descriptor until it runs its program.
            let isFree = try Namespace.eventually {
                do {
                    _ = try DataplaneLock()
                    return true
                } catch is DataplaneLock.Held {
                    return false
                }
            }
            #expect(isFree)
        }
    }

    @Test("many who were refused and not answered: the next is refused all the same")
    func full() async throws {
        try await Namespace.run {
            let first = try DataplaneLock()
            for _ in 0..<200 {
                #expect(throws: DataplaneLock.Held.self) { _ = try DataplaneLock() }
            }
            withExtendedLifetime(first) {}
        }
    }

    @Test("each network has its own")
    func networks() async throws {
        let first = Mutex<DataplaneLock?>(nil)
        try await Namespace.run {
            let lock = try DataplaneLock()
            first.withLock { $0 = lock }
        }
        try await Namespace.run { withExtendedLifetime(try DataplaneLock()) {} }
        #expect(first.withLock { $0 } != nil)
    }

    @Test("a process elsewhere in the PID namespaces is said to be so")
    func unseen() {
        let text = DataplaneLock.Held(process: nil).description
        #expect(text.contains("another container"))
    }
}
