import NetworkTypes

/// Tokens that come at a steady rate and are kept up to a number.
///
/// A token is 20 billion units, so that shares of a rate per second are whole units per nanosecond.
struct TokenBucket: Hashable, Sendable {
    /// Units per nanosecond that make one token a second.
    static let unitsPerRate: Int64 = 20
    private static let unitsPerToken = unitsPerRate * 1_000_000_000

    private let unitsPerNanosecond: Int64
    private let capacity: Int64
    private var units: Int64
    private var filled: Instant

    /// A full bucket. At most 100,000 tokens a second and in number, so that nothing overflows.
    init(unitsPerNanosecond: Int64, capacity tokens: Int64, at now: Instant) {
        self.unitsPerNanosecond = max(unitsPerNanosecond, 1)
        capacity = tokens * Self.unitsPerToken
        units = capacity
        filled = now
    }

    /// Takes a token if so many are left after it.
    mutating func take(at now: Instant, leaving reserve: Int64 = 0) -> Bool {
        fill(at: now)
        guard units >= (reserve + 1) * Self.unitsPerToken else { return false }
        units -= Self.unitsPerToken
        return true
    }

    /// When a token can be taken that leaves so many; `nil` when the bucket is too small for that.
    mutating func instant(leaving reserve: Int64, at now: Instant) -> Instant? {
        fill(at: now)
        let wanted = (reserve + 1) * Self.unitsPerToken
        guard wanted <= capacity else { return nil }
        let lacking = max(wanted - units, 0)
        return now + .nanoseconds((lacking + unitsPerNanosecond - 1) / unitsPerNanosecond)
    }

    private mutating func fill(at now: Instant) {
        let elapsed = (now - filled).wholeNanoseconds
        guard elapsed > 0 else { return }
        filled = now
        let time = (capacity - units) / unitsPerNanosecond
        units = elapsed > time ? capacity : units + elapsed * unitsPerNanosecond
    }
}
