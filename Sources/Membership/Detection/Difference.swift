import NetworkTypes

/// For how long two hashes, ours and a neighbour's, have differed, and what was done about it.
struct Difference: Sendable {
    private var ours: UInt32 = 0
    private var theirs: UInt32 = 0
    /// Since when the two values are these, and differ.
    private var since: Instant?
    /// Since when they have not been equal.
    private var unequalSince: Instant?
    private var actedAt: Instant?
    private var wait: Int64 = 0

    mutating func compare(_ ours: UInt32, _ theirs: UInt32, at now: Instant) {
        guard ours != theirs else {
            since = nil
            unequalSince = nil
            wait = 0
            return
        }
        unequalSince = unequalSince ?? now
        guard since == nil || ours != self.ours || theirs != self.theirs else { return }
        (self.ours, self.theirs) = (ours, theirs)
        since = now
        wait = 0
    }

    /// Whether something is to be done: when nothing has changed for `patience`, so that what is
    /// under way has arrived, or when there is no quiet moment for ten times as long.
    func isDue(after patience: Int64, at now: Instant) -> Bool {
        guard let since, let unequalSince else { return false }
        let idle = actedAt.map { now.since($0) } ?? .max
        if now.since(since) >= patience, idle >= wait { return true }
        return now.since(unequalSince) >= 10 * patience && idle >= max(wait, 10 * patience)
    }

    /// Something was done; if that changes neither value, it is done again ever more rarely.
    mutating func acted(at now: Instant, first: Int64, longest: Int64) {
        wait = min(max(wait * 2, first), longest)
        actedAt = now
    }
}
