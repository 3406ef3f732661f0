import NetworkTypes

/// Whether we ourselves run in time: Lifeguard's local health.
struct Wakefulness: Sendable {
    static let worst: UInt8 = 8
    /// Lateness of a wake-up that tells of a busy machine.
    private static let late = 10 * MembershipAgent.Timing.millisecond
    /// How long without one until health improves by a step.
    private static let recovery = 500 * MembershipAgent.Timing.millisecond

    /// When an event was last handled.
    private(set) var lastRun: Instant
    /// When we should have run next.
    var expected: Instant?
    /// 0 is well.
    private(set) var localHealth: UInt8 = 0
    private var lastLate: Instant
    private var hasRun = false

    init(at now: Instant) {
        lastRun = now
        lastLate = now
    }

    /// An event is handled now. Returns for how long we should have run and did not, and for how
    /// long nothing at all was handled.
    mutating func wake(at now: Instant) -> (late: Int64, away: Int64) {
        defer {
            lastRun = now
            hasRun = true
        }
        guard hasRun else { return (0, 0) }
        let away = now.since(lastRun)
        let late = min(max(expected.map { now.since($0) } ?? 0, 0), away)
        if late > Self.late {
            let steps = UInt8(clamping: late / (4 * Self.late) + 1)
            localHealth = min(Self.worst, localHealth + min(steps, Self.worst))
            lastLate = now
        } else if localHealth > 0, now.since(lastLate) > Self.recovery {
            localHealth -= 1
            lastLate = now
        }
        return (late, away)
    }
}

/// The permit to answer is in question: we were away, or have just started.
struct Reassessment: Sendable {
    /// When we came back.
    var since: Instant
    var isStart: Bool
    /// At the start: whether the seeds are known.
    var hasSeeds = false

    init(since: Instant, isStart: Bool) {
        self.since = since
        self.isStart = isStart
    }
}
