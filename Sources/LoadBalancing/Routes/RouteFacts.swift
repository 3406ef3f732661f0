public import NetworkTypes

/// Everything that routes are planned from.
public struct RouteFacts: Equatable, Sendable {
    /// The nodes, by name.
    public var nodes: [String: NodeFacts]
    /// The BGP advertisements, by name.
    public var offers: [String: RouteOffer]
    /// The routers, by name.
    public var peers: [String: RoutePeer]
    /// The addresses in use.
    public var demands: [IPAddress: RouteDemand]

    /// Makes facts; left out, nothing is known.
    public init(
        nodes: [String: NodeFacts] = [:], offers: [String: RouteOffer] = [:],
        peers: [String: RoutePeer] = [:], demands: [IPAddress: RouteDemand] = [:]
    ) {
        self.nodes = nodes
        self.offers = offers
        self.peers = peers
        self.demands = demands
    }

    /// What is different from facts that the receiver has.
    public struct Change: Equatable, Sendable {
        /// All nodes, if any differs.
        public var nodes: [String: NodeFacts]?
        /// All offers, if any differs.
        public var offers: [String: RouteOffer]?
        /// All peers, if any differs.
        public var peers: [String: RoutePeer]?
        /// The addresses whose demand differs; `nil` for those out of use.
        public var demands: [IPAddress: RouteDemand?]

        /// Makes a change; left out, nothing differs.
        public init(
            nodes: [String: NodeFacts]? = nil, offers: [String: RouteOffer]? = nil,
            peers: [String: RoutePeer]? = nil, demands: [IPAddress: RouteDemand?] = [:]
        ) {
            self.nodes = nodes
            self.offers = offers
            self.peers = peers
            self.demands = demands
        }

        /// Whether nothing differs.
        public var isEmpty: Bool {
            nodes == nil && offers == nil && peers == nil && demands.isEmpty
        }
    }

    /// Takes in what is different.
    public mutating func apply(_ change: Change) {
        if let nodes = change.nodes { self.nodes = nodes }
        if let offers = change.offers { self.offers = offers }
        if let peers = change.peers { self.peers = peers }
        for (address, demand) in change.demands { demands[address] = demand }
    }
}
