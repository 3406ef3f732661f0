import Foundation
import Testing

/// The tests against a real kernel. One at a time: each makes a LAN of its own and measures times.
@Suite(.enabled(if: Ground.isReady, Ground.reason), .serialized)
struct RealNetwork {}

/// Prints a figure that a test measured, for the log of the run.
func report(_ what: String, _ seconds: Double) {
    print("measured: \(what) after \(Int((seconds * 1000).rounded())) ms")
}

/// Seconds since 1970, the clock that tcpdump prints.
func wallClock() -> Double { Date().timeIntervalSince1970 }
