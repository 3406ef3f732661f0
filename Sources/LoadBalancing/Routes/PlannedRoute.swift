/// What a peer is told of one block.
public struct PlannedRoute: Hashable, Sendable {
    /// Told to peers of our own AS; `nil` leaves it to the session's default.
    public var localPreference: UInt32?
    /// The marks, ascending and without duplicates.
    public var communities: [RouteCommunity]
    /// The advertisements that make the route, ascending.
    public var advertisements: [String]
    /// Whether this node is to be relieved and announces it only because no other node can: the
    /// route should be told as one about to go (RFC 8326), so that any other is preferred.
    public var isLastResort: Bool

    /// Makes a route; the lists have to be in order.
    public init(
        localPreference: UInt32? = nil, communities: [RouteCommunity] = [],
        advertisements: [String] = [], isLastResort: Bool = false
    ) {
        self.localPreference = localPreference
        self.communities = communities
        self.advertisements = advertisements
        self.isLastResort = isLastResort
    }

    /// The route that an offer makes.
    init(_ offer: RouteOffer, named name: String, isLastResort: Bool) {
        self.init(
            localPreference: offer.localPreference, communities: offer.communities.sorted(),
            advertisements: [name], isLastResort: isLastResort)
    }

    /// The route that both make. Configuration gives one preference for one route; should blocks
    /// of different pools meet all the same, the highest counts, on every node.
    func united(with other: PlannedRoute) -> PlannedRoute {
        guard self != other else { return self }
        return PlannedRoute(
            localPreference: [localPreference, other.localPreference].compactMap(\.self).max(),
            communities: Set(communities).union(other.communities).sorted(),
            advertisements: Set(advertisements).union(other.advertisements).sorted(),
            isLastResort: isLastResort && other.isLastResort)
    }
}
