import NetworkTypes

/// How long nothing is sent after failures: longer after each, or as the server asks.
struct RequestPause: Sendable {
    private var pace: RetryPace
    /// Until when nothing is sent; `nil` without a pause.
    private(set) var until: Instant?

    init(seed: UInt64) { pace = RetryPace(seed: seed) }

    func allows(_ now: Instant) -> Bool { until.map { $0 <= now } ?? true }

    mutating func reset() {
        pace.reset()
        until = nil
    }

    /// - Parameter asked: what the server asks for, in seconds; it counts up to an hour.
    mutating func extend(at now: Instant, asked: Int?) {
        let wanted = Duration.seconds(min(max(asked ?? 0, 0), 3600))
        // Not all at the very second that the server named to all of them.
        let late = pace.moment(within: wanted / 4)
        until = now + max(pace.wait(spread: .seconds(1)), wanted + late)
    }
}

extension APIFailure {
    /// How long the server asks to be left alone, in seconds.
    var retryAfterSeconds: Int? {
        if case .status(let status) = self { status.retryAfterSeconds } else { nil }
    }

    /// In a few words.
    var summary: String {
        switch self {
        case .status(let status):
            status.message.isEmpty
                ? "the server answered \(status.code) \(status.reason)" : status.message
        case .transport(let text), .timeout(let text), .credentials(let text),
            .malformed(let text):
            text
        }
    }

    /// Whether an object could not be made because its namespace is on its way out.
    var isAboutNamespace: Bool {
        guard case .status(let status) = self else { return false }
        return status.message.contains("being terminated")
    }
}
