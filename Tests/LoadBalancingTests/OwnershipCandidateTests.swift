import LoadBalancing
import NetworkTypes
import Testing

@Suite struct OwnershipCandidateTests {
    let address = OwnershipWorld.address(1)

    /// Elects an owner for one address after a change to node a.
    func elect(_ change: (inout NodeFacts) -> Void) -> Ownership {
        var world = OwnershipWorld(["a", "b"])
        world.demands[address] = OwnershipWorld.demand()
        var facts = NodeFacts()
        change(&facts)
        world.nodes["a"] = facts
        return world.elect()
    }

    @Test("a node with a fault of its own loses with that fault as the reason")
    func nodeFaults() {
        let cases: [(LossReason, (inout NodeFacts) -> Void)] = [
            (.dead(cause: "silent for 3 s"), { $0.liveness = .dead(cause: "silent for 3 s") }),
            (.notReady, { $0.isReady = false }),
            (.networkUnavailable, { $0.isNetworkUnavailable = true }),
            (.excludedByLabel, { $0.isExcludedByLabel = true }),
            (.cordoned, { $0.isCordoned = true }),
            (.draining, { $0.isDraining = true }),
            (.noSpeaker, { $0.hasSpeaker = false }),
            (.interfaceMissing([]), { $0.interfaces = [] }),
            (
                .interfaceMissing([]),
                { $0.interfaces = [InterfaceFacts(name: "eth0", isUsable: false)] }
            ),
        ]
        for (reason, change) in cases {
            let ownership = elect(change)
            #expect(ownership.lossReason(of: "a", for: address) == reason)
            #expect(ownership.owner(of: address) == "b")
            #expect(ownership.decision(for: address)?.cause == .onlyCandidate)
        }
    }

    @Test("a node of which little is known takes part")
    func unknownCountsAsWell() {
        for liveness in [NodeFacts.Liveness.alive, .unknown] {
            let ownership = elect { $0.liveness = liveness }
            let verdicts = ownership.verdicts(for: address)
            #expect(verdicts.count == 2)
            #expect(ownership.decision(for: address)?.cause == .highestRank)
        }
    }

    @Test("a node that no advertisement selects loses, and is told which there are")
    func nodeSelectors() {
        var world = OwnershipWorld(["a", "b"])
        world.offers = [
            "one": Layer2Offer(nodes: .only(["b"])), "two": Layer2Offer(nodes: .only([])),
        ]
        world.demands[address] = OwnershipWorld.demand(["one", "two"])
        let ownership = world.elect()
        #expect(ownership.owner(of: address) == "b")
        #expect(ownership.lossReason(of: "a", for: address) == .notSelected(by: ["one", "two"]))
    }

    @Test("an address that no advertisement matches is owned by nobody")
    func noAdvertisement() {
        var world = OwnershipWorld(["a"])
        world.demands[address] = OwnershipWorld.demand(["deleted"])
        let ownership = world.elect()
        #expect(ownership.owner(of: address) == nil)
        #expect(ownership.decision(for: address)?.cause == .noCandidate)
        #expect(ownership.lossReason(of: "a", for: address) == .noAdvertisement)
    }

    @Test("policy Cluster needs one usable endpoint anywhere, policy Local one on the node")
    func endpoints() {
        var world = OwnershipWorld(["a", "b"])
        let none = OwnershipWorld.address(2)
        let nowhere = OwnershipWorld.address(3)
        world.demands[address] = OwnershipWorld.demand(["lan"], .local(nodes: ["b", "gone"]))
        world.demands[none] = OwnershipWorld.demand(["lan"], .cluster(hasUsableEndpoint: false))
        world.demands[nowhere] = OwnershipWorld.demand(["lan"], .local(nodes: []))
        let ownership = world.elect()
        #expect(ownership.owner(of: address) == "b")
        #expect(ownership.lossReason(of: "a", for: address) == .noLocalEndpoint)
        #expect(ownership.owner(of: none) == nil)
        #expect(ownership.lossReason(of: "a", for: none) == .noUsableEndpoint)
        #expect(ownership.owner(of: nowhere) == nil)
        #expect(ownership.lossReason(of: "b", for: nowhere) == .noUsableEndpoint)
    }

    @Test(
        "a node whose own health checks leave it no endpoint may not own, whatever it claims",
        arguments: [
            AddressDemand.Backing.cluster(hasUsableEndpoint: true), .local(nodes: ["a", "b"]),
        ])
    func unserving(backing: AddressDemand.Backing) {
        var world = OwnershipWorld(["a", "b", "c"])
        world.offers["lan"] = Layer2Offer(nodes: .only(["a", "b"]))
        let other = OwnershipWorld.address(2)
        for address in [address, other] {
            world.demands[address] = OwnershipWorld.demand(["lan"], backing)
            world.claims[address] = [Claim(node: "a", epoch: 3)]
        }
        world.demands[address]?.unservingNodes = ["a", "gone"]
        world.demands[address]?.preferredNode = "a"
        let ownership = world.elect()
        #expect(ownership.owner(of: address) == "b")
        #expect(ownership.lossReason(of: "a", for: address) == .failsHealthChecks)
        #expect(ownership.owner(of: other) == "a", "another address is another matter")
        // It is a hard cause: not even a node that nobody else can relieve keeps the address.
        world.nodes["a"]?.isDraining = true
        world.nodes["b"]?.isReady = false
        #expect(world.elect().owner(of: address) == "b", "nobody who could is ready")
        world.demands[address]?.unservingNodes = ["a", "b"]
        #expect(world.elect().owner(of: address) == nil)
    }

    @Test("a node lacking the advertised interface is no candidate, and is told its name")
    func interfaceMissing() {
        var world = OwnershipWorld(["a", "b"])
        world.nodes["a"]?.interfaces = [InterfaceFacts(name: "eth0")]
        world.nodes["b"]?.interfaces = [InterfaceFacts(name: "bond0")]
        world.offers["lan"] = Layer2Offer(interfaces: .only(["bond0"]))
        world.demands[address] = OwnershipWorld.demand()
        let ownership = world.elect()
        #expect(ownership.owner(of: address) == "b")
        #expect(ownership.lossReason(of: "a", for: address) == .interfaceMissing(["bond0"]))
    }

    @Test("several advertisements are united: one without a list of interfaces allows all")
    func unitedInterfaces() {
        var world = OwnershipWorld(["a"])
        world.nodes["a"]?.interfaces = [InterfaceFacts(name: "eth0")]
        world.offers = [
            "bond": Layer2Offer(interfaces: .only(["bond0"])),
            "all on b": Layer2Offer(nodes: .only(["b"])),
            "all": Layer2Offer(),
        ]
        world.demands[address] = OwnershipWorld.demand(["bond", "all on b"])
        #expect(world.elect().lossReason(of: "a", for: address) == .interfaceMissing(["bond0"]))
        world.demands[address] = OwnershipWorld.demand(["bond", "all on b", "all"])
        #expect(world.elect().owner(of: address) == "a")
    }

    @Test(
        "nodes off the subnet lose where another is on it",
        arguments: [
            ("192.0.2.7", "192.0.2.0/24", "198.51.100.0/24"),
            ("2001:db8::7", "2001:db8::/64", "2001:db8:1::/64"),
        ])
    func subnet(address: String, on: String, off: String) throws {
        let address = try #require(IPAddress(address))
        var world = OwnershipWorld(["off", "on", "unknown"])
        let (near, far) = (try #require(Prefix(on)), try #require(Prefix(off)))
        world.nodes["on"]?.interfaces = [InterfaceFacts(name: "eth0", prefixes: [far, near])]
        world.nodes["off"]?.interfaces = [
            InterfaceFacts(name: "eth0", prefixes: [far]),
            InterfaceFacts(name: "eth1", isUsable: false, prefixes: [near]),
        ]
        world.demands[address] = OwnershipWorld.demand()
        let ownership = world.elect()
        #expect(ownership.lossReason(of: "off", for: address) == .notOnSubnet)
        let owner = try #require(ownership.owner(of: address))
        #expect(["on", "unknown"].contains(owner))

        // The one on the subnet may not own: now nobody is known to be on it, and all are equal.
        world.nodes["on"]?.isReady = false
        #expect(world.elect().lossReason(of: "off", for: address) != .notOnSubnet)
    }

    @Test("weights add up across advertisements, and only the heaviest nodes compete")
    func preference() {
        var world = OwnershipWorld(["a", "b", "c"])
        world.offers = [
            "one": Layer2Offer(weights: ["a": 60, "b": 40]),
            "two": Layer2Offer(weights: ["b": 30, "c": 70]),
            "not for c": Layer2Offer(nodes: .only(["a", "b"]), weights: ["c": 100]),
        ]
        world.demands[address] = OwnershipWorld.demand(["one", "two", "not for c"])
        let ownership = world.elect()
        let owner = ownership.owner(of: address)
        #expect(owner == "b" || owner == "c")
        #expect(
            ownership.lossReason(of: "a", for: address) == .lowerPreference(weight: 60, best: 70))
        world.nodes["b"]?.isCordoned = true
        #expect(world.elect().decision(for: address)?.cause == .preferred(weight: 70))
    }

    @Test("weights beyond any sense do not trap")
    func hugeWeights() {
        var world = OwnershipWorld(["a", "b"])
        world.offers = [
            "one": Layer2Offer(weights: ["a": .max]), "two": Layer2Offer(weights: ["a": .max]),
        ]
        world.demands[address] = OwnershipWorld.demand(["one", "two"])
        #expect(world.elect().owner(of: address) == "a")
    }
}
