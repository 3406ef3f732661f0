public import NetworkTypes

/// What one node tells each of its routers, and for everything else, why not.
public struct RoutePlan: Equatable, Sendable {
    /// The node that the plan is for.
    public let node: String
    /// What it was made from.
    public let facts: RouteFacts
    /// The routes for each peer that has any, by the peer's name.
    public let routes: [String: [Prefix: PlannedRoute]]
    private let frame: RouteFrame

    init(frame: RouteFrame, facts: RouteFacts, routes: [String: [Prefix: PlannedRoute]]) {
        node = frame.node
        self.facts = facts
        self.frame = frame
        self.routes = routes
    }

    /// Plans from scratch. Whoever plans again and again keeps a ``RoutePlanner``.
    public static func make(
        node: String, nodes: [String: NodeFacts], offers: [String: RouteOffer],
        peers: [String: RoutePeer], demands: [IPAddress: RouteDemand]
    ) -> RoutePlan {
        let facts = RouteFacts(nodes: nodes, offers: offers, peers: peers, demands: demands)
        return RoutePlanner(node: node, facts: facts).plan
    }

    /// What becomes of the address towards each peer there is.
    public func verdicts(for address: IPAddress) -> [String: RouteVerdict] {
        facts.verdicts(for: address, in: frame) { block, peer in routes[peer]?[block] }
    }

    /// The addresses in use that make a route for the peer, ascending.
    public func addresses(behind prefix: Prefix, to peer: String) -> [IPAddress] {
        facts.addresses(behind: prefix, from: node, to: peer)
    }
}
