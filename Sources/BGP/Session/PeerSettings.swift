/// How a session with a peer is to be held: values only, however they were configured.
public struct PeerSettings: Hashable, Sendable {
    /// Which AS the peer may be of.
    public enum RemoteAS: Hashable, Sendable {
        /// This one.
        case number(UInt32)
        /// Our own.
        case sameAsOurs
        /// Any but our own.
        case anyOther
    }

    /// Graceful restart as we offer it (RFC 4724).
    public struct GracefulRestart: Hashable, Sendable {
        /// How long the peer is to wait for us, 1–4095 seconds.
        public var time: UInt16
        /// Whether this process follows one that may have had sessions: R and F bits of the first
        /// OPEN that leads to a session.
        public var isRestarting: Bool

        /// Makes an offer.
        public init(time: UInt16, isRestarting: Bool) {
            self.time = time
            self.isRestarting = isRestarting
        }
    }

    /// Our AS number as the peer sees it, not 0.
    public var localAS: UInt32
    /// Which AS the peer may be of.
    public var remoteAS: RemoteAS
    /// Our BGP Identifier, not 0.
    public var routerID: UInt32
    /// Hold time that we propose, seconds: 0 or 3–65535 (RFC 4271 §4.2).
    public var holdTime: UInt16 = 90
    /// Our keepalive interval, seconds; a third of the agreed hold time where that is less.
    public var keepaliveTime: UInt16 = 30
    /// The first wait after a failure, before back-off and jitter (ConnectRetryTime), seconds.
    public var connectRetryTime: UInt16 = 5
    /// Whether to wait for the peer to connect.
    public var isPassive = false
    /// The families of the routes that we may send.
    public var families: Set<RouteFamily> = [.ipv4]
    /// Whether to offer multiprotocol capabilities; without, only IPv4 unicast is spoken.
    public var offersMultiprotocol = true
    /// Whether to offer IPv6 next hops of IPv4 routes (RFC 8950).
    public var offersExtendedNextHop = false
    /// Graceful restart, if it is to be offered.
    public var gracefulRestart: GracefulRestart?
    /// Who we are to the peer (RFC 9234).
    public var role: PeerRole?
    /// Told to the peer when we end the session (RFC 9003), at most 255 bytes of UTF-8.
    public var shutdownMessage = ""
    /// Prefixes that the peer may announce before the session is ended; `nil` for any number.
    public var prefixLimit: Int?

    /// Makes settings with the defaults.
    public init(localAS: UInt32, remoteAS: RemoteAS, routerID: UInt32) {
        self.localAS = localAS
        self.remoteAS = remoteAS
        self.routerID = routerID
    }
}

/// What both ends of a session have agreed on.
public struct SessionParameters: Hashable, Sendable {
    /// The peer's AS number.
    public var remoteAS: UInt32
    /// The peer's BGP Identifier.
    public var remoteRouterID: UInt32
    /// Whether the peer is of our own AS.
    public var isInternal: Bool
    /// Agreed hold time, seconds; 0: never expires.
    public var holdTime: UInt16
    /// Our keepalive interval, seconds; 0 with hold time 0.
    public var keepaliveTime: UInt16
    /// Families that both speak.
    public var families: Set<RouteFamily>
    /// Whether both speak AS numbers of four octets.
    public var hasFourOctetAS: Bool
    /// Whether the peer understands ROUTE-REFRESH.
    public var hasRouteRefresh: Bool
    /// Whether both mark the beginning and end of a refresh.
    public var hasEnhancedRouteRefresh: Bool
    /// 4096, or 65535 where both can.
    public var maximumLength: Int
    /// Families whose routes may have IPv6 next hops although they are of IPv4.
    public var extendedNextHop: Set<RouteFamily>
    /// The peer's graceful restart capability, where both offered it.
    public var gracefulRestart: Capability.GracefulRestart?
    /// Whether NOTIFICATIONs keep routes, because both offered the N bit (RFC 8538).
    public var keepsOnNotification: Bool
    /// The peer's role, where both told theirs.
    public var remoteRole: PeerRole?
    /// What the peer offered, as it came, for people to look at.
    public var offered: [Capability]

    /// Makes parameters of a session without any capability.
    public init(
        remoteAS: UInt32, remoteRouterID: UInt32, isInternal: Bool, holdTime: UInt16,
        keepaliveTime: UInt16
    ) {
        self.remoteAS = remoteAS
        self.remoteRouterID = remoteRouterID
        self.isInternal = isInternal
        self.holdTime = holdTime
        self.keepaliveTime = keepaliveTime
        families = [.ipv4]
        hasFourOctetAS = false
        hasRouteRefresh = false
        hasEnhancedRouteRefresh = false
        maximumLength = 4096
        extendedNextHop = []
        keepsOnNotification = false
        offered = []
    }
}
