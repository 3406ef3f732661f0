/// How long to wait after a failure: twice as long every time, up to a bound.
struct BackOff: Sendable {
    /// Enough to spare a router that refuses us, and little enough for somebody who has just
    /// repaired it. A longer first wait is its own bound.
    static let bound: Duration = .seconds(120)

    private let first: Duration

    /// What the next failure will bring, before jitter.
    private(set) var wait: Duration

    init(first: Duration) {
        self.first = first
        wait = first
    }

    private var bound: Duration { max(Self.bound, first) }

    /// The wait after this failure.
    mutating func next() -> Duration {
        defer { wait = min(wait * 2, bound) }
        return wait
    }

    /// All is well again.
    mutating func reset() { wait = first }
}
