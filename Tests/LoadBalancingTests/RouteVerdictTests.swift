import LoadBalancing
import NetworkTypes
import Testing

@Suite("Why a router is or is not told")
struct RouteVerdictTests {
    private func refusal(
        _ world: RouteWorld, _ address: String = "198.18.0.1", from node: String = "a"
    ) -> RouteRefusal? {
        guard case .withheld(let refusal)? = world.verdict(address, from: node) else { return nil }
        return refusal
    }

    private var world: RouteWorld {
        var world = RouteWorld()
        world.demand("198.18.0.1")
        return world
    }

    @Test func `an address that is told comes with its blocks, the shortest first`() throws {
        var world = RouteWorld(offers: [
            "single": RouteOffer(), "wide": RouteOffer(blockLengths: [.ipv4: 24]),
        ])
        world.demand("198.18.0.1", ["single", "wide"])
        guard case .announced(let announcements)? = world.verdict("198.18.0.1") else {
            Issue.record("not announced")
            return
        }
        #expect(announcements.map(\.prefix.description) == ["198.18.0.0/24", "198.18.0.1/32"])
        #expect(announcements.map(\.route.advertisements) == [["wide"], ["single"]])
    }

    @Test func `faults of the node come first`() {
        var world = world
        world.facts.nodes["a"]?.isReady = false
        #expect(refusal(world) == .node(.notReady))
        #expect(refusal(world, from: "stranger") == .node(.unknownNode))
        #expect(refusal(world, from: "b") == nil)
    }

    @Test func `an address that nobody uses, or no advertisement matches`() {
        var world = world
        #expect(refusal(world, "198.18.0.9") == .notInUse)
        world.demand("198.18.0.1", [])
        #expect(refusal(world) == .noAdvertisement)
        world.demand("198.18.0.1", ["deleted"])
        #expect(refusal(world) == .noAdvertisement)
    }

    @Test func `selectors that leave out the node or the peer`() {
        var world = world
        world.facts.offers["all"] = RouteOffer(nodes: .only(["b"]))
        #expect(refusal(world) == .nodeNotSelected(by: ["all"]))
        world.facts.offers["all"] = RouteOffer(peers: .only(["other"]))
        #expect(refusal(world) == .peerNotListed(in: ["all"]))
        world.facts.peers["router"] = RoutePeer(nodes: .only(["b"]))
        #expect(refusal(world) == .nodeNotSelectedByPeer)
        world.facts.peers["router"] = RoutePeer(families: [.ipv6])
        #expect(refusal(world) == .familyNotCarried(.ipv4))
    }

    @Test func `endpoints that are nowhere, or elsewhere`() {
        var world = world
        world.demand("198.18.0.1", ["all"], .cluster(hasUsableEndpoint: false))
        #expect(refusal(world) == .noUsableEndpoint)
        world.demand("198.18.0.1", ["all"], .local(nodes: []))
        #expect(refusal(world) == .noUsableEndpoint)
        world.demand("198.18.0.1", ["all"], .local(nodes: ["b"]))
        #expect(refusal(world) == .noLocalEndpoint)
    }

    @Test func `a relieved node names those who announce instead`() {
        var world = world
        world.facts.nodes["a"]?.isDraining = true
        #expect(refusal(world) == .relieved(.draining, by: ["b", "c"]))
    }

    @Test(
        "Every refusal says what is so, and what to do",
        arguments: [
            (RouteRefusal.node(.notReady), "is not ready", "kubectl describe node"),
            (.notInUse, "no Service uses the address", "status.loadBalancer"),
            (.noAdvertisement, "no BGPAdvertisement matches", "make a BGPAdvertisement"),
            (.nodeNotSelectedByPeer, "not selected by the peer", "spec.nodeSelectors"),
            (.familyNotCarried(.ipv6), "IPv6 routes", "dualStackAddressFamily"),
            (.nodeNotSelected(by: ["x"]), "BGPAdvertisement x", "label the node"),
            (.peerNotListed(in: ["x", "y"]), "BGPAdvertisement x, y", "spec.peers"),
            (.noUsableEndpoint, "no usable endpoint anywhere", "selector"),
            (.noLocalEndpoint, "externalTrafficPolicy is Local", "run a Pod there"),
            (.relieved(.cordoned, by: ["b"]), "is cordoned, and others announce it: b", "uncordon"),
        ])
    func texts(_ refusal: RouteRefusal, _ text: String, _ remedy: String) {
        #expect(refusal.description.contains(text))
        #expect(refusal.remedy?.contains(remedy) == true)
    }
}
