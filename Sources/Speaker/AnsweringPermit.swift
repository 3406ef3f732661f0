import LinuxNetwork
import NetworkTypes
import Synchronization

/// Until when this process may answer for addresses: written by the thread that knows whether the
/// others are heard, read by the threads of the interfaces before every answer.
///
/// The writer extends it again and again. When it does not, because it is stuck or the whole
/// process was stopped, the permit runs out by itself.
package final class AnsweringPermit: Sendable {
    private let nanoseconds: Atomic<Int64>
    private let wakers = Mutex<(next: Int, all: [Int: @Sendable () -> Void])>((0, [:]))

    /// A permit until `until`; at first there is none.
    package init(until: Instant = Instant(nanoseconds: .min)) {
        nanoseconds = Atomic(until.nanoseconds)
    }

    /// A permit that never ends.
    package static func unlimited() -> AnsweringPermit {
        AnsweringPermit(until: Instant(nanoseconds: .max))
    }

    /// Answers may be given before this instant. A permit that had run out, and now has not, wakes
    /// those who wait for it.
    package var until: Instant {
        get { Instant(nanoseconds: nanoseconds.load(ordering: .acquiring)) }
        set {
            let before = nanoseconds.exchange(
                newValue.nanoseconds, ordering: .acquiringAndReleasing)
            // Read after the exchange: whoever saw the old value run out did so before.
            let now = MonotonicClock.now().nanoseconds
            if before <= now, newValue.nanoseconds > now { wake() }
        }
    }

    /// Wakes all who wait for the permit.
    func wake() {
        for waker in wakers.withLock({ Array($0.all.values) }) { waker() }
    }

    /// Has `waker` called whenever the permit is back. It must not block.
    func register(_ waker: @escaping @Sendable () -> Void) -> Int {
        wakers.withLock { wakers in
            wakers.next += 1
            wakers.all[wakers.next] = waker
            return wakers.next
        }
    }

    /// Ends what ``register(_:)`` began.
    func unregister(_ registration: Int) {
        wakers.withLock { $0.all[registration] = nil }
    }
}
