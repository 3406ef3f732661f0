import Dispatch
import Glibc
import LinuxNetwork

/// Keeps the workers of Swift's concurrency in the machine's network namespace.
///
/// A worker is started by whoever has work for it and finds none idle, and it begins in the network
/// namespace of its starter. A thread in a namespace that feeds a stream would so carry off what
/// runs every other test: their sockets would open in a network where even loopback is down. Hence
/// all workers are started before the first thread leaves, and none is ever idle for the five
/// seconds after which it would end.
enum HomeWorkers {
    private static let count = max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
    private static let keeper = Result {
        meet()
        return try NetworkThread(name: "test-workers") {
            while true {
                sleep(1)
                meet()
            }
        }
    }

    /// Begins to keep them. Called from a thread that is at home.
    static func keep() throws { _ = try keeper.get() }

    /// Has as many workers as there may be run at once. One that is busy needs no keeping, so the
    /// others do not wait long for it.
    private static func meet() {
        let arrivals = DispatchGroup()
        for _ in 0..<count { arrivals.enter() }
        for _ in 0..<count {
            DispatchQueue.global().async {
                arrivals.leave()
                _ = arrivals.wait(timeout: .now() + .milliseconds(20))
            }
        }
    }
}
