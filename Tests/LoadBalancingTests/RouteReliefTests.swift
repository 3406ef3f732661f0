import LoadBalancing
import NetworkTypes
import Testing

@Suite("Routes of a node that is cordoned or drains")
struct RouteReliefTests {
    @Test(
        "It announces nothing that another node announces",
        arguments: [NodeFacts(isCordoned: true), NodeFacts(isDraining: true)])
    func relieved(_ node: NodeFacts) {
        var world = RouteWorld()
        world.facts.nodes["a"] = node
        world.demand("198.18.0.1")
        #expect(world.told("a").isEmpty)
        #expect(world.told("b") == ["198.18.0.1/32"])
        #expect(world.route("198.18.0.1/32", from: "b")?.isLastResort == false)
    }

    @Test func `it announces as the last resort what only it can`() {
        var world = RouteWorld()
        world.facts.nodes["a"]?.isDraining = true
        world.demand("198.18.0.1", ["all"], .local(nodes: ["a"]))
        world.demand("198.18.0.2", ["all"], .local(nodes: ["a", "b"]))
        #expect(world.told("a") == ["198.18.0.1/32"])
        #expect(world.route("198.18.0.1/32")?.isLastResort == true)
    }

    @Test(
        "Nodes that cannot serve do not stand in",
        arguments: [
            NodeFacts(liveness: .dead(cause: "silence")), NodeFacts(isReady: false),
            NodeFacts(hasSpeaker: false), NodeFacts(isDraining: true),
        ])
    func noStandIn(_ others: NodeFacts) {
        var world = RouteWorld()
        world.facts.nodes = ["a": NodeFacts(isCordoned: true), "b": others]
        world.demand("198.18.0.1")
        #expect(world.told("a") == ["198.18.0.1/32"])
        #expect(world.route("198.18.0.1/32")?.isLastResort == true)
    }

    @Test func `nodes without a session for the family, or the advertisement, do not stand in`() {
        var world = RouteWorld(
            offers: ["all": RouteOffer(), "mine": RouteOffer(nodes: .only(["a"]))],
            peers: [
                "router": RoutePeer(nodes: .only(["a"])),
                "four": RoutePeer(nodes: .only(["b"]), families: [.ipv4]),
            ])
        world.facts.nodes["a"]?.isCordoned = true
        world.demand("198.18.0.1")
        world.demand("198.18.0.2", ["mine"])
        world.demand("2001:db8::1")
        #expect(world.told("a") == ["198.18.0.2/32", "2001:db8::1/128"])
    }

    @Test func `a block stays as the last resort while one of its addresses has no other node`() {
        var world = RouteWorld(offers: ["all": RouteOffer(blockLengths: [.ipv4: 24])])
        world.facts.nodes["a"]?.isCordoned = true
        world.demand("198.18.0.1")
        #expect(world.told("a").isEmpty)
        world.demand("198.18.0.2", ["all"], .local(nodes: ["a"]))
        #expect(world.told("a") == ["198.18.0.0/24"])
        #expect(world.route("198.18.0.0/24")?.isLastResort == true)
    }
}
