import NetworkTypes

extension Announcer {
    /// The times of the machine.
    ///
    /// RFC 5227 §1.1 spreads probing over 4 to 9 s, for hosts that boot together on a network of
    /// unknown speed. Here the addresses are an operator's, the switch ports forward already, and a
    /// Service waits: a LAN answers within a millisecond, and three questions 50 ms apart outlast
    /// the loss of two. The limits that protect the LAN from us are those of the RFC.
    public enum Timing {
        /// How many probes go out (PROBE_NUM).
        public static let probes = 3

        /// From one probe to the next, and from the last to the first use (PROBE_MIN,
        /// ANNOUNCE_WAIT).
        public static let probeInterval = Duration.milliseconds(50)

        /// From each announcement of the opening burst to the next: sent at 0, 0.1, 0.5 and 1.6 s.
        ///
        /// The first moves the traffic; two more follow quickly because a single broadcast is
        /// easily lost; the last comes after the one second for which Linux neighbors lock an entry
        /// that they just refreshed.
        public static let announcementGaps: [Duration] = [
            .milliseconds(100), .milliseconds(400), .milliseconds(1100),
        ]

        /// The least time between two defences of one address (DEFEND_INTERVAL).
        public static let defendInterval = Duration.seconds(10)

        /// The least time between two reports about one address.
        public static let reportInterval = Duration.seconds(1)

        /// From a stranger's claim to the next round of probing: doubled for each lost round, up to
        /// ``longestRetry`` (RATE_LIMIT_INTERVAL), and up to a quarter longer by address and
        /// interface, so that two machines that probe for the same address do not meet again.
        public static let firstRetry = Duration.seconds(10)

        /// The longest wait after a stranger's claim, before spreading.
        public static let longestRetry = Duration.seconds(60)

        /// From a peer's claim to the next round of probing, doubled for each up to
        /// ``longestYield``: the peer is about to let go.
        public static let firstYield = Duration.milliseconds(100)

        /// The longest wait for a peer.
        public static let longestYield = Duration.seconds(1)

        /// The shortest interval of announcements while nothing changes.
        public static let shortestReannouncement = Duration.seconds(1)

        /// How many questions a takeover check asks. Two, because one lost frame must not make two
        /// owners.
        public static let checkProbes = 2

        /// From one question of the check to the next, and from the last to the first use: many
        /// times what an answer takes on a LAN, also from a busy machine.
        public static let checkInterval = Duration.milliseconds(5)

        /// From the check of another speaker, which goes first, to the next own one: by then it
        /// has finished, and answers.
        public static let checkYield = Duration.milliseconds(20)

        /// From the answer of a speaker that was said to be gone to the next check: doubled for
        /// each, up to ``longestHold``, and up to a quarter longer by address.
        public static let firstHold = Duration.milliseconds(250)

        /// The longest wait between two checks, before spreading.
        public static let longestHold = Duration.seconds(4)

        /// From the claim of another interface of this node to the next check, doubled for each, up
        /// to ``longestStandby``. That interface going down is an event, and ends the wait.
        public static let firstStandby = Duration.seconds(1)

        /// The longest wait between two checks of an address that another interface has.
        public static let longestStandby = Duration.seconds(4)

        /// The least time between two questions for the node address of a former owner.
        public static let ownerInterval = Duration.milliseconds(100)

        /// While isolated and deaf: between two rounds of questions, in the first
        /// ``hearingHaste``; after that ``hearingPatience``.
        public static let hearingInterval = Duration.milliseconds(100)

        /// How long a deaf node asks every ``hearingInterval``.
        public static let hearingHaste = Duration.seconds(2)

        /// Between two rounds of questions later on.
        public static let hearingPatience = Duration.seconds(1)

        /// How long a deaf node that may well be the only one left waits before it takes over
        /// without proof.
        public static let aloneWait = Duration.seconds(1)

        /// The least time between two stations that are remembered to be asked later.
        static let sightingInterval = Duration.milliseconds(10)

        /// The least time between two checks of what is in use.
        public static let recheckInterval = Duration.seconds(2)

        static func backoff(_ first: Duration, _ longest: Duration, rounds: Int) -> Duration {
            min(first * (1 << min(max(rounds - 1, 0), 16)), longest)
        }
    }
}
