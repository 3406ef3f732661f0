import CLinux
import Glibc
import Synchronization

/// A thread of its own for work that must not wait behind the cooperative pool: answering frames,
/// reading netlink. Whoever starts one joins it.
package final class NetworkThread: Sendable {
    private let thread: Mutex<pthread_t?>

    /// Starts `body` on a new thread called `name` (at most 15 bytes are kept, as the kernel does).
    package init(name: String, _ body: @escaping @Sendable () -> Void) throws(SystemError) {
        let start = unsafe Unmanaged.passRetained(ThreadStart(name: name, body: body))
        var thread = pthread_t()
        let status = unsafe pthread_create(
            &thread, nil,
            { argument in
                guard let argument = unsafe argument else { return nil }
                let start = unsafe Unmanaged<ThreadStart>.fromOpaque(argument).takeRetainedValue()
                unsafe martlet_thread_name(start.name)
                start.body()
                return nil
            }, start.toOpaque())
        guard status == 0 else {
            unsafe start.release()
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
}

private final class ThreadStart: Sendable {
    let name: String
    let body: @Sendable () -> Void

    init(name: String, body: @escaping @Sendable () -> Void) {
        self.name = String(decoding: name.utf8.prefix(15), as: UTF8.self)
        self.body = body
    }
}
