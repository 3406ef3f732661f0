public import NetworkTypes

/// Bounds what a process asks of the API server beyond its watches: so many requests a second with
/// a burst, so many under way, allocations before statuses before events, and a pause when the
/// server asks for one or cannot be reached.
///
/// The caller keeps the queues. It asks ``admit(_:at:)`` for the first of each class, the more
/// important class first, sends what is admitted, and tells ``finished(_:_:at:)`` whatever came of
/// it. What is refused may ask again at ``nextDeadline``, or when a request has finished.
///
/// A less important class leaves room for the more important ones: statuses take from the burst
/// only while a quarter of it is left, events while half is, and they may have three quarters and a
/// half of the places under way. But a tenth of the rate belongs to statuses and a twentieth to
/// events, with one place for each, so that no class starves.
public struct RequestBudget: Hashable, Sendable {
    /// What a request is for, the most important first.
    public enum Class: Int, Hashable, Sendable, CaseIterable {
        /// A Lease, on which leadership hangs: never held back; its own machine bounds it.
        case lease
        /// An address for a Service.
        case allocation
        /// What is so, for people.
        case status
        /// What happened, for people.
        case event
    }

    /// How much.
    public struct Settings: Hashable, Sendable {
        /// Requests a second, 1…100,000.
        public let rate: Int
        /// Requests that may be made at once after quiet, 1…100,000.
        public let burst: Int
        /// Requests under way, Leases aside, from 4.
        public let inFlight: Int

        /// Makes settings; values outside their ranges are moved into them.
        public init(rate: Int, burst: Int, inFlight: Int) {
            self.rate = min(max(rate, 1), 100_000)
            self.burst = min(max(burst, 1), 100_000)
            self.inFlight = max(inFlight, 4)
        }
    }

    /// What came of a request.
    public enum Outcome: Hashable, Sendable {
        /// It was answered, be it with a no that is about the request itself.
        case answered
        /// It failed.
        case failed(APIFailure)
    }

    /// How much.
    public let settings: Settings
    /// Until when nothing but Leases is let through; `nil` for no pause.
    public private(set) var pausedUntil: Instant?

    /// Whether the pause is because of failures, and not because the server asked for it.
    private var isPauseOurs = false
    private var shared: TokenBucket
    private var own: [Class: TokenBucket]
    private var underWay: [Class: Int] = [:]
    /// Classes that were refused, and when time brings room for them; none for those that wait for
    /// the end of a request.
    private var refused: [Class: Instant] = [:]
    private var pace: RetryPace

    /// Makes a budget that is full. The seed is for jitter.
    public init(_ settings: Settings, seed: UInt64, at now: Instant) {
        self.settings = settings
        pace = RetryPace(seed: seed)
        let unit = Int64(settings.rate)
        let (status, event) = (unit * 2, unit)
        shared = TokenBucket(
            unitsPerNanosecond: TokenBucket.unitsPerRate * unit - status - event,
            capacity: Int64(settings.burst), at: now)
        own = [
            .status: TokenBucket(unitsPerNanosecond: status, capacity: 1, at: now),
            .event: TokenBucket(unitsPerNanosecond: event, capacity: 1, at: now),
        ]
    }

    /// Whether a request may be sent now; if so, it counts as under way.
    public mutating func admit(_ kind: Class, at now: Instant) -> Bool {
        settle(at: now)
        guard kind != .lease else { return true }
        guard hasPlace(kind) else {
            refused[kind] = nil
            return false
        }
        if let pausedUntil {
            refused[kind] = pausedUntil
            return false
        }
        if own[kind]?.take(at: now) ?? false || shared.take(at: now, leaving: reserve(kind)) {
            underWay[kind, default: 0] += 1
            refused[kind] = nil
            return true
        }
        refused[kind] = [
            own[kind]?.instant(leaving: 0, at: now),
            shared.instant(leaving: reserve(kind), at: now),
        ].compactMap(\.self).min()
        return false
    }

    /// A request that was admitted has come to its end.
    public mutating func finished(_ kind: Class, _ outcome: Outcome, at now: Instant) {
        settle(at: now)
        if kind != .lease { underWay[kind] = max((underWay[kind] ?? 0) - 1, 0) }
        guard case .failed(let failure) = outcome, let wait = pause(after: failure) else {
            // An answer to what was sent before the pause began says nothing against it.
            if pausedUntil == nil { pace.reset() }
            return
        }
        guard kind != .lease else { return }
        isPauseOurs = failure.code == nil && (isPauseOurs || pausedUntil == nil)
        pausedUntil = max(pausedUntil ?? now, now + wait)
    }

    /// The server has answered somebody else of this process: a pause that was for a server which
    /// could not be reached is over. One that the server asked for goes on.
    public mutating func serverReached(at now: Instant) {
        settle(at: now)
        guard pausedUntil != nil, isPauseOurs else { return }
        pausedUntil = nil
        refused = refused.mapValues { min($0, now) }
    }

    /// When something that was refused may be admitted, if no request finishes before; `nil` when
    /// nothing was refused, or only the end of a request helps. It is forgotten with the next call
    /// at or after that instant, so whoever waits has to ask again then. It may also come nearer:
    /// with every class that is refused, and with ``serverReached(at:)``.
    public var nextDeadline: Instant? { refused.values.min() }

    /// Takes notice of the time.
    private mutating func settle(at now: Instant) {
        if let pausedUntil, now >= pausedUntil { self.pausedUntil = nil }
        refused = refused.filter { $0.value > now }
    }

    private func hasPlace(_ kind: Class) -> Bool {
        let (mine, all) = (underWay[kind] ?? 0, underWay.values.reduce(0, +))
        return switch kind {
        case .lease: true
        case .allocation: mine < settings.inFlight - 2
        case .status: mine == 0 || all < settings.inFlight * 3 / 4
        case .event: mine == 0 || all < settings.inFlight / 2
        }
    }

    /// How many tokens of the shared bucket a class leaves to the others.
    private func reserve(_ kind: Class) -> Int64 {
        switch kind {
        case .lease, .allocation: 0
        case .status: Int64(settings.burst + 3) / 4
        case .event: Int64(settings.burst + 1) / 2
        }
    }

    /// How long nobody is to ask for anything; `nil` when the failure is about the request alone.
    private mutating func pause(after failure: APIFailure) -> Duration? {
        switch failure {
        case .credentials, .malformed: return nil
        case .transport, .timeout:
            // Requests that were under way together fail together: that is one failure.
            return pausedUntil == nil ? pace.wait(spread: .milliseconds(100)) : .zero
        case .status(let status):
            guard [429, 503].contains(status.code) || status.retryAfterSeconds != nil else {
                return nil
            }
            let wait = pausedUntil == nil ? pace.wait(spread: .milliseconds(500)) : .zero
            let seconds = min(max(status.retryAfterSeconds ?? 1, 0), ListWatch.maximumRetryAfter)
            let asked = Duration.seconds(seconds)
            return max(wait, asked + pace.moment(within: asked / 4))
        }
    }
}
