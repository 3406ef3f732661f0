public import NetworkTypes

/// Keeps a node's own Lease fresh, and says until when the node may answer.
///
/// The node may answer until the *send* time of the last renewal that succeeded, plus
/// ``duration`` less ``margin``, by its own monotonic clock. Others count the duration from when
/// they *received* the renewed Lease (``FenceWatch``), which is later.
///
/// A renewal whose answer comes while the last one still holds goes on with the same *session*.
/// Where it does not, others may have found the Lease expired meanwhile: a new session begins, and
/// the node must make sure of everything again before it answers.
public struct FenceKeeper: Equatable, Sendable {
    /// What happened.
    public enum Event: Equatable, Sendable {
        /// Begin; once.
        case started
        /// A renewal that was sent at the instant is stored.
        case renewed(sentAt: Instant)
        /// A renewal did not succeed, as far as is known.
        case failed
        /// ``FenceKeeper/nextDeadline`` has come.
        case deadlineReached
    }

    /// What to do.
    public enum Action: Equatable, Sendable {
        /// Renew the Lease; answered by one event, or none.
        case renew
        /// A session begins; answer until the instant, but make sure first that nobody else does.
        case begin(session: UInt64, until: Instant)
        /// Go on to answer until the instant.
        case extend(until: Instant)
        /// The Lease is not fresh any more.
        case lapsed
    }

    /// How long the Lease lasts.
    public let duration: Duration
    /// How much earlier than that the node falls silent: for clocks that run at different rates,
    /// and for frames on their way.
    public let margin: Duration
    var hasStarted = false
    var sessions: UInt64 = 0
    /// Until when the node may answer; `nil` when it may not.
    public private(set) var freshUntil: Instant?
    private var requestUntil: Instant?
    private var renewsAt: Instant?
    private var failures = 0

    /// A keeper that has not renewed anything yet.
    public init(duration: Duration = .seconds(10)) {
        self.duration = duration
        margin = duration / 10
    }

    /// The present session; `nil` while the Lease is not fresh.
    public var session: UInt64? { freshUntil == nil ? nil : sessions }

    /// When to send ``Event/deadlineReached``; `nil` for never.
    public var nextDeadline: Instant? {
        [requestUntil ?? renewsAt, freshUntil].lazy.compactMap { $0 }.min()
    }

    /// Takes note of what happened and answers what to do about it, in order.
    public mutating func handle(_ event: Event, at now: Instant) -> [Action] {
        var actions: [Action] = []
        if let until = freshUntil, until <= now {
            freshUntil = nil
            actions.append(.lapsed)
        }
        switch event {
        case .started:
            guard !hasStarted else { break }
            hasStarted = true
            renew(now, &actions)
        case .renewed(let sentAt): extend(sentAt, now, &actions)
        case .failed: fail(now)
        case .deadlineReached:
            if let due = requestUntil, due <= now { fail(now) }
            if requestUntil == nil, let due = renewsAt, due <= now { renew(now, &actions) }
        }
        return actions
    }

    private mutating func renew(_ now: Instant, _ actions: inout [Action]) {
        renewsAt = nil
        requestUntil = now + duration / 2
        actions.append(.renew)
    }

    private mutating func extend(
        _ sentAt: Instant, _ now: Instant, _ actions: inout [Action]
    ) {
        requestUntil = nil
        failures = 0
        let until = sentAt + duration - margin
        renewsAt = max(now, sentAt + duration / 3)
        guard until > now else {
            // Too late to be of use; renewed again, soon but not at once.
            renewsAt = now + duration / 20
            return
        }
        if let before = freshUntil {
            guard until > before else { return }
            freshUntil = until
            actions.append(.extend(until: until))
        } else {
            sessions += 1
            freshUntil = until
            actions.append(.begin(session: sessions, until: until))
        }
    }

    /// Tried again after a twentieth of the duration, doubling to half of it.
    private mutating func fail(_ now: Instant) {
        requestUntil = nil
        renewsAt = now + min(duration / 20 * (1 << min(failures, 4)), duration / 2)
        failures += 1
    }
}
