import NetworkTypes

/// A node's monotonic clock: it began some time before the simulation, and runs a little fast or
/// slow.
package struct NodeClock: Hashable, Sendable {
    /// What it shows when the simulation begins, in nanoseconds.
    package let start: Int64
    /// How much it gains in a million of its own units; a quartz is within ±100.
    package let partsPerMillion: Int64

    /// A clock; left out, one that shows the simulation's own time.
    package init(start: Int64 = 0, partsPerMillion: Int64 = 0) {
        self.start = start
        self.partsPerMillion = partsPerMillion
    }

    /// What the clock shows at an instant of the simulation.
    @inline(__always)
    package func local(_ world: Instant) -> Instant {
        let elapsed = world.nanoseconds
        return Instant(nanoseconds: start + elapsed + elapsed * partsPerMillion / 1_000_000)
    }

    /// The first instant of the simulation at which the clock shows `local` or later; `nil` when
    /// that is further away than any simulation goes.
    package func world(_ local: Instant) -> Instant? {
        guard local.nanoseconds < Int64.max / 2 else { return nil }
        let gone = max(local.nanoseconds - start, 0)
        guard gone < Self.horizon else { return nil }
        var world = gone - gone * partsPerMillion / (1_000_000 + partsPerMillion)
        while world > 0, self.local(Instant(nanoseconds: world - 1)) >= local { world -= 1 }
        while self.local(Instant(nanoseconds: world)) < local { world += 1 }
        return Instant(nanoseconds: world)
    }

    /// A day.
    private static let horizon: Int64 = 86_400_000_000_000
}
