import NetworkTypes

/// When the regular duties are due.
struct Schedule: Sendable {
    var beat: Instant
    var probe: Instant
    var deadPing: Instant
    var seedPing: Instant
    var housekeeping: Instant
    var goodbye: Instant?
    /// The earliest step of a session in doubt.
    var doubt: Instant?
    var bulk: Instant?

    /// The first duties are spread by our identifier: nodes often start together.
    init(at now: Instant, timing: MembershipAgent.Timing, spread: UInt64) {
        let share = Int64(truncatingIfNeeded: spread.mixed & 0xffff)
        func first(_ interval: Int64) -> Instant { now.after(interval * (share + 1) / 65_536) }
        beat = first(timing.beat)
        probe = first(timing.probe)
        deadPing = first(timing.deadPing)
        seedPing = first(timing.seedPing)
        housekeeping = now.after(timing.housekeeping)
    }

    var earliest: Instant {
        var earliest = min(min(beat, probe), min(deadPing, min(seedPing, housekeeping)))
        if let goodbye { earliest = min(earliest, goodbye) }
        if let doubt { earliest = min(earliest, doubt) }
        if let bulk { earliest = min(earliest, bulk) }
        return earliest
    }

    /// The next turn of a duty, without making up for those that were missed.
    static func advance(_ due: inout Instant, by interval: Int64, at now: Instant) {
        due = due.after(interval)
        if due <= now { due = now.after(interval) }
    }
}
