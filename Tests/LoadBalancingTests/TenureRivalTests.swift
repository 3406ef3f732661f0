import LoadBalancing
import NetworkTypes
import Testing

@Suite struct TenureRivalTests {
    @Test("of two claims after a split the higher epoch wins, and the loser is silent at once")
    func loser() {
        var bench = TenureBench(nodes: ["a", "b"])
        bench.hold(under: 4)
        _ = bench.handle(.livenessChanged(["b": .dead(cause: "silent")]))
        #expect(bench.handle(.claimsChanged(node: "b", [bench.address: 5])).isEmpty)
        #expect(
            bench.handle(.livenessChanged(["b": .alive]))
                == [.withdraw(bench.address), .release(bench.address)])
        #expect(bench.tenure.ownership?.owner(of: bench.address) == "b")
    }

    @Test("the winner of a split announces again, and not more than it takes")
    func winner() {
        var bench = TenureBench(nodes: ["a", "b"])
        bench.hold(under: 6)
        _ = bench.handle(.livenessChanged(["b": .dead(cause: "silent")]))
        _ = bench.handle(.claimsChanged(node: "b", [bench.address: 5]))
        #expect(
            bench.handle(.livenessChanged(["b": .alive])) == [.reannounce(bench.address)])
        // The rival goes on answering a little: a burst at once, and a last one later.
        for _ in 0..<100 {
            #expect(bench.handle(.peerAnnounced(bench.address, node: "b")).isEmpty)
        }
        #expect(bench.wait(.seconds(60)) == [.reannounce(bench.address)])
    }

    @Test("of equal epochs the rank decides, the same on both nodes")
    func equalEpochs() {
        var sides: [Tenure.Phase?] = []
        for (node, other) in [("a", "b"), ("b", "a")] {
            var bench = TenureBench(node, nodes: ["a", "b"])
            bench.hold(under: 4)
            _ = bench.handle(.claimsChanged(node: other, [bench.address: 4]))
            _ = bench.wait(.seconds(2))
            sides.append(bench.tenure.phase(of: bench.address))
        }
        #expect(sides.count { $0 == .holding } == 1)
        #expect(sides.count { $0 == nil } == 1)
    }

    @Test("a taker gives way to another that was first, without having claimed")
    func twoTakers() {
        var bench = TenureBench(nodes: ["a", "b", "c"])
        bench.facts.demands[bench.address]?.preferredNode = "a"
        bench.facts.claims[bench.address] = [Claim(node: "c", epoch: 1)]
        bench.facts.nodes["c"]?.liveness = .dead(cause: "silent")
        #expect(bench.elect() == [bench.announce(.takeover(from: "c"))])
        #expect(
            bench.handle(.claimsChanged(node: "b", [bench.address: 2]))
                == [.withdraw(bench.address)])
        #expect(bench.handle(.answering(bench.address)).isEmpty)
        #expect(bench.tenure.claims.isEmpty)
    }

    @Test("the higher claim of a live node that may not own the address is outbid at once")
    func outbid() {
        var bench = TenureBench(nodes: ["a", "b"])
        bench.hold(under: 4)
        _ = bench.wait(.seconds(1))
        bench.facts.nodes["b"]?.isReady = false
        _ = bench.elect()
        #expect(bench.handle(.claimsChanged(node: "b", [bench.address: 9])).isEmpty)
        #expect(bench.wait(.seconds(1)) == [.claim(bench.address, epoch: 10)])
    }

    @Test("the higher claim of a node that is gone is outbid, but not in haste")
    func outbidAbsent() {
        var bench = TenureBench(nodes: ["a", "b"])
        bench.hold(under: 4)
        _ = bench.handle(.livenessChanged(["b": .dead(cause: "silent")]))
        _ = bench.handle(.claimsChanged(node: "b", [bench.address: 9]))
        #expect(bench.wait(.milliseconds(900)).isEmpty)
        #expect(bench.wait(.milliseconds(200)) == [.claim(bench.address, epoch: 10)])
    }

    @Test("news of a claim and of a death stand against facts put together before them")
    func news() {
        var bench = TenureBench(nodes: ["a", "b"])
        bench.facts.claims[bench.address] = [Claim(node: "b", epoch: 7)]
        _ = bench.elect()
        _ = bench.handle(.livenessChanged(["b": .dead(cause: "silent")]))
        #expect(bench.elect().isEmpty, "facts say alive, and are older")
        #expect(bench.tenure.phase(of: bench.address) == .taking)
        _ = bench.handle(.answering(bench.address))
        _ = bench.handle(.livenessChanged(["b": .alive]))
        _ = bench.handle(.claimsChanged(node: "b", [bench.address: nil]))
        _ = bench.elect()
        #expect(bench.tenure.phase(of: bench.address) == .holding)
        #expect(bench.tenure.claims[bench.address] == 8)
    }

    @Test("claims beyond the last epoch do not trap")
    func lastEpoch() {
        var bench = TenureBench(nodes: ["a", "b"])
        bench.hold(under: 4)
        _ = bench.handle(.livenessChanged(["b": .dead(cause: "silent")]))
        _ = bench.handle(.claimsChanged(node: "b", [bench.address: .max]))
        #expect(bench.wait(.seconds(2)) == [.claim(bench.address, epoch: .max)])
        #expect(bench.wait(.seconds(2)).isEmpty)
    }
}
