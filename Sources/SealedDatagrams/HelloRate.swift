import NetworkTypes

/// Lets 200 hellos a second pass, and as many at once.
struct HelloRate: Sendable {
    private static let interval = Duration.milliseconds(5)
    private static let burst = Duration.seconds(1)

    // The time at which all that passed would have passed at an even rate.
    private var paidUntil: Instant?

    mutating func allows(at now: Instant) -> Bool {
        let start = max(paidUntil ?? now, now)
        guard start - now < Self.burst else { return false }
        paidUntil = start + Self.interval
        return true
    }
}
