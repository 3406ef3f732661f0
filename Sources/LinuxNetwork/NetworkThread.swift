import CLinux
import Glibc
import Synchronization

/// A thread of its own for work that must not wait behind the cooperative pool: answering frames,
/// reading netlink, watching other nodes. Whoever starts one joins it.
package final class NetworkThread: Sendable {
    /// How the thread is to be scheduled.
    package enum Priority: Sendable {
        /// As any other.
        case normal
        /// Before every ordinary thread of the machine, so that busy cores delay it little:
        /// `SCHED_RR` at priority 10; where that is refused nice −15; else as any other.
        ///
        /// For loops that sleep in `poll` and do little. The kernel takes a real-time thread off
        /// the core after 0.95 s of every second (`kernel.sched_rt_runtime_us`), and kills the
        /// process when one runs longer than `RLIMIT_RTTIME` (default: no limit) without sleeping.
        /// Threads and processes started from such a thread are ordinary ones.
        case realTime
        /// The same, before those: `SCHED_RR` at priority 12, for threads whose lateness others
        /// take for a death and that do very little at a time.
        case realTimeFirst
    }

    /// How the thread is scheduled in fact.
    package enum Scheduling: Equatable, Sendable {
        /// As any other, because that was asked for.
        case normal
        /// `SCHED_RR` with this priority.
        case realTime(priority: Int32)
        /// An ordinary thread with this nice value; real time was refused with this errno.
        case nice(Int32, refusal: Int32)
        /// As any other; real time was refused with this errno.
        case refused(Int32)

        /// What an operator is told: `nil` when all is as asked for.
        package var note: String? {
            let remedy = "grant CAP_SYS_NICE to answer as fast on a busy machine"
            return switch self {
            case .normal, .realTime: nil
            case .nice(let nice, let code):
                unsafe "real time was refused (\(String(cString: strerror(code)))), "
                    + "nice \(nice) instead; \(remedy)"
            case .refused(let code):
                unsafe "real time was refused (\(String(cString: strerror(code)))), "
                    + "ordinary priority instead; \(remedy)"
            }
        }
    }

    private let thread: Mutex<pthread_t?>
    private let start: ThreadStart

    /// How the thread is scheduled; `nil` as long as it has not begun, which takes microseconds.
    package var scheduling: Scheduling? { start.scheduling.withLock { $0 } }

    /// Starts `body` on a new thread called `name` (at most 15 bytes are kept, as the kernel does).
    package init(
        name: String, priority: Priority = .normal, _ body: @escaping @Sendable () -> Void
    ) throws(SystemError) {
        start = ThreadStart(name: name, priority: priority, body: body)
        let passed = unsafe Unmanaged.passRetained(start)
        var thread = pthread_t()
        let status = unsafe pthread_create(
            &thread, nil,
            { argument in
                guard let argument = unsafe argument else { return nil }
                let start = unsafe Unmanaged<ThreadStart>.fromOpaque(argument).takeRetainedValue()
                unsafe martlet_thread_name(start.name)
                let scheduling = NetworkThread.apply(start.priority)
                start.scheduling.withLock { $0 = scheduling }
                start.takeBody()?()
                return nil
            }, passed.toOpaque())
        guard status == 0 else {
            unsafe passed.release()
            throw SystemError("pthread_create", errno: status, subject: "thread \(name)")
        }
        self.thread = Mutex(thread)
    }

    /// Waits until the thread has ended. A second call returns at once.
    package func join() {
        let waiting = thread.withLock { thread in
            defer { thread = nil }
            return thread
        }
        if let waiting { pthread_join(waiting, nil) }
    }

    /// Schedules the calling thread as asked for, or as near to it as is allowed.
    private static func apply(_ priority: Priority) -> Scheduling {
        switch priority {
        case .normal: .normal
        case .realTime:
            nearest(realTime: martlet_thread_real_time, nice: martlet_thread_nice)
        case .realTimeFirst:
            nearest(
                priority: 12, realTime: martlet_thread_real_time, nice: martlet_thread_nice)
        }
    }

    /// The best that is allowed; each argument tries a value and returns 0 or a negative errno.
    static func nearest(
        priority: Int32 = 10, realTime: (Int32) -> Int32, nice: (Int32) -> Int32
    ) -> Scheduling {
        let niceness: Int32 = -15
        let refusal = realTime(priority)
        if refusal == 0 { return .realTime(priority: priority) }
        return nice(niceness) == 0
            ? .nice(niceness, refusal: -refusal) : .refused(-refusal)
    }
}

private final class ThreadStart: Sendable {
    let name: String
    let priority: NetworkThread.Priority
    let scheduling = Mutex<NetworkThread.Scheduling?>(nil)
    private let body: Mutex<(@Sendable () -> Void)?>

    init(name: String, priority: NetworkThread.Priority, body: @escaping @Sendable () -> Void) {
        self.name = String(decoding: name.utf8.prefix(15), as: UTF8.self)
        self.priority = priority
        self.body = Mutex(body)
    }

    /// The body, once: what it captures lives as long as it runs, not as long as the thread object.
    func takeBody() -> (@Sendable () -> Void)? {
        body.withLock { body in
            defer { body = nil }
            return body
        }
    }
}
