import NetworkTypes

/// What an established session means for the form of what we say in it.
public struct OutboundSession: Hashable, Sendable {
    /// What both ends agreed on.
    public var parameters: SessionParameters
    /// Our AS number as the peer sees it.
    public var localAS: UInt32
    /// Where traffic is to go, by the family of the routes. A family without is not told.
    public var nextHops: [RouteFamily: NextHop]
    /// Who we are to the peer, if configured; in force whether or not the peer told its role
    /// (RFC 9234 §4.2).
    public var role: PeerRole?
    /// Whether every route is told as one that is about to go.
    var isGoingAway = false

    /// Describes a session.
    public init(
        parameters: SessionParameters, localAS: UInt32, nextHops: [RouteFamily: NextHop],
        role: PeerRole? = nil
    ) {
        self.parameters = parameters
        self.localAS = localAS
        self.nextHops = nextHops
        self.role = role
    }

    /// Why no route of `family` can be told; `nil` when they can.
    public func obstacle(for family: RouteFamily) -> RouteObstacle? {
        guard parameters.families.contains(family) else { return .familyNotAgreed }
        guard let nextHop = nextHops[family] else { return .noNextHop }
        if nextHop.address.family == family.addressFamily { return nil }
        // RFC 8950 §4: only IPv4 routes have next hops of the other family, and only when agreed.
        return family == .ipv4 && parameters.extendedNextHop.contains(family)
            ? nil : .nextHopNotUnderstood
    }
}

/// Why a route that is wanted is not told to a peer.
public enum RouteObstacle: Hashable, Sendable {
    /// There is no session.
    case noSession
    /// The peer does not speak the family, or we do not offer it.
    case familyNotAgreed
    /// We have no address of the family towards this peer.
    case noNextHop
    /// The next hop is of another family than the route, and the peer does not take that.
    case nextHopNotUnderstood
    /// The attributes leave no room for a prefix in a message of the agreed length.
    case attributesTooLong
}

extension RouteObstacle: CustomStringConvertible {
    /// The reason and what can be done about it, for people.
    public var description: String {
        switch self {
        case .noSession:
            "there is no session with the peer"
        case .familyNotAgreed:
            "the peer and we have not agreed on this address family; let both offer it"
        case .noNextHop:
            "this node has no address of the family towards the peer to give as next hop"
        case .nextHopNotUnderstood:
            "the peer takes no next hop of the other address family (RFC 8950); "
                + "give this node an address of the route's family, or let the peer offer it"
        case .attributesTooLong:
            "the route's communities do not fit a message; use fewer"
        }
    }
}
