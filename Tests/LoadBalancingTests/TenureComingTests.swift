import LoadBalancing
import NetworkTypes
import Testing

@Suite struct TenureComingTests {
    @Test("an address nobody had is probed for, and claimed once it is answered for")
    func firstUse() {
        var bench = TenureBench(nodes: ["a"])
        #expect(bench.elect() == [bench.announce(.firstUse(probes: true))])
        #expect(bench.tenure.phase(of: bench.address) == .taking)
        #expect(bench.tenure.claims.isEmpty)
        let move = Tenure.Move(
            address: bench.address, from: nil, to: "a", cause: .firstUse, epoch: 1, at: bench.now)
        #expect(
            bench.handle(.answering(bench.address))
                == [.claim(bench.address, epoch: 1), .moved(move)])
        #expect(bench.tenure.phase(of: bench.address) == .holding)
        #expect(bench.tenure.lastMove(of: bench.address) == move)
        #expect(bench.wait(.seconds(60)).isEmpty, "what is settled stays settled")
    }

    @Test("a pool without conflict detection is not probed for")
    func noProbes() {
        var bench = TenureBench(nodes: ["a"])
        bench.facts.demands[bench.address]?.detectsConflicts = false
        #expect(bench.elect() == [bench.announce(.firstUse(probes: false))])
    }

    @Test("the owner's death moves its address at once, with a check of the wire")
    func takeover() {
        var bench = TenureBench(nodes: ["a", "b"])
        bench.facts.claims[bench.address] = [Claim(node: "b", epoch: 7)]
        #expect(bench.elect().isEmpty)
        let cause = "its process is gone"
        #expect(
            bench.handle(.livenessChanged(["b": .dead(cause: cause)]))
                == [bench.announce(.takeover(from: "b"))])
        let actions = bench.handle(.answering(bench.address))
        #expect(actions.first == .claim(bench.address, epoch: 8))
        guard case .moved(let move) = actions.last else {
            Issue.record("no move in \(actions)")
            return
        }
        #expect(move.from == "b")
        #expect(move.cause.description == "took over from b, which is down (its process is gone)")
    }

    @Test("a node that drains hands over without a check, and says so")
    func handover() {
        var bench = TenureBench(nodes: ["a", "b"])
        bench.facts.claims[bench.address] = [Claim(node: "b", epoch: 3)]
        bench.facts.nodes["b"]?.isDraining = true
        #expect(bench.elect() == [bench.announce(.handover(from: "b"))])
        guard case .moved(let move) = bench.handle(.answering(bench.address)).last else {
            Issue.record("no move")
            return
        }
        #expect(move.epoch == 4)
        #expect(move.cause.description == "was handed it by b, which is draining")
    }

    @Test("a preferred node takes its address back under Always, and names the rule")
    func preemption() {
        var bench = TenureBench(nodes: ["a", "b"])
        bench.facts.claims[bench.address] = [Claim(node: "b", epoch: 3)]
        bench.facts.offers["lan"] = Layer2Offer(weights: ["a": 5], preemption: .always)
        #expect(bench.elect() == [bench.announce(.handover(from: "b"))])
        guard case .moved(let move) = bench.handle(.answering(bench.address)).last else {
            Issue.record("no move")
            return
        }
        #expect(move.cause.description == "takes it back from b (preemption: Always)")
    }

    @Test("a node that is not ready and that nobody watches may be gone: the wire is asked")
    func unwatched() {
        var bench = TenureBench(nodes: ["a", "b"])
        bench.facts.claims[bench.address] = [Claim(node: "b", epoch: 3)]
        bench.facts.nodes["b"] = NodeFacts(liveness: .unknown, isReady: false)
        #expect(bench.elect() == [bench.announce(.takeover(from: "b"))])
    }

    @Test("after a restart a node claims again what it had, and resumes it at once")
    func resume() {
        var bench = TenureBench()
        #expect(
            bench.handle(.claimsRestored([bench.address: 6]))
                == [.claim(bench.address, epoch: 6)])
        #expect(bench.elect() == [bench.announce(.resume)])
        #expect(bench.handle(.answering(bench.address)).isEmpty, "claimed already, and no move")
        #expect(bench.tenure.claims == [bench.address: 6])
    }

    @Test("after a restart a node leaves what another has claimed since")
    func resumeTooLate() {
        var bench = TenureBench()
        _ = bench.handle(.claimsRestored([bench.address: 6]))
        bench.facts.claims[bench.address] = [Claim(node: "b", epoch: 7)]
        #expect(bench.elect() == [.release(bench.address)])
        #expect(bench.tenure.claims.isEmpty)
        #expect(bench.tenure.plan.absences[bench.address]?.owner == "b")
    }

    @Test("a speaker that still answers holds the takeover, and it is said once")
    func held() {
        var bench = TenureBench(nodes: ["a", "b"])
        bench.facts.claims[bench.address] = [Claim(node: "b", epoch: 7)]
        bench.facts.nodes["b"]?.liveness = .dead(cause: "silent for 70 ms")
        #expect(bench.elect() == [bench.announce(.takeover(from: "b"))])
        #expect(
            bench.handle(.heldByPeer(bench.address, peer: "b"))
                == [.held(bench.address, by: "b")])
        #expect(bench.handle(.heldByPeer(bench.address, peer: "b")).isEmpty)
        #expect(bench.tenure.phase(of: bench.address) == .held)
        #expect(bench.tenure.claims.isEmpty, "what is not answered for is not claimed")
        // It was gossip that was broken: the owner is heard of again.
        #expect(
            bench.handle(.livenessChanged(["b": .alive])) == [.withdraw(bench.address)])
        #expect(bench.tenure.phase(of: bench.address) == nil)
    }

    @Test("a check in the way of a hand-over ends when the owner turns out to be draining")
    func heldThenHandedOver() {
        var bench = TenureBench(nodes: ["a", "b"])
        bench.facts.claims[bench.address] = [Claim(node: "b", epoch: 7)]
        bench.facts.nodes["b"]?.liveness = .dead(cause: "silent for 70 ms")
        _ = bench.elect()
        _ = bench.handle(.heldByPeer(bench.address, peer: "b"))
        bench.facts.nodes["b"]?.liveness = .alive
        bench.facts.nodes["b"]?.isDraining = true
        #expect(bench.elect() == [bench.announce(.handover(from: "b"))])
        #expect(bench.tenure.phase(of: bench.address) == .taking)
    }

    @Test("a disputed claim of a node that lives is taken over with a check")
    func dispute() {
        var bench = TenureBench(nodes: ["a", "b"])
        bench.facts.claims[bench.address] = [Claim(node: "b", epoch: 7)]
        bench.facts.disputes[bench.address] = [Dispute(node: "b", epoch: 7, witness: "c")]
        #expect(bench.elect() == [bench.announce(.takeover(from: "b"))])
        guard case .moved(let move) = bench.handle(.answering(bench.address)).last else {
            Issue.record("no move")
            return
        }
        #expect(
            move.cause.description
                == "took over from b, which claims it and does not answer, as c found")
    }

    @Test("other settings reach an address without starting it anew")
    func settings() {
        var bench = TenureBench(nodes: ["a"])
        _ = bench.elect()
        _ = bench.handle(.answering(bench.address))
        bench.facts.offers["lan"] = Layer2Offer(reannounceInterval: .seconds(5))
        var tenancy = bench.tenancy(.firstUse(probes: true))
        tenancy.settings.reannounceInterval = .seconds(5)
        #expect(bench.elect() == [.announce(bench.address, tenancy)])
        #expect(bench.tenure.phase(of: bench.address) == .holding)
    }

    @Test("where claims are not seen by all they do not count, and nothing is yielded")
    func noCommonMemory() {
        var bench = TenureBench(nodes: ["a", "b"])
        bench.hold(under: 9)
        bench.facts.isMemoryCommon = false
        bench.facts.offers["lan"] = Layer2Offer(weights: ["b": 1])
        #expect(bench.elect() == [.withdraw(bench.address)])
        // And back: the other cannot be asked, and stops as this one did.
        bench.facts.offers["lan"] = Layer2Offer(weights: ["a": 1])
        #expect(bench.elect() == [bench.announce(.handover(from: "b"))])
    }

    @Test("a node that was elected a moment ago may be about to answer: the wire is asked")
    func electedBefore() {
        var bench = TenureBench(nodes: ["a", "b"])
        bench.facts.demands[bench.address]?.preferredNode = "b"
        #expect(bench.elect().isEmpty)
        bench.facts.demands[bench.address]?.preferredNode = "a"
        #expect(bench.elect() == [bench.announce(.takeover(from: "b"))])
        guard case .moved(let move) = bench.handle(.answering(bench.address)).last else {
            Issue.record("no move")
            return
        }
        #expect(move.from == nil && move.cause == .firstUse, "nobody is known to have had it")
    }

    @Test("many claims of others are elected on once, and soon")
    func deferredElection() throws {
        var bench = TenureBench(nodes: ["a", "b"])
        bench.hold()
        _ = bench.wait(.seconds(1))
        #expect(bench.tenure.nextDeadline == nil)
        let other = OwnershipWorld.address(9)
        _ = bench.handle(.claimsChanged(node: "b", [other: 1]))
        let due = try #require(bench.tenure.nextDeadline)
        #expect(due - bench.now <= .milliseconds(11))
        bench.now = bench.now + .milliseconds(5)
        _ = bench.handle(.claimsChanged(node: "b", [other: 2]))
        #expect(bench.tenure.nextDeadline == due, "later news does not put it off")
        #expect(bench.wait(.seconds(1)).isEmpty)
        #expect(bench.tenure.nextDeadline == nil)
    }

    @Test("what a stranger to the cluster claims, or this node itself, changes nothing")
    func strangers() {
        var bench = TenureBench(nodes: ["a"])
        bench.hold()
        #expect(bench.handle(.claimsChanged(node: "stranger", [bench.address: 9])).isEmpty)
        #expect(bench.handle(.claimsChanged(node: "a", [bench.address: 99])).isEmpty)
        #expect(bench.handle(.livenessChanged(["a": .dead(cause: "rumour")])).isEmpty)
        #expect(bench.handle(.answering(OwnershipWorld.address(9))).isEmpty)
        #expect(bench.handle(.heldByPeer(bench.address, peer: "x")).isEmpty)
        #expect(bench.tenure.phase(of: bench.address) == .holding)
    }
}
