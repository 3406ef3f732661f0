import LoadBalancing
import NetworkTypes
import Testing

@Suite("Routes in worlds of any kind")
struct RoutePropertyTests {
    @Test("The plan is what the rules say, address by address", arguments: 0..<300)
    func model(_ seed: Int) {
        var random = WorldSeed(state: UInt64(seed))
        let facts = RouteWorld.random(&random).facts
        for node in ["a", "b", "c"] {
            let planned = RoutePlanner(node: node, facts: facts).routes
            #expect(planned == RouteModel(facts).routes(of: node), "node \(node), seed \(seed)")
        }
    }

    @Test("Change by change, the plan is what planning from scratch gives", arguments: 0..<200)
    func incremental(_ seed: Int) {
        var random = WorldSeed(state: UInt64(seed) &+ 10_000)
        var facts = RouteFacts()
        var planner = RoutePlanner(node: "a")
        var held: [String: [Prefix: PlannedRoute]] = [:]
        for step in 0..<40 {
            let change = Self.change(&random)
            facts.apply(change)
            for (peer, routes) in planner.update(change) {
                #expect(!routes.isEmpty)
                for (prefix, route) in routes {
                    let old = held[peer]?[prefix]
                    #expect(old != route, "step \(step): told again of \(prefix), seed \(seed)")
                    held[peer, default: [:]][prefix] = route
                }
            }
            held = held.filter { !$0.value.isEmpty }
            let fresh = RoutePlanner(node: "a", facts: facts).plan
            #expect(planner.plan == fresh, "step \(step), seed \(seed)")
            #expect(held == fresh.routes, "step \(step), seed \(seed)")
        }
    }

    @Test("Verdicts and addresses behind blocks agree with the routes", arguments: 0..<100)
    func verdicts(_ seed: Int) {
        var random = WorldSeed(state: UInt64(seed) &+ 20_000)
        let world = RouteWorld.random(&random)
        let plan = world.plan()
        var seen: [String: [Prefix: PlannedRoute]] = [:]
        for address in world.facts.demands.keys {
            let verdicts = plan.verdicts(for: address)
            #expect(Set(verdicts.keys) == Set(world.facts.peers.keys))
            #expect(verdicts == world.facts.verdicts(for: address, at: "a"))
            for (peer, verdict) in verdicts {
                guard case .announced(let announcements) = verdict else { continue }
                #expect(!announcements.isEmpty)
                for announcement in announcements {
                    seen[peer, default: [:]][announcement.prefix] = announcement.route
                    let behind = plan.addresses(behind: announcement.prefix, to: peer)
                    #expect(behind.contains(address) && behind == behind.sorted())
                }
            }
        }
        #expect(seen == plan.routes, "seed \(seed)")
    }

    @Test("No address is without a node that announces it while one could", arguments: 0..<200)
    func somebodyAnnounces(_ seed: Int) {
        var random = WorldSeed(state: UInt64(seed) &+ 30_000)
        var world = RouteWorld.random(&random)
        func announcers() -> Set<IPAddress> {
            var told: Set<IPAddress> = []
            for address in world.facts.demands.keys {
                for node in ["a", "b", "c"] {
                    let verdicts = world.facts.verdicts(for: address, at: node).values
                    let isTold = verdicts.contains {
                        if case .announced = $0 { true } else { false }
                    }
                    if isTold { told.insert(address) }
                }
            }
            return told
        }
        let withRelief = announcers()
        for name in world.facts.nodes.keys {
            world.facts.nodes[name]?.isCordoned = false
            world.facts.nodes[name]?.isDraining = false
        }
        #expect(withRelief == announcers(), "seed \(seed)")
    }

    private static func change(_ random: inout WorldSeed) -> RouteFacts.Change {
        var change = RouteFacts.Change()
        switch Int.random(in: 0..<10, using: &random) {
        case 0: change.nodes = RouteWorld.randomNodes(&random)
        case 1: change.offers = RouteWorld.randomOffers(&random)
        case 2: change.peers = RouteWorld.randomPeers(&random)
        default: break
        }
        for _ in 0..<Int.random(in: 0..<6, using: &random) {
            let address = RouteWorld.address(Int.random(in: 0..<30, using: &random), &random)
            change.demands[address] =
                .some(random.chance(30) ? nil : RouteWorld.randomDemand(&random))
        }
        return change
    }
}

/// The rules, said once more in the slowest and plainest way.
private struct RouteModel {
    private(set) var facts: RouteFacts

    init(_ facts: RouteFacts) {
        self.facts = facts
        let withSessions = facts.nodes.filter { entry in
            facts.peers.contains { $0.value.nodes.contains(entry.key) }
        }
        guard !withSessions.values.contains(where: serves) else { return }
        for name in facts.nodes.keys { self.facts.nodes[name]?.isReady = true }
    }

    func routes(of node: String) -> [String: [Prefix: PlannedRoute]] {
        var routes: [String: [Prefix: PlannedRoute]] = [:]
        guard let own = facts.nodes[node], serves(own) else { return [:] }
        let isRelieved = own.isCordoned || own.isDraining
        for (address, demand) in facts.demands {
            if isRelieved {
                let others = facts.nodes.filter {
                    $0.key != node && serves($0.value) && !$0.value.isCordoned
                        && !$0.value.isDraining
                }.keys
                if others.contains(where: { !told($0, address, demand).isEmpty }) { continue }
            }
            for (peer, name, offer) in told(node, address, demand) {
                let length = offer.blockLengths[address.family] ?? address.family.bitWidth
                guard let prefix = Prefix(address, length: length) else { continue }
                var route =
                    routes[peer]?[prefix] ?? PlannedRoute(isLastResort: isRelieved)
                route.localPreference =
                    [route.localPreference, offer.localPreference].compactMap(\.self).max()
                route.communities = Set(route.communities).union(offer.communities).sorted()
                route.advertisements = Set(route.advertisements).union([name]).sorted()
                routes[peer, default: [:]][prefix] = route
            }
        }
        return routes
    }

    private func serves(_ node: NodeFacts) -> Bool {
        if case .dead = node.liveness { return false }
        return node.isReady && node.hasSpeaker != false
    }

    private func told(
        _ node: String, _ address: IPAddress, _ demand: RouteDemand
    ) -> [(peer: String, name: String, offer: RouteOffer)] {
        switch demand.backing {
        case .cluster(hasUsableEndpoint: true): break
        case .local(let nodes) where nodes.contains(node): break
        case .cluster, .local: return []
        }
        return facts.peers.flatMap { peer in
            facts.offers.compactMap { offer in
                demand.advertisements.contains(offer.key) && offer.value.nodes.contains(node)
                    && offer.value.peers.contains(peer.key) && peer.value.nodes.contains(node)
                    && peer.value.families.contains(address.family)
                    ? (peer.key, offer.key, offer.value) : nil
            }
        }
    }
}
