import Glibc

/// The time of day, which may jump: for stamps that outlive the process, never for waiting.
package enum WallClock {
    /// Nanoseconds since 1970; a clock before that counts as being there.
    package static func nanosecondsSince1970() -> UInt64 {
        var time = timespec()
        // Cannot fail: the clock exists on every Linux and the pointer is ours.
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        return UInt64(max(0, Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)))
    }
}
