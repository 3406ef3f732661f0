/// Figures of what a peer is told, for status and metrics.
public struct OutboundCounts: Hashable, Sendable {
    /// Figures of one address family.
    public struct Family: Hashable, Sendable {
        /// Prefixes that the peer is to have.
        public var wanted = 0
        /// Prefixes that the peer has been told of.
        public var told = 0
        /// Prefixes of which something is still to be said.
        public var pending = 0
        /// Prefixes that are wanted and cannot be told; see ``RouteObstacle``.
        public var obstructed = 0
        /// Prefixes announced since the beginning, over all sessions.
        public var announcements: UInt64 = 0
        /// Prefixes withdrawn since the beginning, over all sessions.
        public var withdrawals: UInt64 = 0
        /// UPDATE messages since the beginning, End-of-RIB among them.
        public var updates: UInt64 = 0
        /// Requests for everything again that were served or are being served.
        public var refreshes: UInt64 = 0

        /// Nothing yet.
        public init() {}
    }

    /// IPv4 unicast.
    public var ipv4 = Family()
    /// IPv6 unicast.
    public var ipv6 = Family()

    /// Nothing yet.
    public init() {}

    /// UPDATE messages of both families.
    public var updates: UInt64 { ipv4.updates + ipv6.updates }
    /// Prefixes of both families that the peer has been told of.
    public var told: Int { ipv4.told + ipv6.told }
    /// Prefixes of both families of which something is still to be said.
    public var pending: Int { ipv4.pending + ipv6.pending }
}
