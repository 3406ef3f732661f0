import LoadBalancing
import NetworkTypes
import Testing

/// What the condition Ready and the taint of a node that is shut down mean.
@Suite struct OwnershipReadinessTests {
    let address = OwnershipWorld.address(1)

    func world(unready: Set<String>) -> OwnershipWorld {
        var world = OwnershipWorld(["a", "b", "c"])
        world.demands[address] = OwnershipWorld.demand()
        world.claims[address] = [Claim(node: "b", epoch: 7)]
        for name in unready { world.nodes[name]?.isReady = false }
        return world
    }

    @Test("when every node is NotReady at once, an address stays where it is, and explain says so")
    func massNotReady() throws {
        let ownership = world(unready: ["a", "b", "c"]).elect()
        #expect(ownership.owner(of: address) == "b")
        let decision = try #require(ownership.decision(for: address))
        #expect(decision.cause == .noneReady)
        #expect(decision.epoch == 7)
        #expect("\(decision.cause)".contains("no node that could own it is ready"))
        #expect(ownership.lossReason(of: "a", for: address) == .holderStays(owner: "b"))
    }

    @Test("one ready node is enough for the others' NotReady to count")
    func oneReady() {
        let ownership = world(unready: ["a", "b"]).elect()
        #expect(ownership.owner(of: address) == "c")
        #expect(ownership.lossReason(of: "b", for: address) == .notReady)
    }

    @Test("a ready node that could not own the address anyway makes no difference")
    func readyElsewhere() {
        var world = world(unready: ["a", "b"])
        world.offers["lan"]?.nodes = .only(["a", "b"])
        let ownership = world.elect()
        #expect(ownership.owner(of: address) == "b")
        #expect(
            ownership.lossReason(of: "c", for: address) == .notSelected(by: ["lan"]))
    }

    @Test("of NotReady nodes, those that are dead, cut off or excluded still own nothing")
    func otherFaults() {
        var world = world(unready: ["a", "b", "c"])
        world.nodes["b"]?.liveness = .dead(cause: "silence")
        world.nodes["a"]?.isNetworkUnavailable = true
        let ownership = world.elect()
        #expect(ownership.owner(of: address) == "c")
        #expect(ownership.lossReason(of: "b", for: address) == .dead(cause: "silence"))
        #expect(ownership.lossReason(of: "a", for: address) == .notReady)
    }

    @Test("a cordoned node that is ready goes before nodes that are not")
    func cordonedFirst() {
        var world = world(unready: ["a", "b"])
        world.nodes["c"]?.isCordoned = true
        #expect(world.elect().owner(of: address) == "c")
    }

    @Test("policy Local: the nodes with an endpoint decide among themselves")
    func local() {
        var world = world(unready: ["a", "b"])
        world.demands[address] = OwnershipWorld.demand(["lan"], .local(nodes: ["a", "b"]))
        #expect(world.elect().owner(of: address) == "b")
        #expect(world.elect().lossReason(of: "c", for: address) == .noLocalEndpoint)
    }

    @Test("a node tainted as shut down loses its addresses at once, whatever else is said of it")
    func outOfService() {
        var world = world(unready: [])
        world.nodes["b"]?.isOutOfService = true
        let ownership = world.elect()
        #expect(ownership.owner(of: address) != "b")
        #expect(ownership.lossReason(of: "b", for: address) == .outOfService)
        #expect(LossReason.outOfService.remedy?.contains("taint") == true)
    }

    @Test("routes are not withdrawn when every node with sessions is NotReady at once")
    func routes() {
        var world = RouteWorld(offers: ["single": RouteOffer()])
        world.demand("198.18.0.1", ["single"])
        let before = world.verdict("198.18.0.1")
        for name in world.facts.nodes.keys { world.facts.nodes[name]?.isReady = false }
        #expect(world.verdict("198.18.0.1") == before)
    }
}
