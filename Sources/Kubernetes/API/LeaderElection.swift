public import NetworkTypes

/// Which one of several processes writes, decided by a Lease (`coordination.k8s.io/v1`).
///
/// ```
///   waiting ── released, or unchanged for its duration: create/update ──► leading
///      ▲                                                                     │
///      └──── not renewed in time, or another holds it, or it is gone ◄───────┘
///   leading ── resigned: update without a holder ──► (end)
/// ```
///
/// The clocks of the machines are never compared. Who leads may write until the *send* time of the
/// last renewal that succeeded, plus ``Timing/duration`` less ``Timing/margin``. Who waits counts
/// from when it *received* the record for the first time, which is later than the server stored it,
/// which is later than the renewal was sent. So the two times never meet, as long as the clocks run
/// at the same rate within margin ÷ duration. A write that the server carries out late finds
/// another version and fails, because every write names the version that it was decided on.
///
/// The process that waits learns of a release at once if its shell follows the Lease with a watch
/// and tells each change as ``Event/observed(_:)``; it also reads now and then, for a shell without
/// one and for a watch that has gone quiet.
///
/// Actions are carried out in order; `read`, `create` and `update` ask the server, one at a time.
/// Each is answered by one event, or by none where no answer comes: it is then given up after
/// ``Timing/request``.
public struct LeaderElection: Equatable, Sendable {
    /// The times that the rules are made of.
    public struct Timing: Equatable, Sendable {
        /// How long others leave the Lease alone after a renewal; whole seconds.
        public var duration: Duration = .seconds(15)
        /// How much earlier than that the leader stops.
        public var margin: Duration = .seconds(5)
        /// From one renewal to the next.
        public var renewal: Duration = .seconds(2)
        /// From a failure to the next attempt, and how often one who waits reads.
        public var retry: Duration = .seconds(1)
        /// How long a request may take until it is given up.
        public var request: Duration = .seconds(4)

        /// The times above.
        public init() {}
    }

    /// What happened.
    public enum Event: Equatable, Sendable {
        /// The election may begin; once.
        case started
        /// The Lease is, or was a moment ago, this; `nil`: there is none.
        case observed(LeaseRecord?)
        /// The Lease, which was like this, has been deleted, as a watch says. Whoever held it may
        /// write until it would have run out.
        case deleted(LeaseRecord)
        /// The server has stored a `create` or `update` that was sent at the instant; this is how
        /// the Lease is since.
        case renewed(LeaseRecord, sentAt: Instant)
        /// The request did not bring what was asked for.
        case failed(APIFailure)
        /// ``LeaderElection/nextDeadline`` has come.
        case deadlineReached
        /// The process ends, or wants to write no more.
        case resigned
    }

    /// What to do.
    public enum Action: Equatable, Sendable {
        /// Get the Lease: ``Event/observed(_:)`` or ``Event/failed(_:)``; a 404 is `observed(nil)`.
        case read
        /// Create it, with stamps of its own (``LeaseRecord/stamped(_:)``).
        case create(LeaseRecord)
        /// Patch it, with stamps, on the condition of its version
        /// (``LeaseRecord/change(_:manager:)``).
        case update(LeaseRecord)
        /// Write, but begin nothing at or after the instant; said again with each renewal.
        case lead(until: Instant)
        /// Begin to write nothing more.
        case stepDown(StepDownReason)
    }

    /// Why a leader is none any more.
    public enum StepDownReason: Equatable, Sendable {
        /// The Lease could not be renewed in time; the last failure, if there was an answer.
        case notRenewed(APIFailure?)
        /// Another has it.
        case lost(to: String)
        /// It was deleted, or released by somebody else.
        case taken
        /// ``Event/resigned``.
        case resigned
    }

    enum Phase: Equatable, Sendable { case idle, waiting, leading, resigning, ended }
    enum Request: Equatable, Sendable { case read, write }

    /// Who this is: different for every process, so that no two take each other for themselves.
    public let identity: String
    /// The times in force.
    public let timing: Timing
    var phase = Phase.idle
    /// The Lease as it was last seen, and since when it is like that.
    var seen: LeaseRecord?
    var seenSince: Instant?
    /// Until when the holder of a Lease that was deleted since may think that it leads.
    var goneUntil: Instant?
    /// What was last asked of the server and not answered, and when it is given up.
    var request: Request?
    var requestUntil: Instant?
    /// When to ask the server next.
    var asksAt: Instant?
    /// When a release is given up.
    var resignsBy: Instant?
    var hadConflict = false
    var failure: APIFailure?
    /// Until when this process may write; `nil` when it may not.
    public internal(set) var freshUntil: Instant?

    /// - Parameter identity: the Pod's name and something random.
    public init(identity: String, timing: Timing = Timing()) {
        self.identity = identity
        self.timing = timing
    }

    /// Whether this process may write, as of the last event. Right before a write, compare
    /// ``freshUntil`` with the clock.
    public var isLeading: Bool { phase == .leading }

    /// Who leads as far as is known, for people; `nil` when nobody is known to.
    public var leader: String? {
        phase == .leading ? identity : seen.flatMap { $0.isReleased ? nil : $0.holder }
    }

    /// Whether nothing is left to do: it resigned, and the Lease is released or cannot be.
    public var isEnded: Bool { phase == .ended }

    /// When to send ``Event/deadlineReached``; `nil` for never.
    public var nextDeadline: Instant? {
        guard phase != .ended, phase != .idle else { return nil }
        return [request == nil ? asksAt : requestUntil, freshUntil, resignsBy]
            .lazy.compactMap { $0 }.min()
    }

    /// Takes note of what happened and answers what to do about it, in order.
    public mutating func handle(_ event: Event, at now: Instant) -> [Action] {
        guard phase != .ended else { return [] }
        var actions: [Action] = []
        if let freshUntil, freshUntil <= now { stepDown(.notRenewed(failure), &actions) }
        switch event {
        case .started:
            guard phase == .idle else { break }
            phase = .waiting
            ask(.read, now, &actions)
        case .observed(let record):
            if request == .read { endRequest() }
            note(record, now, &actions)
            proceed(now, &actions)
        case .deleted(let record):
            // One that was made anew since is younger.
            if let seen, record.isOlder(than: seen) { break }
            if seen == nil { note(record, now, &actions) }
            note(nil, now, &actions)
            proceed(now, &actions)
        case .renewed(let record, let sentAt):
            endRequest()
            hadConflict = false
            note(record, now, &actions)
            lead(sentAt, now, &actions)
        case .failed(let failure): fail(failure, now, &actions)
        case .deadlineReached: meetDeadlines(now, &actions)
        case .resigned: resign(now, &actions)
        }
        return actions
    }
}
