import NetworkTypes

/// What nodes, offers and peers mean for the routes of one node, whatever addresses there are.
///
/// Peers that are offered the same form an audience: they get the same routes, so that all work
/// and memory is spent once for them.
struct RouteFrame: Equatable, Sendable {
    /// Peers that get the same routes.
    struct Audience: Hashable, Sendable {
        /// The offers that name the node and these peers.
        var offers: Set<String>
        /// The families that their sessions carry.
        var families: Set<IPAddress.Family>
    }

    let node: String
    let offers: [String: RouteOffer]
    /// Why the node announces nothing; `nil` when it may.
    let refusal: LossReason?
    /// Why it announces only what others cannot; `nil` when it announces all it can.
    let relief: LossReason?
    /// The audiences.
    let audiences: [Audience]
    /// The audience of each peer that the node has a session with.
    let audienceOf: [String: Int]
    /// For a node that is to be relieved: the nodes that can stand in, by offer and family.
    let standIns: [String: [IPAddress.Family: Set<String>]]

    init(node: String, _ facts: RouteFacts) {
        self.node = node
        offers = facts.offers
        let nodes = Self.judged(facts)
        let own = nodes[node]
        refusal = own.map(\.hardExclusion) ?? .unknownNode
        relief = own?.relief

        var audiences: [Audience] = []
        var index: [Audience: Int] = [:]
        var audienceOf: [String: Int] = [:]
        // In order of names, so that equal facts give equal frames.
        for (name, peer) in facts.peers.sorted(by: { $0.key < $1.key })
        where peer.nodes.contains(node) {
            let offers = facts.offers.filter {
                $0.value.nodes.contains(node) && $0.value.peers.contains(name)
            }
            let audience = Audience(offers: Set(offers.keys), families: peer.families)
            let place = index[audience] ?? audiences.count
            if place == audiences.count {
                audiences.append(audience)
                index[audience] = place
            }
            audienceOf[name] = place
        }
        self.audiences = audiences
        self.audienceOf = audienceOf
        standIns = relief == nil ? [:] : Self.standIns(for: node, among: nodes, facts)
    }

    /// Readiness counts only while some node that has sessions, and no other fault, is ready: many
    /// turn NotReady together after the API server was away, and no route is withdrawn for that.
    private static func judged(_ facts: RouteFacts) -> [String: NodeFacts] {
        let isSomebodyReady = facts.nodes.contains { name, node in
            node.hardExclusion == nil && facts.peers.values.contains { $0.nodes.contains(name) }
        }
        return isSomebodyReady ? facts.nodes : facts.nodes.mapValues(\.ifReady)
    }

    /// The other nodes that may announce under each offer and have a session to do it over.
    private static func standIns(
        for own: String, among nodes: [String: NodeFacts], _ facts: RouteFacts
    ) -> [String: [IPAddress.Family: Set<String>]] {
        let able = nodes.filter { $0.key != own && $0.value.exclusion == nil }.keys
        return facts.offers.mapValues { offer in
            var nodes: [IPAddress.Family: Set<String>] = [:]
            let told = facts.peers.filter { offer.peers.contains($0.key) }.values
            for family in IPAddress.Family.allCases {
                let peers = told.filter { $0.families.contains(family) }
                nodes[family] = Set(
                    able.filter { name in
                        offer.nodes.contains(name)
                            && peers.contains { $0.nodes.contains(name) }
                    })
            }
            return nodes
        }
    }

    /// The other nodes that announce the address while this one is relieved.
    func standIns(for demand: RouteDemand, _ family: IPAddress.Family) -> Set<String> {
        var nodes: Set<String> = []
        for name in demand.advertisements { nodes.formUnion(standIns[name]?[family] ?? []) }
        switch demand.backing {
        case .cluster(hasUsableEndpoint: true): return nodes
        case .cluster: return []
        case .local(let local): return nodes.intersection(local)
        }
    }

    /// Why the node does not announce what is demanded, sessions and offers aside.
    func lack(of demand: RouteDemand) -> RouteRefusal? {
        switch demand.backing {
        case .cluster(hasUsableEndpoint: true): nil
        case .cluster(hasUsableEndpoint: false): .noUsableEndpoint
        case .local(let nodes):
            if nodes.contains(node) {
                nil
            } else {
                nodes.isEmpty ? .noUsableEndpoint : .noLocalEndpoint
            }
        }
    }

    /// Whether the node announces the address to whoever is offered it.
    func announces(_ demand: RouteDemand, _ family: IPAddress.Family) -> Bool {
        refusal == nil && lack(of: demand) == nil
            && (relief == nil || standIns(for: demand, family).isEmpty)
    }
}

/// What the addresses under one set of advertisements make: the same for all of them.
struct RouteTerms: Sendable {
    /// A block's length, and what is told of the block.
    struct Share: Sendable {
        let length: Int
        let route: PlannedRoute
    }

    private let shares: PerFamily<[[Share]]>

    init(_ advertisements: Set<String>, in frame: RouteFrame) {
        let names = advertisements.sorted()
        shares = PerFamily { family in
            frame.audiences.map { audience in
                guard audience.families.contains(family) else { return [] }
                var byLength: [Int: PlannedRoute] = [:]
                for name in names where audience.offers.contains(name) {
                    guard let offer = frame.offers[name] else { continue }
                    let route = PlannedRoute(
                        offer, named: name, isLastResort: frame.relief != nil)
                    let length = offer.blockLength(family)
                    byLength[length] = byLength[length]?.united(with: route) ?? route
                }
                return byLength.sorted { $0.key < $1.key }
                    .map { Share(length: $0.key, route: $0.value) }
            }
        }
    }

    /// What an audience is told of the blocks around an address of the family, the shortest block
    /// first.
    func shares(_ family: IPAddress.Family, for audience: Int) -> [Share] {
        shares[family][audience]
    }
}
