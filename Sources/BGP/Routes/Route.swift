/// What we want to say of a prefix, before any session gives it a form (RFC 4271 §5).
public struct Route: Hashable, Sendable {
    /// LOCAL_PREF, for peers of our own AS; `nil` for the usual 100.
    public var localPreference: UInt32?
    /// In ascending order, each once.
    public private(set) var communities: [StandardCommunity]
    /// In ascending order, each once.
    public private(set) var largeCommunities: [LargeCommunity]

    /// Makes a route; communities may come in any order and more than once.
    public init(
        localPreference: UInt32? = nil, communities: some Sequence<StandardCommunity> = [],
        largeCommunities: some Sequence<LargeCommunity> = []
    ) {
        self.localPreference = localPreference
        self.communities = Self.ordered(communities)
        self.largeCommunities = Self.ordered(largeCommunities)
    }

    /// The same route with one community more, as for a graceful shutdown (RFC 8326 §4).
    public func adding(_ community: StandardCommunity) -> Route {
        Route(
            localPreference: localPreference, communities: communities + [community],
            largeCommunities: largeCommunities)
    }

    /// The same route as one that is about to go (RFC 8326 §4.2): marked for everybody, and for our
    /// own AS with the lowest preference.
    public var goingAway: Route {
        var route = adding(.gracefulShutdown)
        route.localPreference = 0
        return route
    }

    private static func ordered<Value: Comparable>(_ values: some Sequence<Value>) -> [Value] {
        var ordered: [Value] = []
        for value in values.sorted() where ordered.last != value { ordered.append(value) }
        return ordered
    }
}
