import NetworkTypes

/// An address that is announced, or about to be.
struct Holding: Sendable {
    var phase: Tenure.Phase
    var tenancy: Tenure.Tenancy
    /// Why it came, and from whom.
    var cause: ArrivalCause
    var from: String?
    /// When yielding ends, whoever answers then.
    var yieldsUntil: Instant?
    /// When this node last claimed it.
    var claimedAt: Instant?
    /// When to claim above a rival that may not own the address.
    var raisesAt: Instant?
    /// When it was last announced against a rival, and how long to wait until the next time.
    var contestedAt: Instant?
    var contestGap = Tenure.Timing.rivalGap.first
    /// When to announce it against a rival that was heard in between.
    var contestsAt: Instant?

    /// Whether questions are answered.
    var isAnswering: Bool {
        switch phase {
        case .holding, .yielding: true
        case .taking, .held: false
        }
    }

    /// The first of its deadlines.
    var nextDeadline: Instant? {
        [yieldsUntil, raisesAt, contestsAt].lazy.compactMap { $0 }.min()
    }
}

/// An address that this node takes although the election would leave it where it is.
struct Pledge: Sendable {
    var epoch: UInt64
    var cause: ArrivalCause
    /// When it is given up, unless the address is answered for.
    var until: Instant
}
