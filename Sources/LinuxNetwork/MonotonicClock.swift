import Glibc
import NetworkTypes

/// The clock that never jumps: `CLOCK_MONOTONIC`, nanoseconds since boot.
package enum MonotonicClock {
    /// The present instant.
    package static func now() -> Instant {
        var time = timespec()
        // Cannot fail: the clock exists on every Linux and the pointer is ours.
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return Instant(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }
}
