import LoadBalancing
import NetworkTypes

/// Everything that routes are planned from, with short ways to make it.
struct RouteWorld {
    var facts = RouteFacts()

    /// Nodes a, b and c, one router of all of them, and one advertisement of everything.
    init(
        offers: [String: RouteOffer] = ["all": RouteOffer()],
        peers: [String: RoutePeer] = ["router": RoutePeer()]
    ) {
        for name in ["a", "b", "c"] { facts.nodes[name] = NodeFacts() }
        facts.offers = offers
        facts.peers = peers
    }

    func plan(_ node: String = "a") -> RoutePlan {
        RoutePlan.make(
            node: node, nodes: facts.nodes, offers: facts.offers, peers: facts.peers,
            demands: facts.demands)
    }

    /// The blocks that a node tells a router, as text, in order.
    func told(_ node: String = "a", to peer: String = "router") -> [String] {
        (plan(node).routes[peer] ?? [:]).keys
            .sorted { ($0.network, $0.length) < ($1.network, $1.length) }.map(\.description)
    }

    func route(_ prefix: String, from node: String = "a", to peer: String = "router")
        -> PlannedRoute?
    {
        Prefix(prefix).flatMap { plan(node).routes[peer]?[$0] }
    }

    func verdict(
        _ address: String, from node: String = "a", to peer: String = "router"
    ) -> RouteVerdict? {
        IPAddress(address).flatMap { plan(node).verdicts(for: $0)[peer] }
    }

    mutating func demand(
        _ address: String, _ advertisements: Set<String> = ["all"],
        _ backing: AddressDemand.Backing = .cluster(hasUsableEndpoint: true)
    ) {
        guard let address = IPAddress(address) else { return }
        facts.demands[address] = RouteDemand(advertisements: advertisements, backing: backing)
    }
}

extension RouteWorld {
    /// A world with faults, selectors, blocks, communities and both policies in any mix.
    static func random(_ random: inout WorldSeed) -> RouteWorld {
        var world = RouteWorld(offers: [:], peers: [:])
        world.facts.nodes = randomNodes(&random)
        world.facts.offers = randomOffers(&random)
        world.facts.peers = randomPeers(&random)
        for index in 0..<Int.random(in: 1...30, using: &random) {
            world.facts.demands[address(index, &random)] = randomDemand(&random)
        }
        return world
    }

    private static let names = ["a", "b", "c"]

    static func randomNodes(_ random: inout WorldSeed) -> [String: NodeFacts] {
        var nodes: [String: NodeFacts] = [:]
        for name in names where !random.chance(5) {
            nodes[name] = NodeFacts(
                liveness: random.chance(10) ? .dead(cause: "silence") : .unknown,
                isReady: !random.chance(10), isCordoned: random.chance(25),
                isDraining: random.chance(15), hasSpeaker: random.chance(90) ? nil : false)
        }
        return nodes
    }

    static func randomOffers(_ random: inout WorldSeed) -> [String: RouteOffer] {
        var offers: [String: RouteOffer] = [:]
        for name in ["all", "wide", "marked"] where !random.chance(10) {
            offers[name] = RouteOffer(
                nodes: random.chance(50) ? .all : .only(random.some(of: names, percent: 60)),
                peers: random.chance(50) ? .all : .only(random.some(of: ["x", "y"], percent: 60)),
                blockLengths: random.chance(50)
                    ? [:]
                    : [
                        .ipv4: Int.random(in: 22...32, using: &random),
                        .ipv6: Int.random(in: 120...128, using: &random),
                    ],
                localPreference: random.chance(50) ? nil : UInt32.random(in: 0...3, using: &random),
                communities: random.chance(50)
                    ? [] : [.standard(64500, UInt16.random(in: 0...3, using: &random))])
        }
        return offers
    }

    static func randomPeers(_ random: inout WorldSeed) -> [String: RoutePeer] {
        var peers: [String: RoutePeer] = [:]
        for name in ["x", "y", "z"] where !random.chance(10) {
            peers[name] = RoutePeer(
                nodes: random.chance(60) ? .all : .only(random.some(of: names, percent: 60)),
                families: random.chance(70) ? [.ipv4, .ipv6] : [random.chance(50) ? .ipv4 : .ipv6])
        }
        return peers
    }

    static func randomDemand(_ random: inout WorldSeed) -> RouteDemand {
        RouteDemand(
            advertisements: random.some(of: ["all", "wide", "marked", "unknown"], percent: 60),
            backing: random.chance(50)
                ? .cluster(hasUsableEndpoint: random.chance(90))
                : .local(nodes: random.some(of: names, percent: 40)))
    }

    /// One of few addresses of either family, so that some meet in one block.
    static func address(_ index: Int, _ random: inout WorldSeed) -> IPAddress {
        let spread = UInt128(index % 30) * 23
        return random.chance(60)
            ? IPAddress(ipv4: 0xc612_0000 + UInt32(spread))
            : IPAddress(family: .ipv6, bits: 0x2001_0db8 << 96 | spread)
    }
}
