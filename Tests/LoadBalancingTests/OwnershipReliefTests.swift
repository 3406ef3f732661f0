import LoadBalancing
import NetworkTypes
import Testing

/// Nodes that are to be relieved, claims in dispute, and nodes that are asked for.
@Suite struct OwnershipReliefTests {
    let address = OwnershipWorld.address(1)

    func world(claim: Claim? = nil) -> OwnershipWorld {
        var world = OwnershipWorld(["a", "b"])
        world.demands[address] = OwnershipWorld.demand()
        if let claim { world.claims[address] = [claim] }
        return world
    }

    @Test("a draining node keeps what nobody else can own, and loses it once somebody can")
    func nobodyElse() {
        var world = world(claim: Claim(node: "a", epoch: 4))
        world.nodes["a"]?.isDraining = true
        world.nodes["b"]?.isReady = false
        let alone = world.elect()
        #expect(alone.owner(of: address) == "a")
        #expect(alone.decision(for: address)?.cause == .nobodyElse)
        #expect(alone.decision(for: address)?.epoch == 4)
        #expect(alone.verdicts(for: address).first?.node == "a")
        #expect(alone.lossReason(of: "b", for: address) == .notReady)

        world.nodes["b"]?.isReady = true
        let relieved = world.elect()
        #expect(relieved.owner(of: address) == "b")
        #expect(relieved.lossReason(of: "a", for: address) == .draining)
        #expect(relieved.decision(for: address)?.epoch == 5)
    }

    @Test("an address that nobody claims does not go to a cordoned node")
    func unclaimed() {
        var world = world()
        world.nodes["a"]?.isCordoned = true
        world.nodes["b"]?.isCordoned = true
        let ownership = world.elect()
        #expect(ownership.owner(of: address) == nil)
        #expect(ownership.lossReason(of: "a", for: address) == .cordoned)
    }

    @Test("when an owner dies and only drained nodes are left, one of them has its address")
    func lastResort() {
        var world = world(claim: Claim(node: "a", epoch: 4))
        world.nodes["a"]?.liveness = .dead(cause: "nothing is heard of it")
        world.nodes["b"]?.isDraining = true
        let ownership = world.elect()
        #expect(ownership.owner(of: address) == "b")
        #expect(ownership.decision(for: address)?.cause == .nobodyElse)
        #expect(ownership.decision(for: address)?.epoch == 5)
    }

    @Test("a draining node with another fault keeps nothing, and the first fault is reported")
    func relievedAndFaulty() {
        var world = world(claim: Claim(node: "a", epoch: 4))
        world.nodes["b"]?.isNetworkUnavailable = true
        world.nodes["a"]?.isDraining = true
        world.nodes["a"]?.interfaces = []
        #expect(world.elect().owner(of: address) == nil)
        #expect(world.elect().lossReason(of: "a", for: address) == .draining)
    }

    @Test("draining the only node on the subnet does not send the address to nodes off it")
    func subnet() throws {
        let address = try #require(IPAddress("192.0.2.9"))
        let near = try #require(Prefix("192.0.2.0/24"))
        let far = try #require(Prefix("198.51.100.0/24"))
        var world = OwnershipWorld(["near", "far"])
        world.nodes["near"]?.interfaces = [InterfaceFacts(name: "eth0", prefixes: [near])]
        world.nodes["far"]?.interfaces = [InterfaceFacts(name: "eth0", prefixes: [far])]
        world.nodes["near"]?.isDraining = true
        world.demands[address] = OwnershipWorld.demand()
        world.claims[address] = [Claim(node: "near", epoch: 1)]
        #expect(world.elect().owner(of: address) == "near")
        #expect(world.elect().lossReason(of: "far", for: address) == .notOnSubnet)
    }

    @Test("a claim that nobody answers for does not count, and the witness is named")
    func dispute() {
        var world = world(claim: Claim(node: "a", epoch: 4))
        world.disputes[address] = [Dispute(node: "a", epoch: 4, witness: "b")]
        let ownership = world.elect()
        #expect(ownership.owner(of: address) == "b")
        #expect(ownership.decision(for: address)?.epoch == 5)
        #expect(ownership.lossReason(of: "a", for: address) == .doesNotAnswer(witness: "b"))
        #expect(
            AnnouncementPlan(node: "b", ownership: ownership).announcements[address]?.manner
                == .takeover(from: "a"), "the wire is asked before a live node is relieved")
    }

    @Test("a dispute is over with the claim it is about, and idle where nobody else can own")
    func disputeEnds() {
        var world = world(claim: Claim(node: "a", epoch: 5))
        world.disputes[address] = [Dispute(node: "a", epoch: 4, witness: "b")]
        #expect(world.elect().owner(of: address) == "a", "claimed again since")
        world.disputes[address] = [Dispute(node: "a", epoch: 5, witness: "b")]
        world.nodes["b"]?.isReady = false
        #expect(world.elect().owner(of: address) == "a")
        #expect(world.elect().decision(for: address)?.cause == .holdsClaim)
    }

    @Test("the node asked for gets the address, and others do while it cannot")
    func askedFor() {
        var world = OwnershipWorld(["a", "b", "c"], addresses: 12)
        world.offers["lan"] = Layer2Offer(weights: ["c": 50])
        for index in 0..<12 {
            world.demands[OwnershipWorld.address(index)]?.preferredNode = "b"
        }
        let ownership = world.elect()
        #expect(Set(ownership.owners.values) == ["b"])
        let first = OwnershipWorld.address(0)
        #expect(ownership.decision(for: first)?.cause == .askedFor)
        #expect(ownership.lossReason(of: "c", for: first) == .otherAskedFor(node: "b"))
        world.nodes["b"]?.isReady = false
        #expect(Set(world.elect().owners.values) == ["c"])
    }

    @Test("the node asked for takes the address back only under Always")
    func askedForPreempts() {
        var world = world(claim: Claim(node: "a", epoch: 1))
        world.demands[address]?.preferredNode = "b"
        for preemption in [Preemption.never, .gradual] {
            world.offers["lan"] = Layer2Offer(preemption: preemption)
            #expect(world.elect().owner(of: address) == "a")
        }
        world.offers["lan"] = Layer2Offer(preemption: .always)
        #expect(world.elect().owner(of: address) == "b")
    }
}
