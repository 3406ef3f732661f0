import NetworkTypes

/// Admits so many in every window of time.
struct RateLimit: Sendable {
    let most: Int
    let window: Int64
    private var begin: Instant?
    private var count = 0

    init(most: Int, in window: Duration) {
        self.most = most
        self.window = window.wholeNanoseconds
    }

    mutating func admits(at now: Instant) -> Bool {
        if let begin, now.since(begin) < window {
            guard count < most else { return false }
            count += 1
        } else {
            begin = now
            count = 1
        }
        return true
    }
}
