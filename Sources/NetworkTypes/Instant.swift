/// A point on the monotonic clock, in nanoseconds since an arbitrary start (boot, on Linux).
///
/// Ring 1 takes time only as an argument of this type, so tests and simulations own the clock.
public struct Instant: Hashable, Comparable, Sendable {
    /// Nanoseconds since the clock's start.
    public let nanoseconds: Int64

    /// Makes an instant from nanoseconds since the clock's start.
    @inlinable public init(nanoseconds: Int64) {
        self.nanoseconds = nanoseconds
    }

    /// Earlier before later.
    @inlinable public static func < (left: Instant, right: Instant) -> Bool {
        left.nanoseconds < right.nanoseconds
    }

    /// The instant `interval` later, saturating at the ends of the clock.
    @inlinable public static func + (instant: Instant, interval: Duration) -> Instant {
        let (sum, overflow) = instant.nanoseconds.addingReportingOverflow(interval.wholeNanoseconds)
        return Instant(nanoseconds: overflow ? (interval < .zero ? .min : .max) : sum)
    }

    /// The instant `interval` earlier, saturating at the ends of the clock.
    @inlinable public static func - (instant: Instant, interval: Duration) -> Instant {
        instant + (Duration.zero - interval)
    }

    /// The time from `earlier` to `later`; negative when they are the other way round.
    @inlinable public static func - (later: Instant, earlier: Instant) -> Duration {
        .nanoseconds(later.nanoseconds) - .nanoseconds(earlier.nanoseconds)
    }
}

extension Duration {
    /// The duration in whole nanoseconds, saturating at ±292 years.
    @inlinable public var wholeNanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let (scaled, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, overflow2) = scaled.addingReportingOverflow(attoseconds / 1_000_000_000)
        return overflow || overflow2 ? (seconds < 0 ? .min : .max) : sum
    }
}
