import LoadBalancing
import NetworkTypes
import Testing

@Suite("What routers are told")
struct RoutePlanTests {
    @Test func `every node tells every router of an address that is backed`() {
        var world = RouteWorld(peers: ["router": RoutePeer(), "spare": RoutePeer()])
        world.demand("198.18.0.1")
        world.demand("2001:db8::1")
        for node in ["a", "b", "c"] {
            #expect(world.told(node) == ["198.18.0.1/32", "2001:db8::1/128"])
            #expect(world.told(node, to: "spare") == world.told(node))
        }
    }

    @Test func `policy Local announces from the nodes of usable endpoints only`() {
        var world = RouteWorld()
        world.demand("198.18.0.1", ["all"], .local(nodes: ["b"]))
        #expect(world.told("a").isEmpty)
        #expect(world.told("b") == ["198.18.0.1/32"])
    }

    @Test func `without a usable endpoint nobody announces`() {
        var world = RouteWorld()
        world.demand("198.18.0.1", ["all"], .cluster(hasUsableEndpoint: false))
        world.demand("198.18.0.2", ["all"], .local(nodes: []))
        #expect(world.told("a").isEmpty)
    }

    @Test func `addresses of one block make one route, which goes with the last of them`() {
        var world = RouteWorld(
            offers: ["wide": RouteOffer(blockLengths: [.ipv4: 24, .ipv6: 64])])
        world.demand("198.18.0.1", ["wide"])
        world.demand("198.18.0.200", ["wide"])
        world.demand("2001:db8::1", ["wide"])
        world.demand("2001:db8:0:1::1", ["wide"])
        #expect(world.told() == ["198.18.0.0/24", "2001:db8::/64", "2001:db8:0:1::/64"])
        world.facts.demands[IPAddress(ipv4: 0xc612_0001)] = nil
        #expect(world.told().first == "198.18.0.0/24")
        world.facts.demands[IPAddress(ipv4: 0xc612_00c8)] = nil
        #expect(world.told() == ["2001:db8::/64", "2001:db8:0:1::/64"])
    }

    @Test func `advertisements of different lengths add up, each with its own communities`() {
        var world = RouteWorld(offers: [
            "single": RouteOffer(communities: [.standard(65535, 65281)]),
            "wide": RouteOffer(blockLengths: [.ipv4: 24], communities: [.large(1, 2, 3)]),
        ])
        world.demand("198.18.0.1", ["single", "wide"])
        #expect(world.told() == ["198.18.0.0/24", "198.18.0.1/32"])
        #expect(world.route("198.18.0.0/24")?.communities == [.large(1, 2, 3)])
        #expect(world.route("198.18.0.1/32")?.communities == [.standard(65535, 65281)])
    }

    @Test func `advertisements of one route unite their communities in order`() {
        var world = RouteWorld(offers: [
            "one": RouteOffer(
                localPreference: 150, communities: [.standard(2, 1), .large(1, 1, 1)]),
            "two": RouteOffer(
                localPreference: 150, communities: [.standard(1, 9), .standard(2, 1)]),
        ])
        world.demand("198.18.0.1", ["one", "two"])
        #expect(
            world.route("198.18.0.1/32")
                == PlannedRoute(
                    localPreference: 150,
                    communities: [.standard(1, 9), .standard(2, 1), .large(1, 1, 1)],
                    advertisements: ["one", "two"]))
    }

    @Test func `a block that several advertisements share through different addresses unites them`()
        throws
    {
        var world = RouteWorld(offers: [
            "one": RouteOffer(blockLengths: [.ipv4: 24], communities: [.standard(1, 1)]),
            "two": RouteOffer(blockLengths: [.ipv4: 24], localPreference: 7),
        ])
        world.demand("198.18.0.1", ["one"])
        world.demand("198.18.0.2", ["two"])
        #expect(
            world.route("198.18.0.0/24")
                == PlannedRoute(
                    localPreference: 7, communities: [.standard(1, 1)],
                    advertisements: ["one", "two"]))
        let block = try #require(Prefix("198.18.0.0/24"))
        #expect(
            world.plan().addresses(behind: block, to: "router").map(\.description)
                == ["198.18.0.1", "198.18.0.2"])
    }

    @Test func `an advertisement speaks to its peers, from its nodes, over their sessions`() {
        var world = RouteWorld(
            offers: [
                "left": RouteOffer(nodes: .only(["a"]), peers: .only(["x"])),
                "right": RouteOffer(nodes: .only(["b"]), peers: .only(["y"])),
            ],
            peers: ["x": RoutePeer(), "y": RoutePeer(nodes: .only(["b"]))])
        world.demand("198.18.0.1", ["left", "right"])
        #expect(world.told("a", to: "x") == ["198.18.0.1/32"])
        #expect(world.told("a", to: "y").isEmpty)
        #expect(world.told("b", to: "x").isEmpty)
        #expect(world.told("b", to: "y") == ["198.18.0.1/32"])
        #expect(world.told("c", to: "x").isEmpty)
    }

    @Test func `an advertisement that does not match the address adds nothing to its route`() {
        var world = RouteWorld(offers: [
            "plain": RouteOffer(), "marked": RouteOffer(communities: [.standard(1, 1)]),
        ])
        world.demand("198.18.0.1", ["plain"])
        #expect(world.route("198.18.0.1/32")?.communities == [])
    }

    @Test func `a session of one family is told of that family only`() {
        var world = RouteWorld(peers: [
            "router": RoutePeer(families: [.ipv4]), "six": RoutePeer(families: [.ipv6]),
        ])
        world.demand("198.18.0.1")
        world.demand("2001:db8::1")
        #expect(world.told() == ["198.18.0.1/32"])
        #expect(world.told(to: "six") == ["2001:db8::1/128"])
    }

    @Test(
        "A node that cannot serve announces nothing",
        arguments: [
            NodeFacts(liveness: .dead(cause: "silence")), NodeFacts(isReady: false),
            NodeFacts(isNetworkUnavailable: true), NodeFacts(isExcludedByLabel: true),
            NodeFacts(hasSpeaker: false),
        ])
    func excluded(_ node: NodeFacts) {
        var world = RouteWorld()
        world.facts.nodes["a"] = node
        world.demand("198.18.0.1")
        #expect(world.told("a").isEmpty)
        #expect(world.told("b") == ["198.18.0.1/32"])
    }

    @Test func `a node that the cluster does not have announces nothing`() {
        var world = RouteWorld()
        world.demand("198.18.0.1")
        #expect(world.told("stranger").isEmpty)
    }
}
