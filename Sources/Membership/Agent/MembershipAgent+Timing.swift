import NetworkTypes

extension MembershipAgent {
    /// The times of the machine. Those that can be set are for tests and simulations; the defaults
    /// are meant for a LAN and adapt to it by themselves.
    public struct Timing: Equatable, Sendable {
        /// From one beat to the next.
        let beat: Int64
        /// Silence below this is never death.
        let leastSilence: Int64

        /// Makes times.
        public init(
            beatInterval: Duration = .milliseconds(20),
            leastSilence: Duration = .milliseconds(60)
        ) {
            beat = max(beatInterval.wholeNanoseconds, 1_000_000)
            self.leastSilence = max(leastSilence.wholeNanoseconds, 1_000_000)
        }

        static let millisecond: Int64 = 1_000_000

        /// Silence from which on a member is asked directly, and others about it.
        var overdue: Int64 { beat * 3 / 2 }
        /// The same for what it says of hearing us, which is a beat older when we learn it.
        var reverseOverdue: Int64 { beat * 5 / 2 }
        /// Between direct pings, and between inquiries, while a member is in doubt.
        let ping = 8 * millisecond
        let inquiry = 16 * millisecond
        /// The same when others hear the member well: then our link is bad, and that will last.
        let slowPing = 100 * millisecond
        /// How long others must have refuted our doubt until the link is called bad.
        let badLink = 1_000 * millisecond
        /// From when on a ping is unanswered, beside twice the round trip.
        let pingWait = 5 * millisecond
        /// Silence from which on a member is dead no matter how irregular it was, if the evidence
        /// suffices.
        let longestPatience = 500 * millisecond
        /// How long a testimony counts.
        let testimony = 60 * millisecond
        let slowTestimony = 300 * millisecond

        /// How long a session outlasts the rings' need for it.
        let linger = 1_000 * millisecond
        /// Between pings to members without a session (SWIM's protocol period).
        let probe = 1_000 * millisecond
        /// Between rounds of pings to the dead.
        let deadPing = 200 * millisecond
        /// Between pings to seeds that are not known to live.
        let seedPing = 1_000 * millisecond
        /// Between the words of a goodbye.
        let goodbye = 5 * millisecond

        /// How far ahead of our last wake-up the permit to answer reaches.
        let authority = 50 * millisecond
        /// Not having run for longer than this puts the permit into question.
        let pause = 40 * millisecond
        /// How long nobody may answer, after a pause and at the start, until we go on alone.
        let reassessAlone = 200 * millisecond
        let startAlone = 250 * millisecond
        /// When answers came, but stores do not become equal: then too many changes are under way
        /// to wait for a quiet moment.
        let reassessAtMost = 1_000 * millisecond

        /// How long stores may differ before digests are exchanged, how soon again, and how rarely
        /// when that changed nothing.
        let storeDiffers = 40 * millisecond
        let exchange = 60 * millisecond
        let longestExchange = 5_000 * millisecond
        /// How long views of the members may differ before all is told, and how soon again.
        let rosterDiffers = 60 * millisecond
        let rosterPush = 1_000 * millisecond

        /// How long the dead are remembered, and how long after that nobody may bring them back.
        let memory = 3_600_000 * millisecond
        let grave = 600_000 * millisecond
        let housekeeping = 5_000 * millisecond

        /// Evidence in nats: to say that a member is suspected, to call it dead when another
        /// watcher misses it too, and to call it dead when nobody can be asked.
        let suspicionNats = 9.0
        let verdictNats = 18.0
        let loneVerdictNats = 30.0
    }
}

extension Instant {
    /// In plain integers: the path of every beat adds and compares times only so.
    func after(_ nanoseconds: Int64) -> Instant {
        Instant(nanoseconds: self.nanoseconds &+ nanoseconds)
    }

    func since(_ earlier: Instant) -> Int64 { nanoseconds &- earlier.nanoseconds }
}
