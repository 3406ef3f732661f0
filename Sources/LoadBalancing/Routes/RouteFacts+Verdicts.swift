public import NetworkTypes

extension RouteFacts {
    /// What becomes of the address at a node, towards each peer there is.
    public func verdicts(for address: IPAddress, at node: String) -> [String: RouteVerdict] {
        let frame = RouteFrame(node: node, self)
        return verdicts(for: address, in: frame) { prefix, peer in
            guard let audience = frame.audienceOf[peer] else { return nil }
            let makers = makers(of: prefix, for: audience, in: frame)
            return makers.dropFirst().reduce(makers.first?.route) { $0?.united(with: $1.route) }
        }
    }

    /// - Parameter route: what the peer is told of a block that the node makes for it.
    func verdicts(
        for address: IPAddress, in frame: RouteFrame,
        route: (_ block: Prefix, _ peer: String) -> PlannedRoute?
    ) -> [String: RouteVerdict] {
        var announced: [Int: RouteVerdict] = [:]
        var verdicts: [String: RouteVerdict] = [:]
        for (name, peer) in peers {
            if let refusal = refusal(of: address, to: name, peer, in: frame) {
                verdicts[name] = .withheld(refusal)
            } else if let audience = frame.audienceOf[name], let demand = demands[address] {
                let verdict =
                    announced[audience]
                    ?? .announced(
                        blocks(around: address, demand, for: audience, in: frame).compactMap {
                            prefix in
                            route(prefix, name).map {
                                RouteAnnouncement(prefix: prefix, route: $0)
                            }
                        })
                announced[audience] = verdict
                verdicts[name] = verdict
            }
        }
        return verdicts
    }

    /// The addresses in use that make a route of a node for a peer, ascending.
    func addresses(behind prefix: Prefix, from node: String, to peer: String) -> [IPAddress] {
        let frame = RouteFrame(node: node, self)
        guard let audience = frame.audienceOf[peer] else { return [] }
        return makers(of: prefix, for: audience, in: frame).map(\.address).sorted()
    }

    private func refusal(
        of address: IPAddress, to name: String, _ peer: RoutePeer, in frame: RouteFrame
    ) -> RouteRefusal? {
        if let reason = frame.refusal { return .node(reason) }
        guard let demand = demands[address] else { return .notInUse }
        let known = demand.advertisements.filter { offers[$0] != nil }.sorted()
        if known.isEmpty { return .noAdvertisement }
        if !peer.nodes.contains(frame.node) { return .nodeNotSelectedByPeer }
        if !peer.families.contains(address.family) { return .familyNotCarried(address.family) }
        let selecting = known.filter { offers[$0]?.nodes.contains(frame.node) == true }
        if selecting.isEmpty { return .nodeNotSelected(by: known) }
        if !selecting.contains(where: { offers[$0]?.peers.contains(name) == true }) {
            return .peerNotListed(in: selecting)
        }
        if let lack = frame.lack(of: demand) { return lack }
        guard let relief = frame.relief else { return nil }
        let others = frame.standIns(for: demand, address.family)
        return others.isEmpty ? nil : .relieved(relief, by: others.sorted())
    }

    private func blocks(
        around address: IPAddress, _ demand: RouteDemand, for audience: Int, in frame: RouteFrame
    ) -> [Prefix] {
        RouteTerms(demand.advertisements, in: frame).shares(address.family, for: audience)
            .compactMap { Prefix(address, length: $0.length) }
    }

    /// The addresses that make a block for an audience, each with its part of the route.
    private func makers(
        of prefix: Prefix, for audience: Int, in frame: RouteFrame
    ) -> [(address: IPAddress, route: PlannedRoute)] {
        var terms: [Set<String>: RouteTerms] = [:]
        return demands.compactMap { address, demand in
            guard prefix.contains(address), frame.announces(demand, address.family) else {
                return nil
            }
            let own =
                terms[demand.advertisements] ?? RouteTerms(demand.advertisements, in: frame)
            terms[demand.advertisements] = own
            return own.shares(address.family, for: audience)
                .first { $0.length == prefix.length }
                .map { (address, $0.route) }
        }
    }
}
