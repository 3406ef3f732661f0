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

        static func backoff(_ first: Duration, _ longest: Duration, rounds: Int) -> Duration {
            min(first * (1 << min(max(rounds - 1, 0), 16)), longest)
        }
    }
}
