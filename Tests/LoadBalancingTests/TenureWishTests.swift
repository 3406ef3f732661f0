import LoadBalancing
import NetworkTypes
import Testing

@Suite struct TenureWishTests {
    @Test("a node asked to have an address announces at once and claims above the owner")
    func moved() {
        var bench = TenureBench(nodes: ["a", "b"])
        bench.facts.claims[bench.address] = [Claim(node: "b", epoch: 3)]
        _ = bench.elect()
        #expect(
            bench.handle(.moveRequested(bench.address)) == [bench.announce(.handover(from: "b"))])
        let actions = bench.handle(.answering(bench.address))
        #expect(actions.first == .claim(bench.address, epoch: 4))
        guard case .moved(let move) = actions.last else {
            Issue.record("no move in \(actions)")
            return
        }
        #expect(move.cause.description == "was given it by hand; b had it")
        #expect(bench.wait(.seconds(20)).isEmpty)
        #expect(bench.tenure.ownership?.owner(of: bench.address) == "a")
    }

    @Test("a node that may not own the address refuses, with the reason")
    func refused() {
        var bench = TenureBench(nodes: ["a", "b"])
        bench.facts.nodes["a"]?.isCordoned = true
        _ = bench.elect()
        #expect(
            bench.handle(.moveRequested(bench.address)) == [.refusedMove(bench.address, .cordoned)])
        let unused = OwnershipWorld.address(77)
        #expect(bench.handle(.moveRequested(unused)) == [.refusedMove(unused, .notInUse)])
        bench.facts.nodes["a"]?.isCordoned = false
        bench.facts.offers["lan"] = Layer2Offer(weights: ["b": 1], preemption: .always)
        _ = bench.elect()
        #expect(
            bench.handle(.moveRequested(bench.address))
                == [.refusedMove(bench.address, .lowerPreference(weight: 0, best: 1))])
    }

    @Test("a move that is never answered for is given up, and the owner stays")
    func abandoned() {
        var bench = TenureBench(nodes: ["a", "b"])
        bench.facts.claims[bench.address] = [Claim(node: "b", epoch: 3)]
        _ = bench.elect()
        _ = bench.handle(.moveRequested(bench.address))
        #expect(bench.wait(.seconds(5)) == [.withdraw(bench.address)])
        #expect(bench.tenure.ownership?.owner(of: bench.address) == "b")
        #expect(bench.tenure.claims.isEmpty)
    }

    @Test("under Gradual one address moves at a time, five seconds after all is quiet")
    func gradual() {
        var bench = TenureBench(nodes: ["a", "b"])
        bench.facts.offers["lan"] = Layer2Offer(preemption: .gradual)
        bench.facts.demands = OwnershipWorld(["a"], addresses: 8).demands
        for address in bench.facts.demands.keys {
            bench.facts.claims[address] = [Claim(node: "b", epoch: 1)]
        }
        _ = bench.elect()
        for round in 1...4 {
            #expect(bench.wait(.milliseconds(4_900)).isEmpty, "round \(round)")
            let begun = bench.wait(.milliseconds(200))
            guard begun.count == 1, case .announce(let address, let tenancy) = begun[0] else {
                Issue.record("round \(round): \(begun)")
                return
            }
            #expect(tenancy.manner == .handover(from: "b"))
            guard case .moved(let move) = bench.handle(.answering(address)).last else {
                Issue.record("round \(round): no move")
                return
            }
            #expect(move.cause == .balanced(from: "b"))
            _ = bench.handle(.claimsChanged(node: "b", [address: nil]))
        }
        #expect(bench.wait(.seconds(60)).isEmpty, "four and four is balance")
    }

    @Test("a node cut off from all others makes no move for balance")
    func isolated() {
        var bench = TenureBench(nodes: ["a", "b"])
        bench.facts.offers["lan"] = Layer2Offer(preemption: .gradual)
        bench.facts.demands = OwnershipWorld(["a"], addresses: 8).demands
        for address in bench.facts.demands.keys {
            bench.facts.claims[address] = [Claim(node: "b", epoch: 1)]
        }
        bench.facts.isIsolated = true
        _ = bench.elect()
        #expect(bench.wait(.seconds(30)).isEmpty)
    }
}
