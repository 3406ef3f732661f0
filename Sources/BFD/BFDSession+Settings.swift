extension BFDSession {
    /// Who speaks first (RFC 5880 §6.1).
    public enum Role: Hashable, Sendable {
        /// This end sends whether or not it has heard the other.
        case active
        /// This end waits for the other's first packet.
        case passive
    }

    /// How a session is to be held. Intervals are microseconds; one below a millisecond counts as
    /// a millisecond.
    public struct Settings: Hashable, Sendable {
        /// The Echo function on our side (§6.4).
        public struct Echo: Hashable, Sendable {
            /// The interval at which echo packets are sent where the other end takes them; `nil`
            /// to send none.
            public var transmitInterval: UInt32?
            /// The least interval of the other end's echo packets that this host sends back; 0 for
            /// none, which tells the other end not to send any.
            public var requiredMinReceive: UInt32

            /// Makes settings of the Echo function.
            public init(transmitInterval: UInt32?, requiredMinReceive: UInt32) {
                self.transmitInterval = transmitInterval
                self.requiredMinReceive = requiredMinReceive
            }
        }

        /// Who speaks first.
        public var role = Role.active
        /// The interval at which to send while the session is up.
        public var desiredMinTransmit: UInt32 = 300_000
        /// The least interval at which packets are to come.
        public var requiredMinReceive: UInt32 = 300_000
        /// Packets the other end may miss before it calls the session down, 1–255.
        public var detectMultiplier: UInt8 = 3
        /// The Echo function; a multihop session has none (RFC 5883 §3).
        public var echo: Echo?
        /// Whether routers may lie between both ends (RFC 5883).
        public var isMultihop = false
        /// The least hop limit that is accepted: 255 on a single hop (RFC 5881 §5), where only a
        /// neighbor can send it.
        public var minimumTimeToLive: UInt8 = 255
        /// How packets prove who sent them.
        public var authentication: BFDAuthentication?
        /// Whether this session goes on when the control plane restarts (C). Not true of a session
        /// that lives in the process that speaks BGP.
        public var isControlPlaneIndependent = false

        /// Makes settings with the defaults.
        public init() {}
    }

    static let shortestInterval: UInt32 = 1_000
    /// The pace of a session that is not up, or whose echo packets detect (§6.8.3).
    static let slowInterval: UInt32 = 1_000_000
}
