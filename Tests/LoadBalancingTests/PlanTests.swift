import LoadBalancing
import NetworkTypes
import Testing

@Suite struct PlanTests {
    let address = OwnershipWorld.address(1)

    var world: OwnershipWorld {
        var world = OwnershipWorld(["a"])
        world.demands[address] = OwnershipWorld.demand()
        return world
    }

    func plan(_ world: OwnershipWorld, of node: String = "a") -> AnnouncementPlan {
        AnnouncementPlan(node: node, ownership: world.elect())
    }

    @Test("an address is announced on the usable interfaces that the advertisements allow")
    func interfaces() {
        var world = world
        world.nodes["a"]?.interfaces = [
            InterfaceFacts(name: "eth0"), InterfaceFacts(name: "eth1"),
            InterfaceFacts(name: "eth2", isUsable: false), InterfaceFacts(name: "eth3"),
        ]
        world.offers = [
            "one": Layer2Offer(interfaces: .only(["eth0", "eth2"])),
            "two": Layer2Offer(interfaces: .only(["eth1"])),
            "not for a": Layer2Offer(nodes: .only(["b"])),
        ]
        world.demands[address] = OwnershipWorld.demand(["one", "two", "not for a"])
        #expect(
            plan(world).announcements[address]?.settings.interfaces == .only(["eth0", "eth1"]))
        world.offers["two"]?.interfaces = .all
        #expect(
            plan(world).announcements[address]?.settings.interfaces
                == .only(["eth0", "eth1", "eth3"]))
        world.nodes["a"]?.interfaces = nil
        #expect(plan(world).announcements[address]?.settings.interfaces == .all)
    }

    @Test("the shortest re-announcement interval wins, and zero turns none of the others off")
    func reannounceInterval() {
        var world = world
        world.offers = [
            "off": Layer2Offer(reannounceInterval: .zero),
            "slow": Layer2Offer(reannounceInterval: .seconds(90)),
            "fast": Layer2Offer(reannounceInterval: .seconds(30)),
        ]
        world.demands[address] = OwnershipWorld.demand(["off", "slow", "fast"])
        #expect(
            plan(world).announcements[address]?.settings.reannounceInterval == .seconds(30))
        world.demands[address] = OwnershipWorld.demand(["off"])
        let off = plan(world).announcements[address]
        #expect(off != nil)
        #expect(off?.settings.reannounceInterval == nil)
    }

    @Test("the wire is probed before first use, not on a takeover, nor where the pool says no")
    func probing() {
        var world = world
        #expect(plan(world).announcements[address]?.manner == .firstUse(probes: true))
        world.demands[address]?.detectsConflicts = false
        #expect(plan(world).announcements[address]?.manner == .firstUse(probes: false))
        world.demands[address]?.detectsConflicts = true
        world.claims[address] = [Claim(node: "gone", epoch: 1)]
        #expect(plan(world).announcements[address]?.manner == .takeover(from: "gone"))
        world.claims[address]?.append(Claim(node: "a", epoch: 2))
        #expect(plan(world).announcements[address]?.manner == .resume)
    }

    @Test("a node that the cluster does not know announces nothing and is told so")
    func unknownNode() {
        let stranger = plan(world, of: "stranger")
        #expect(stranger.announcements.isEmpty)
        #expect(
            stranger.absences[address]
                == AnnouncementPlan.Absence(owner: "a", reason: .unknownNode))
    }

    @Test("claiming an address leaves nothing to do")
    func claimingIsQuiet() {
        var world = world
        let before = plan(world)
        world.claims = world.elect().asClaims
        let after = plan(world)
        #expect(after != before, "cause and manner read differently now")
        #expect(after.changes(since: before).isEmpty)
    }

    @Test("the changes say what begins, what ends, what goes on otherwise, and why")
    func changes() throws {
        var world = OwnershipWorld(["a"], addresses: 3)
        world.nodes["b"] = NodeFacts(isReady: false)
        let empty = AnnouncementPlan(node: "a")
        let start = plan(world)
        let begun = start.changes(since: empty)
        #expect(begun.added.map(\.address) == (0..<3).map(OwnershipWorld.address))
        #expect(begun.added.allSatisfy { $0.from == nil && $0.announcement.epoch == 1 })
        #expect(begun.removed.isEmpty && begun.changed.isEmpty)

        // One address ends, one goes on with other interfaces, one moves away.
        let (gone, other, lost) = (
            OwnershipWorld.address(0), OwnershipWorld.address(1), OwnershipWorld.address(2)
        )
        world.claims = world.elect().asClaims
        world.demands[gone] = nil
        world.offers["bond"] = Layer2Offer(interfaces: .only(["bond0"]))
        world.demands[other]?.advertisements = ["bond"]
        world.demands[lost]?.backing = .local(nodes: ["b"])
        world.nodes["b"]?.isReady = true
        let next = plan(world)
        let changes = next.changes(since: start)
        #expect(changes.added.isEmpty)
        #expect(changes.removed.map(\.address) == [gone, lost])
        #expect(changes.removed.first?.absence == nil)
        #expect(
            changes.removed.last?.absence
                == AnnouncementPlan.Absence(owner: "b", reason: .noLocalEndpoint))
        #expect(changes.changed.map(\.address) == [other])
        #expect(changes.changed.first?.settings.interfaces == .only(["bond0"]))

        // And back again: the old owner is known.
        world.demands[lost]?.backing = .local(nodes: ["a"])
        let back = plan(world).changes(since: next)
        #expect(back.added.map(\.from) == ["b"])
    }

    @Test("an explanation reads from the address down to every node and its way out")
    func explanation() throws {
        var world = OwnershipWorld(["node-a", "node-b", "node-c", "node-d"])
        let address = try #require(IPAddress("192.0.2.1"))
        world.demands[address] = AddressDemand(
            services: [
                ServiceName(namespace: "shop", name: "web"),
                ServiceName(namespace: "shop", name: "dns"),
            ], pool: "lan", advertisements: ["lan"], backing: .cluster(hasUsableEndpoint: true))
        world.nodes["node-a"]?.isCordoned = true
        let explanation = try #require(
            Explanation(of: address, in: world.elect(), poolReason: "first by name"))
        #expect(
            explanation.description.split(separator: "\n").prefix(4) == [
                "192.0.2.1, used by shop/dns, shop/web",
                "  from pool lan: first by name",
                "  owner: node-c ranks first for this address",
                "    node-c: owner, ranks first for this address",
            ])
        #expect(
            explanation.nodes.last?.description
                == "node-a: no, is cordoned; kubectl uncordon lets it take part")
        #expect(explanation.nodes.count == 4)
        #expect(Explanation(of: self.address, in: world.elect()) == nil)
    }

    @Test("an explanation of an address without an owner says so, and why for each node")
    func explanationOfNobody() throws {
        var world = world
        world.demands[address]?.backing = .cluster(hasUsableEndpoint: false)
        let explanation = try #require(Explanation(of: address, in: world.elect()))
        #expect(explanation.decision.owner == nil)
        #expect(explanation.description.contains("owner: no node can own it"))
        #expect(explanation.nodes.map(\.verdict) == [.loses(.noUsableEndpoint)])
    }
}
