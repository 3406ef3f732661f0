import LoadBalancing
import NetworkTypes
import Testing

/// Nodes that answer only with a fresh Lease, and wait for the Leases of others.
@Suite struct TenureFencingTests {
    func bench(_ nodes: [String] = ["a", "b"]) -> TenureBench {
        var bench = TenureBench(nodes: nodes)
        bench.tenure = Tenure(node: "a", isFenced: true)
        return bench
    }

    func fence(_ session: UInt64?, silent: Set<String> = []) -> Tenure.Event {
        .fenceChanged(Tenure.Fence(session: session, silent: silent))
    }

    /// Node b has the address, and then is not heard any more.
    func bereaved() -> TenureBench {
        var bench = bench()
        _ = bench.handle(fence(1))
        bench.facts.claims[bench.address] = [Claim(node: "b", epoch: 3)]
        _ = bench.elect()
        let actions = bench.handle(.livenessChanged(["b": .dead(cause: "silence")]))
        #expect(actions.isEmpty)
        return bench
    }

    @Test("nothing is begun with before the node's own Lease is fresh, and explain says so")
    func ownLease() {
        var bench = bench(["a"])
        #expect(bench.elect().isEmpty)
        #expect(bench.tenure.absence(of: bench.address)?.reason == .leaseNotFresh)
        #expect(bench.handle(fence(1)) == [bench.announce(.firstUse(probes: true))])
    }

    @Test("an owner that is not heard any more is waited for until it is found silent")
    func deadOwner() {
        var bench = bereaved()
        #expect(bench.tenure.awaitedSilence == ["b"])
        #expect(bench.tenure.absence(of: bench.address)?.reason == .waitsForLease(of: ["b"]))
        #expect(bench.wait(.seconds(3600)).isEmpty, "however long that takes")
        #expect(bench.handle(fence(1, silent: ["b"])) == [bench.announce(.takeover(from: "b"))])
        #expect(bench.tenure.awaitedSilence.isEmpty)
    }

    @Test("an owner tainted as shut down is not waited for")
    func outOfService() {
        var bench = bereaved()
        bench.facts.nodes["b"]?.isOutOfService = true
        bench.facts.nodes["b"]?.liveness = .dead(cause: "silence")
        #expect(bench.elect() == [bench.announce(.takeover(from: "b"))])
    }

    @Test("an owner that is heard again is not taken from")
    func back() {
        var bench = bereaved()
        #expect(bench.handle(.livenessChanged(["b": .alive])).isEmpty)
        #expect(bench.tenure.awaitedSilence.isEmpty)
        #expect(bench.tenure.ownership?.owner(of: bench.address) == "b")
    }

    @Test("a node that is not heard is waited for even where no claim of it is known")
    func unheard() {
        var bench = bench()
        _ = bench.handle(fence(1))
        bench.facts.nodes["b"]?.liveness = .dead(cause: "nothing was ever heard of it")
        #expect(bench.elect().isEmpty)
        #expect(bench.tenure.awaitedSilence == ["b"])
        #expect(
            bench.handle(fence(1, silent: ["b"])) == [bench.announce(.firstUse(probes: true))])
    }

    @Test(
        "an address handed over is claimed first, and answered for once the other's claim is gone")
    func handOver() {
        var bench = bench()
        _ = bench.handle(fence(1))
        bench.facts.claims[bench.address] = [Claim(node: "b", epoch: 3)]
        bench.facts.nodes["b"]?.isDraining = true
        #expect(bench.elect() == [.claim(bench.address, epoch: 4)])
        #expect(bench.tenure.awaitedSilence.isEmpty, "no Lease is read for it")
        #expect(
            bench.handle(.claimsChanged(node: "b", [bench.address: nil]))
                == [bench.announce(.handover(from: "b"))])
        guard case .moved(let move)? = bench.handle(.answering(bench.address)).last else {
            Issue.record("no move is told")
            return
        }
        #expect(move.from == "b")
        #expect(move.epoch == 4)
    }

    @Test("who has the address stops and takes its claim back before the other begins")
    func givingWay() {
        var bench = bench()
        _ = bench.handle(fence(1))
        bench.hold()
        bench.facts.nodes["a"]?.isDraining = true
        #expect(bench.elect().isEmpty)
        #expect(
            bench.handle(.claimsChanged(node: "b", [bench.address: 2]))
                == [.withdraw(bench.address), .release(bench.address)])
    }

    @Test("an operator's wish is carried out in the same way")
    func wish() {
        var bench = bench()
        _ = bench.handle(fence(1))
        bench.facts.claims[bench.address] = [Claim(node: "b", epoch: 3)]
        _ = bench.elect()
        #expect(
            bench.handle(.moveRequested(bench.address)) == [.claim(bench.address, epoch: 4)])
        #expect(
            bench.handle(.claimsChanged(node: "b", [bench.address: nil]))
                == [bench.announce(.handover(from: "b"))])
    }

    @Test("without a fresh Lease everything falls silent, and claims are kept")
    func lapse() {
        var bench = bench()
        _ = bench.handle(fence(1))
        bench.hold()
        #expect(bench.handle(fence(nil)) == [.withdraw(bench.address)])
        #expect(bench.tenure.claims == [bench.address: 1])
        #expect(bench.handle(fence(2)) == [bench.announce(.resume)])
    }

    @Test("a Lease that lapsed and is fresh again unnoticed is a lapse all the same")
    func lapseUnnoticed() {
        var bench = bench()
        _ = bench.handle(fence(1))
        bench.hold()
        bench.facts.nodes["b"]?.liveness = .dead(cause: "silence")
        #expect(bench.elect().isEmpty, "what it has it keeps")
        #expect(bench.handle(fence(2)) == [.withdraw(bench.address)], "b may have taken it")
        #expect(bench.tenure.awaitedSilence == ["b"])
        #expect(bench.handle(fence(2, silent: ["b"])) == [bench.announce(.resume)])
    }

    @Test("somebody who took over meanwhile keeps the address")
    func takenMeanwhile() {
        var bench = bench()
        _ = bench.handle(fence(1))
        bench.hold()
        _ = bench.handle(fence(nil))
        _ = bench.handle(.claimsChanged(node: "b", [bench.address: 2]))
        #expect(
            bench.wait(.milliseconds(50)) == [.release(bench.address)])
        #expect(bench.handle(fence(2)).isEmpty)
    }

    @Test("where nobody needs a Lease, what is said of Leases changes nothing")
    func unfenced() {
        var bench = TenureBench(nodes: ["a"])
        #expect(bench.elect() == [bench.announce(.firstUse(probes: true))])
        #expect(bench.handle(fence(nil)).isEmpty)
    }
}
