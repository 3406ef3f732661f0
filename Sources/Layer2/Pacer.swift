import NetworkTypes

/// A bound on events in any window of time: it remembers when the last `limit` of them were, and
/// admits the next one when the oldest has left the window.
struct Pacer: Equatable, Sendable {
    static let window = Duration.milliseconds(20)

    private var times: [Instant]
    private var next = 0

    /// - Precondition: `limit` is positive.
    init(limit: Int) {
        precondition(limit > 0)
        times = Array(repeating: Instant(nanoseconds: .min), count: limit)
    }

    /// Whether `count` more can happen now.
    func admits(_ count: Int, at now: Instant) -> Bool { earliest(count) <= now }

    /// The earliest instant at which `count` more can happen.
    func earliest(_ count: Int) -> Instant {
        let oldest = times[(next + count - 1) % times.count]
        return oldest.nanoseconds == .min ? oldest : oldest + Self.window
    }

    mutating func count(at now: Instant) {
        times[next] = now
        next = (next + 1) % times.count
    }
}
