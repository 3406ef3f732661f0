import Glibc
import Synchronization
import TestNetwork
import Testing

@testable import LinuxNetwork

@Suite(.enabled(if: Namespace.isAvailable, "needs CAP_SYS_NICE"))
struct NetworkThreadTests {
    private struct Seen: Equatable, Sendable {
        var policy: Int32 = -1
        var priority: Int32 = -1
        var nice: Int32 = 0
    }

    private static func look() -> Seen {
        var parameters = sched_param()
        sched_getparam(0, &parameters)
        return Seen(
            policy: sched_getscheduler(0), priority: parameters.sched_priority,
            nice: getpriority(Int32(PRIO_PROCESS.rawValue), 0))
    }

    private static func run(
        _ priority: NetworkThread.Priority
    ) throws -> (Seen, NetworkThread.Scheduling?) {
        let seen = Mutex(Seen())
        let thread = try NetworkThread(name: "test", priority: priority) {
            seen.withLock { $0 = Self.look() }
        }
        thread.join()
        return (seen.withLock { $0 }, thread.scheduling)
    }

    /// Runs `body` on a thread without CAP_SYS_NICE, which its own threads inherit.
    private static func withoutPrivilege<Value: Sendable>(
        _ body: @escaping @Sendable () throws -> Value
    ) throws -> Value {
        let result = Mutex<Result<Value, any Error>?>(nil)
        let thread = try NetworkThread(name: "test-plain") {
            let outcome = Result {
                typealias Call =
                    @convention(c) (
                        UnsafeMutableRawPointer, UnsafeMutableRawPointer
                    ) -> Int32
                let get = try #require(dlsym(nil, "capget"))
                let set = try #require(dlsym(nil, "capset"))
                // _LINUX_CAPABILITY_VERSION_3 of this thread; effective, permitted, inheritable.
                var header: [UInt32] = [0x2008_0522, 0]
                var sets = [UInt32](repeating: 0, count: 6)
                try #require(unsafeBitCast(get, to: Call.self)(&header, &sets) == 0)
                for index in 0..<3 { sets[index] &= ~(1 << 23) }
                try #require(unsafeBitCast(set, to: Call.self)(&header, &sets) == 0)
                return try body()
            }
            result.withLock { $0 = outcome }
        }
        thread.join()
        return try #require(result.withLock { $0 }).get()
    }

    @Test("a thread of normal priority is scheduled as any other")
    func normal() throws {
        let (seen, scheduling) = try Self.run(.normal)
        #expect(seen.policy == 0)
        #expect(scheduling == .normal)
        #expect(scheduling?.note == nil)
    }

    @Test("a real-time thread is SCHED_RR, and what it starts is not")
    func realTime() throws {
        let (seen, scheduling) = try Self.run(.realTime)
        let resetOnFork: Int32 = 0x4000_0000
        #expect(seen.policy == 2 | resetOnFork)
        #expect(seen.priority == 10)
        #expect(scheduling == .realTime(priority: 10))
        let child = Mutex(Seen())
        let parent = try NetworkThread(name: "test", priority: .realTime) {
            // Starting a thread fails only for want of memory; the expectation below tells.
            let thread = try? NetworkThread(name: "test-child") {
                child.withLock { $0 = Self.look() }
            }
            thread?.join()
        }
        parent.join()
        #expect(child.withLock { $0 } == Seen(policy: 0, priority: 0, nice: 0))
    }

    @Test("where real time is refused the thread is ordinary, and says what would help")
    func refused() throws {
        let (seen, scheduling) = try Self.withoutPrivilege { try Self.run(.realTime) }
        #expect(seen.policy == 0)
        #expect(scheduling == .refused(EPERM))
        #expect(scheduling?.note?.contains("CAP_SYS_NICE") == true)
    }

    @Test("where only real time is refused the thread gets a better nice value")
    func niceOnly() {
        var asked: Int32 = 0
        let scheduling = NetworkThread.nearest(
            realTime: { _ in -EPERM },
            nice: { value in
                asked = value
                return 0
            })
        #expect(asked == -15)
        #expect(scheduling == .nice(-15, refusal: EPERM))
        #expect(scheduling.note?.contains("nice -15") == true)
    }
}
