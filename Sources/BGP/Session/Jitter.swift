import NetworkTypes

/// Spreads timers, so that peers that started together do not go on together (RFC 4271 §10).
///
/// Random numbers from a seed (SplitMix64), so that a run can be repeated.
struct Jitter: Sendable {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    /// A fresh seed for another generator.
    mutating func seed() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }

    /// 0.75 to 1.0 times the duration.
    mutating func spread(_ duration: Duration) -> Duration {
        let quarter = duration.wholeNanoseconds / 4
        guard quarter > 0 else { return duration }
        return duration - .nanoseconds(Int64(seed() % UInt64(quarter + 1)))
    }
}
