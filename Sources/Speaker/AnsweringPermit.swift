import LinuxNetwork
import NetworkTypes
import Synchronization

/// Until when this process may answer for addresses: written by the thread that knows whether the
/// others are heard, read by the threads of the interfaces before every answer.
///
/// The writer extends it again and again. When it does not, because it is stuck or the whole
/// process was stopped, the permit runs out by itself.
///
/// It can also be *suspended*, for as long as it takes to find out what happened meanwhile and to
/// act on it: the writer suspends it, and the thread that decides what is announced clears it once
/// it has worked off all that was found out. In between an answer could be one that is another
/// node's to give.
///
/// Where nodes are fenced there is a second bound, the *fence*: until when this node's own Lease is
/// fresh. It has a writer of its own, runs out and is suspended in the same way, and answers need
/// both.
package final class AnsweringPermit: Sendable {
    private let gossip: Gate
    private let fence: Gate
    private let returned = Atomic<UInt64>(0)
    private let wakers = Mutex<(next: Int, all: [Int: @Sendable () -> Void])>((0, [:]))

    /// One of the bounds.
    private struct Gate: ~Copyable, Sendable {
        let nanoseconds: Atomic<Int64>
        let suspensions = Atomic<UInt64>(0)
        let cleared = Atomic<UInt64>(0)

        init(until: Instant) { nanoseconds = Atomic(until.nanoseconds) }

        /// Long past while it is suspended.
        var until: Int64 {
            let until = nanoseconds.load(ordering: .acquiring)
            let isClear =
                cleared.load(ordering: .acquiring) >= suspensions.load(ordering: .acquiring)
            return isClear ? until : .min
        }
    }

    /// A permit until `until`; at first there is none.
    ///
    /// - Parameter isFenced: whether answers need a fresh Lease as well; at first it is not.
    package init(until: Instant = Instant(nanoseconds: .min), isFenced: Bool = false) {
        gossip = Gate(until: until)
        fence = Gate(until: Instant(nanoseconds: isFenced ? .min : .max))
    }

    /// A permit that never ends.
    package static func unlimited() -> AnsweringPermit {
        AnsweringPermit(until: Instant(nanoseconds: .max))
    }

    /// Answers may be given before this instant, which is long past while the permit is suspended.
    /// Setting it moves the bound of the gossip; a permit that had run out, and now has not, wakes
    /// those who wait for it.
    package var until: Instant {
        get { Instant(nanoseconds: min(gossip.until, fence.until)) }
        set { extend(gossip, until: newValue) }
    }

    /// Until when this node's own Lease is fresh, suspensions aside.
    package var fenceUntil: Instant {
        get { Instant(nanoseconds: fence.nanoseconds.load(ordering: .acquiring)) }
        set { extend(fence, until: newValue) }
    }

    private func extend(_ gate: borrowing Gate, until: Instant) {
        // Only one thread writes. Whoever reads the new value must find it counted.
        let before = gate.nanoseconds.load(ordering: .relaxed)
        let isBack = { (now: Int64) in before <= now && until.nanoseconds > now }
        let wasOut = isBack(MonotonicClock.now().nanoseconds)
        if wasOut { returned.add(1, ordering: .releasing) }
        gate.nanoseconds.store(until.nanoseconds, ordering: .releasing)
        // Looked at again: whoever saw the old value run out did so before.
        guard isBack(MonotonicClock.now().nanoseconds) else { return }
        if !wasOut { returned.add(1, ordering: .releasing) }
        wake()
    }

    /// Grows with every time that the permit is back after it had run out or was suspended. To be
    /// read after ``until``. A thread that slept long cannot tell from ``until`` alone.
    var returns: UInt64 { returned.load(ordering: .acquiring) }

    /// Takes the permit back until ``clear(_:)`` is told the number returned. For the one thread
    /// that also sets ``until``.
    func suspend() -> UInt64 {
        gossip.suspensions.add(1, ordering: .acquiringAndReleasing).newValue
    }

    /// Ends a suspension, and those before it; not a later one.
    func clear(_ suspension: UInt64) { clear(gossip, suspension) }

    /// Takes the permit back until ``clearFence(_:)`` is told the number returned. For the one task
    /// that also sets ``fenceUntil``.
    func suspendFence() -> UInt64 {
        fence.suspensions.add(1, ordering: .acquiringAndReleasing).newValue
    }

    /// Ends a suspension of the fence, and those before it; not a later one.
    func clearFence(_ suspension: UInt64) { clear(fence, suspension) }

    private func clear(_ gate: borrowing Gate, _ suspension: UInt64) {
        returned.add(1, ordering: .releasing)
        _ = gate.cleared.max(suspension, ordering: .acquiringAndReleasing)
        wake()
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
