import LoadBalancing
import NetworkTypes
import Testing

@Suite struct TenureLeavingTests {
    @Test("a draining owner answers until the later claim of a node that lives, without limit")
    func softYield() {
        var bench = TenureBench(nodes: ["a", "b"])
        bench.hold()
        bench.facts.nodes["a"]?.isDraining = true
        #expect(bench.elect().isEmpty)
        #expect(bench.tenure.phase(of: bench.address) == .yielding(to: "b"))
        #expect(bench.tenure.plan.announcements[bench.address]?.cause == .yieldsTo(node: "b"))
        #expect(!bench.tenure.isHandedOver)
        #expect(bench.wait(.seconds(600)).isEmpty)
        #expect(
            bench.handle(.claimsChanged(node: "b", [bench.address: 2]))
                == [.withdraw(bench.address), .release(bench.address)])
        #expect(bench.tenure.isHandedOver)
        #expect(bench.wait(.seconds(600)).isEmpty)
    }

    @Test("undrained before anybody has taken over, the owner goes on as if nothing had been")
    func undrained() {
        var bench = TenureBench(nodes: ["a", "b"])
        bench.hold()
        bench.facts.nodes["a"]?.isDraining = true
        _ = bench.elect()
        bench.facts.nodes["a"]?.isDraining = false
        #expect(bench.elect().isEmpty)
        #expect(bench.tenure.phase(of: bench.address) == .holding)
    }

    @Test("undrained after another has taken over, nothing moves back")
    func noReturn() {
        var bench = TenureBench(nodes: ["a", "b"])
        bench.hold()
        bench.facts.nodes["a"]?.isDraining = true
        _ = bench.elect()
        _ = bench.handle(.claimsChanged(node: "b", [bench.address: 2]))
        bench.facts.nodes["a"]?.isDraining = false
        #expect(bench.elect().isEmpty)
        #expect(bench.tenure.ownership?.owner(of: bench.address) == "b")
    }

    @Test("an owner that cannot go on answers for a second at most")
    func hardYield() {
        var bench = TenureBench(nodes: ["a", "b"])
        bench.hold()
        bench.facts.nodes["a"]?.isReady = false
        #expect(bench.elect().isEmpty)
        #expect(bench.tenure.phase(of: bench.address) == .yielding(to: "b"))
        #expect(bench.wait(.milliseconds(999)).isEmpty)
        #expect(bench.elect().isEmpty, "news in between does not put it off")
        #expect(bench.wait(.milliseconds(1)) == [.withdraw(bench.address)])
        #expect(bench.tenure.claims == [bench.address: 1], "the memory stays")
    }

    @Test("an owner whose endpoints fail its health checks answers until the next one does")
    func unserving() {
        var bench = TenureBench(nodes: ["a", "b"])
        bench.hold()
        bench.facts.demands[bench.address]?.unservingNodes = ["a"]
        #expect(bench.elect().isEmpty)
        #expect(bench.tenure.phase(of: bench.address) == .yielding(to: "b"))
        #expect(
            bench.handle(.claimsChanged(node: "b", [bench.address: 2]))
                == [.withdraw(bench.address), .release(bench.address)])
        // Its endpoints are back; the address is not.
        bench.facts.demands[bench.address]?.unservingNodes = []
        #expect(bench.elect().isEmpty)
        #expect(bench.tenure.ownership?.owner(of: bench.address) == "b")
    }

    @Test("an owner that cannot go on stops at once where nobody can")
    func hardAlone() {
        var bench = TenureBench(nodes: ["a"])
        bench.hold()
        bench.facts.nodes["a"]?.isNetworkUnavailable = true
        #expect(bench.elect() == [.withdraw(bench.address)])
        bench.facts.nodes["a"]?.isNetworkUnavailable = false
        #expect(bench.elect() == [bench.announce(.resume)])
    }

    @Test("a draining owner keeps what nobody else can own")
    func softAlone() {
        var bench = TenureBench(nodes: ["a", "b"])
        bench.hold()
        bench.facts.nodes["b"]?.isReady = false
        bench.facts.nodes["a"]?.isDraining = true
        #expect(bench.elect().isEmpty)
        #expect(bench.tenure.phase(of: bench.address) == .holding)
        #expect(bench.tenure.plan.announcements[bench.address]?.cause == .nobodyElse)
    }

    @Test("the elected node heard on the wire is as good as its claim; another node is not")
    func successorHeard() {
        var bench = TenureBench(nodes: ["a", "b"])
        bench.hold()
        bench.facts.nodes["a"]?.isDraining = true
        _ = bench.elect()
        #expect(bench.handle(.peerAnnounced(bench.address, node: "c")).isEmpty)
        #expect(bench.handle(.peerAnnounced(bench.address, node: nil)).isEmpty)
        #expect(
            bench.handle(.peerAnnounced(bench.address, node: "b")) == [.withdraw(bench.address)])
    }

    @Test("an address that no Service wants ends at once, but not before all objects are read")
    func unwanted() {
        var bench = TenureBench(nodes: ["a"])
        bench.hold()
        bench.facts.demands = [:]
        bench.facts.isComplete = false
        #expect(bench.elect().isEmpty)
        #expect(bench.tenure.phase(of: bench.address) == .holding)
        bench.facts.isComplete = true
        #expect(bench.elect() == [.withdraw(bench.address), .release(bench.address)])
    }

    @Test("SIGTERM hands over what others can own, and does not wait for what they cannot")
    func stopping() {
        var bench = TenureBench(nodes: ["a", "b"])
        let lonely = OwnershipWorld.address(2)
        bench.facts.demands[lonely] = OwnershipWorld.demand(["lan"], .local(nodes: ["a"]))
        _ = bench.handle(.claimsRestored([bench.address: 1, lonely: 1]))
        _ = bench.elect()
        _ = bench.handle(.answering(bench.address))
        _ = bench.handle(.answering(lonely))
        #expect(bench.handle(.stopping).isEmpty)
        #expect(bench.tenure.phase(of: bench.address) == .yielding(to: "b"))
        #expect(bench.tenure.phase(of: lonely) == .holding)
        #expect(!bench.tenure.isHandedOver)
        #expect(
            bench.handle(.claimsChanged(node: "b", [bench.address: 2]))
                == [.withdraw(bench.address), .release(bench.address)])
        #expect(bench.tenure.isHandedOver)
        #expect(
            bench.handle(.moveRequested(bench.address)) == [
                .refusedMove(bench.address, .draining)
            ])
        #expect(bench.wait(.seconds(2)) == [.withdraw(lonely)])
        #expect(bench.tenure.nextDeadline == nil)
        #expect(bench.elect().isEmpty, "a node that has stopped begins with nothing")
        #expect(bench.handle(.claimsChanged(node: "b", [bench.address: 9])).isEmpty)
        #expect(bench.tenure.nextDeadline == nil)
    }

    @Test("SIGTERM does not wait longer than two seconds for a successor")
    func stoppingUnheard() {
        var bench = TenureBench(nodes: ["a", "b"])
        bench.hold()
        _ = bench.handle(.stopping)
        #expect(bench.wait(.milliseconds(1_999)).isEmpty)
        #expect(bench.wait(.milliseconds(1)) == [.withdraw(bench.address)])
        #expect(bench.tenure.isHandedOver)
    }
}
