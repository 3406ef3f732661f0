public import NetworkTypes

/// Finds out whether one endpoint lives, by asking it again and again.
///
/// ```
///             first good answer             `fall` bad ones in a row
///  unproven ─────────────────────► up ◄──────────────────────────► down
///      │                                 `rise` good ones in a row   ▲
///      └─────────────────────────── first bad answer ────────────────┘
/// ```
///
/// An endpoint that is unproven counts as up, so that a process that starts takes nothing away that
/// worked; but the first word about it is believed at once, so that one that is dead from the start
/// is found within a question's time.
///
/// One question is under way at a time. The first comes within half an interval, the others 90 to
/// 110 % of an interval after each other, so that nodes and endpoints that began together do not go
/// on together. A question that this node could not ask counts for neither side.
public struct EndpointProbe: Equatable, Sendable {
    /// What is known of the endpoint.
    public enum State: Hashable, Sendable {
        /// Nothing yet; it may be used.
        case unproven
        /// It lives; so many of the last answers were bad.
        case up(failures: Int)
        /// It does not; so many of the last answers were good.
        case down(successes: Int)
    }

    /// What happened.
    public enum Event: Hashable, Sendable {
        /// A question has its answer. One that was given up, or is not known, is passed over.
        case answered(attempt: UInt64, ProbeAnswer)
        /// ``EndpointProbe/nextDeadline`` has come.
        case deadlineReached
    }

    /// What is to be done.
    public enum Action: Hashable, Sendable {
        /// Ask, and tell the answer under this number.
        case ask(attempt: UInt64)
        /// Give the question up: its time is over.
        case abandon(attempt: UInt64)
        /// The endpoint was taken out or in again, because of this answer.
        case changed(isUp: Bool, because: ProbeAnswer)
    }

    private enum Phase: Equatable, Sendable {
        case resting(until: Instant)
        case asking(attempt: UInt64, since: Instant)
    }

    /// How it is asked. A change holds from the next deadline on.
    public var settings: ProbeSettings
    /// What is known.
    public private(set) var state: State = .unproven
    /// How many questions have begun.
    private(set) var begunAttempts: UInt64 = 0
    private var phase: Phase
    private var random: UInt64

    /// Begins, with the first question soon.
    ///
    /// - Parameter seed: where the times are drawn from; another for each endpoint and each node.
    public init(_ settings: ProbeSettings, seed: UInt64, at now: Instant) {
        self.settings = settings
        random = seed
        phase = .resting(until: now)
        phase = .resting(until: now + settings.interval * share(of: 0...500) / 1_000)
    }

    /// Whether the endpoint may get connections.
    public var isUp: Bool {
        switch state {
        case .unproven, .up: true
        case .down: false
        }
    }

    /// Whether a question is under way.
    var isAsking: Bool {
        switch phase {
        case .resting: false
        case .asking: true
        }
    }

    /// How many questions have been answered or given up.
    var endedAttempts: UInt64 { isAsking ? begunAttempts - 1 : begunAttempts }

    /// When it wants to be called again.
    public var nextDeadline: Instant {
        switch phase {
        case .resting(let until): until
        case .asking(_, let since): since + settings.timeout
        }
    }

    /// Takes in what happened.
    public mutating func handle(_ event: Event, at now: Instant) -> [Action] {
        switch (event, phase) {
        case (.deadlineReached, .resting(let until)) where now >= until:
            begunAttempts += 1
            phase = .asking(attempt: begunAttempts, since: now)
            return [.ask(attempt: begunAttempts)]
        case (.deadlineReached, .asking(let attempt, let since)) where now >= nextDeadline:
            rest(after: since, now)
            return [.abandon(attempt: attempt)] + judge(.timedOut)
        case (.answered(let attempt, let answer), .asking(let current, let since))
        where attempt == current:
            rest(after: since, now)
            return judge(answer)
        default: return []
        }
    }

    private mutating func rest(after beginning: Instant, _ now: Instant) {
        phase = .resting(
            until: max(now, beginning + settings.interval * share(of: 900...1_100) / 1_000))
    }

    private mutating func judge(_ answer: ProbeAnswer) -> [Action] {
        if case .notAsked = answer { return [] }
        let isGood = answer == .good
        switch state {
        case .unproven:
            state = isGood ? .up(failures: 0) : .down(successes: 0)
            return isGood ? [] : [.changed(isUp: false, because: answer)]
        case .up(let failures):
            guard !isGood, failures + 1 >= settings.fall else {
                state = .up(failures: isGood ? 0 : failures + 1)
                return []
            }
            state = .down(successes: 0)
            return [.changed(isUp: false, because: answer)]
        case .down(let successes):
            guard isGood, successes + 1 >= settings.rise else {
                state = .down(successes: isGood ? successes + 1 : 0)
                return []
            }
            state = .up(failures: 0)
            return [.changed(isUp: true, because: answer)]
        }
    }

    /// A number of the range, drawn by SplitMix64.
    private mutating func share(of range: ClosedRange<Int>) -> Int {
        random &+= 0x9e37_79b9_7f4a_7c15
        var mixed = random
        mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
        mixed ^= mixed >> 31
        return range.lowerBound + Int(mixed % UInt64(range.count))
    }
}
