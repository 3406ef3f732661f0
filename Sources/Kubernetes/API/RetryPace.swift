import NetworkTypes

/// How long to wait before another attempt: at once or within a spread the first time, and twice as
/// long every time after it, never at the same moment as others.
///
/// Random numbers from a seed (SplitMix64), so that a run can be repeated.
struct RetryPace: Hashable, Sendable {
    /// The wait before the second retry, before jitter.
    static let first: Duration = .milliseconds(800)
    /// The longest wait.
    static let bound: Duration = .seconds(30)

    private var random: UInt64
    /// Failures in succession.
    private(set) var failures = 0

    init(seed: UInt64) { random = seed }

    /// From nothing to this much, any of them.
    mutating func moment(within duration: Duration) -> Duration {
        let width = duration.wholeNanoseconds
        guard width > 0 else { return .zero }
        random &+= 0x9E37_79B9_7F4A_7C15
        var mixed = random
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        mixed ^= mixed >> 31
        return .nanoseconds(Int64(mixed % UInt64(width)))
    }

    /// The wait after one more failure: a half to the whole of 0.8 s · 2ⁿ, or of the spread where
    /// that is more, except the first.
    mutating func wait(spread: Duration) -> Duration {
        defer { failures = min(failures + 1, 64) }
        guard failures > 0 else { return moment(within: spread) }
        let whole = min(max(Self.first * (1 << min(failures - 1, 10)), spread), Self.bound)
        return whole / 2 + moment(within: whole / 2)
    }

    /// All is well again.
    mutating func reset() { failures = 0 }
}
