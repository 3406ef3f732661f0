import NetworkTypes

/// The last things that happened, to be read by a person when something went wrong.
package struct Trace: Sendable {
    /// How many lines are kept.
    package let capacity: Int
    private var lines: [(at: Instant, text: String)] = []
    private var oldest = 0
    private var total = 0

    /// Keeps the last `capacity` lines; none at all for 0, which costs nothing either.
    package init(capacity: Int) {
        self.capacity = capacity
    }

    /// Adds a line. The text is made only when it is kept.
    package mutating func note(_ text: @autoclosure () -> String, at now: Instant) {
        guard capacity > 0 else { return }
        total += 1
        if lines.count < capacity {
            lines.append((now, text()))
        } else {
            lines[oldest] = (now, text())
            oldest = (oldest + 1) % capacity
        }
    }

    /// The lines from the oldest to the newest, each with its time in milliseconds.
    package var text: String {
        let left = total - lines.count
        let kept = lines.indices.map { index in
            let line = lines[(oldest + index) % lines.count]
            return "\(line.at.inMilliseconds.padded(to: 12)) ms  \(line.text)"
        }
        return (left > 0 ? ["(\(left) earlier lines left out)"] + kept : kept)
            .joined(separator: "\n")
    }
}

extension Instant {
    /// Milliseconds with three decimals.
    package var inMilliseconds: String { Duration.nanoseconds(nanoseconds).inMilliseconds }
}

extension Duration {
    /// Milliseconds with three decimals.
    package var inMilliseconds: String {
        let microseconds = wholeNanoseconds / 1000
        let decimals = String(abs(microseconds % 1000))
        return "\(microseconds / 1000)."
            + String(repeating: "0", count: 3 - decimals.count) + decimals
    }
}

extension String {
    func padded(to width: Int) -> String {
        String(repeating: " ", count: max(width - count, 0)) + self
    }
}
