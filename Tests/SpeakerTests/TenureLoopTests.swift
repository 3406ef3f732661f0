import Layer2
import LinuxNetwork
import LoadBalancing
import NetworkTypes
import Testing

@testable import Speaker

@Suite("The thread that decides what a node announces")
struct TenureLoopTests {
    private let address = TenureLoopBench.address
    private let other = TenureLoopBench.other
    private let unheard = LossReason.dead(cause: "nothing was ever heard of it")

    /// A bench where n1 and n2 live and n2 claims the address under epoch 5.
    private func ownedByOther() async throws -> TenureLoopBench {
        let bench = try TenureLoopBench()
        // No address yet, so that n2 speaks before anybody could take it.
        try await bench.settle {
            $0.facts = TenureLoopBench.facts(addresses: [])
            $0.isAssessed = true
        }
        try await bench.settle {
            $0.liveness = ["n2": .alive]
            $0.claims = ["n2": [address: 5]]
        }
        try await bench.settle { $0.facts = TenureLoopBench.facts() }
        #expect(try await bench.shows { $0.ownership?.owner(of: address) == "n2" })
        #expect(bench.outcome.wishes.isEmpty)
        return bench
    }

    /// A bench where n1 answers for the address and n2 lives.
    private func owned(
        _ facts: Tenure.Facts = TenureLoopBench.facts()
    ) async throws -> TenureLoopBench {
        let bench = try TenureLoopBench()
        try await bench.settle {
            $0.facts = facts
            $0.restored = [address: 3]
            $0.liveness = ["n2": .alive]
            $0.isAssessed = true
        }
        try await bench.settle { $0.wire[address, default: .init()].isAnswering = true }
        #expect(try await bench.shows { $0.tenure.phase(of: address) == .holding })
        return bench
    }

    @Test("nothing is decided before the gossip knows who lives")
    func assessment() async throws {
        let bench = try TenureLoopBench()
        try await bench.settle { $0.facts = TenureLoopBench.facts() }
        #expect(bench.outcome.wishes.isEmpty)
        #expect(!bench.outcome.report.hasApplied)
        try await bench.settle { $0.isAssessed = true }
        #expect(bench.outcome.wishes.keys.contains(address))
        #expect(try await bench.shows(\.hasApplied))
    }

    @Test("a node that was never heard of is dead if it could be asked; else nobody knows")
    func unknown() async throws {
        let gossiping = try TenureLoopBench()
        let places = ["192.0.2.2", "192.0.2.3"].compactMap { IPAddress($0) }
        try await gossiping.settle {
            $0.facts = TenureLoopBench.facts()
            $0.nodeAddresses = ["n2": [places[0]], "n3": [places[1]]]
            $0.isAssessed = true
        }
        #expect(try await gossiping.shows(\.hasApplied))
        let ownership = try #require(gossiping.outcome.report.ownership)
        #expect(ownership.owner(of: address) == "n1")
        #expect(ownership.lossReason(of: "n2", for: address) == unheard)

        let silent = try TenureLoopBench(gossips: false)
        try await silent.settle { $0.facts = TenureLoopBench.facts() }
        #expect(try await silent.shows(\.hasApplied))
        let guess = try #require(silent.outcome.report.ownership)
        for node in ["n1", "n2", "n3"] {
            #expect(guess.lossReason(of: node, for: address) != unheard)
        }
    }

    @Test("what a node says of its claims counts, and not what its record says")
    func claims() async throws {
        let record = TenureLoopBench.facts(claims: [address: [Claim(node: "n2", epoch: 9)]])
        let bench = try TenureLoopBench()
        try await bench.settle {
            $0.facts = record
            $0.liveness = ["n2": .alive]
            $0.isAssessed = true
        }
        #expect(
            try await bench.shows {
                $0.ownership?.decision(for: address)?.cause == .holdsClaim
            })
        #expect(bench.outcome.report.ownership?.owner(of: address) == "n2")
        try await bench.settle { $0.claims = ["n2": [address: nil]] }
        #expect(
            try await bench.shows {
                $0.ownership?.decision(for: address)?.cause != .holdsClaim
            })
        // The same record again is older than the word.
        try await bench.settle { $0.facts = record }
        #expect(
            try await bench.shows {
                $0.ownership?.decision(for: address)?.cause != .holdsClaim
            })
    }

    @Test("a death is acted upon even when it comes together with new facts")
    func deathBesideFacts() async throws {
        let bench = try await ownedByOther()
        try await bench.settle {
            $0.facts = TenureLoopBench.facts(addresses: [address, other])
            $0.liveness = ["n2": .dead(cause: "nothing is heard of it")]
        }
        #expect(bench.outcome.wishes[address]?.settings.start == .afterCheck)
        // And what is known of it stays, whatever facts come later.
        try await bench.settle { $0.facts = TenureLoopBench.facts() }
        #expect(bench.outcome.wishes.keys.contains(address))
    }

    @Test("a claim is acted upon even when it comes together with new facts")
    func claimBesideFacts() async throws {
        let bench = try await owned()
        try await bench.settle { $0.claims = ["n2": [address: 1]] }
        #expect(bench.outcome.wishes.keys.contains(address))
        try await bench.settle {
            $0.facts = TenureLoopBench.facts(addresses: [address, other])
            $0.claims = ["n2": [address: 40]]
        }
        #expect(bench.outcome.wishes[address] == nil)
    }

    @Test("of a node that the gossip has forgotten no claim is left")
    func forgotten() async throws {
        let bench = try await ownedByOther()
        try await bench.settle { $0.forgotten = ["n2"] }
        #expect(try await bench.shows { $0.ownership?.owner(of: address) == "n1" })
        let ownership = try #require(bench.outcome.report.ownership)
        // The first claim of all, as far as anybody knows.
        #expect(ownership.decision(for: address)?.epoch == 1)
        // Back again before anybody looked: what it says now counts.
        try await bench.settle {
            $0.forgotten = ["n2"]
            $0.liveness = ["n2": .alive]
            $0.claims = ["n2": [address: 50]]
        }
        #expect(try await bench.shows { $0.ownership?.owner(of: address) == "n2" })
        #expect(bench.outcome.wishes.isEmpty)
    }

    @Test("a suspension of the permit ends only when others' claims have been acted upon")
    func suspension() async throws {
        let bench = try await owned()
        bench.post {
            $0.claims = ["n2": [address: 40]]
            $0.suspension = 7
        }
        #expect(try await comesTrue { bench.outcome.cleared[7] != nil })
        #expect(bench.outcome.cleared[7]?[address] == nil)
    }

    @Test("what is answered for is claimed above what was restored, and the move has a cause")
    func answering() async throws {
        let bench = try await ownedByOther()
        try await bench.settle { $0.liveness = ["n2": .dead(cause: "nothing is heard of it")] }
        #expect(bench.outcome.claims[address] == nil)
        try await bench.settle { $0.wire[address, default: .init()].isAnswering = true }
        #expect(bench.outcome.claims == [address: 6])
        let moves = bench.outcome.events.compactMap { event in
            if case .moved(let move) = event { move } else { nil }
        }
        #expect(moves.map(\.from) == ["n2"])
        #expect(try await bench.shows { $0.moveCounts["takeover"] == 1 })
    }

    @Test("an address that the wire still hears is shown as held, by the node's name")
    func held() async throws {
        let bench = try await ownedByOther()
        let station = MACAddress(bits: 0x0200_0000_0002)
        try await bench.settle {
            $0.stations = [station: "n2"]
            $0.liveness = ["n2": .dead(cause: "nothing is heard of it")]
        }
        try await bench.settle { $0.wire[address, default: .init()].heldBy = station }
        #expect(try await bench.shows { $0.held == [address: "n2"] })
        // It stops, and this node answers.
        try await bench.settle { $0.wire[address, default: .init()].isAnswering = true }
        #expect(try await bench.shows { $0.held.isEmpty })
    }

    @Test("a wish that is refused says which wish, and is forgotten with its address")
    func refusedWish() async throws {
        let facts = TenureLoopBench.facts(addresses: [address, other]) {
            $0.nodes["n1"]?.isCordoned = true
        }
        let bench = try TenureLoopBench()
        try await bench.settle {
            $0.facts = facts
            $0.liveness = ["n2": .alive]
            $0.isAssessed = true
        }
        try await bench.settle { $0.moves = [address: 1] }
        #expect(
            try await bench.shows {
                $0.refusals[address] == .init(wish: 1, reason: .cordoned)
            })
        try await bench.settle { $0.moves = [address: 2] }
        #expect(try await bench.shows { $0.refusals[address]?.wish == 2 })
        try await bench.settle {
            $0.facts = TenureLoopBench.facts(addresses: [other]) {
                $0.nodes["n1"]?.isCordoned = true
            }
        }
        try await bench.settle { $0.moves = [other: 3] }
        #expect(try await bench.shows { $0.refusals.keys.elementsEqual([other]) })
    }

    @Test("a process that ends hands over, and has done so once the other's claim is there")
    func stopping() async throws {
        let bench = try await owned()
        #expect(!bench.outcome.report.hasHandedOverAll)
        try await bench.settle { $0.isStopping = true }
        #expect(try await bench.shows(\.isStopping))
        // It answers until somebody else does.
        #expect(bench.outcome.wishes.keys.contains(address))
        #expect(!bench.outcome.report.hasHandedOverAll)
        try await bench.settle { $0.claims = ["n2": [address: 4]] }
        #expect(bench.outcome.wishes.isEmpty)
        #expect(try await bench.shows(\.hasHandedOverAll))
        let left = bench.outcome.events.contains { event in
            if case .left(address, to: "n2", _) = event { true } else { false }
        }
        #expect(left)
    }

    @Test("a process that ends before it knows anything has nothing to hand over")
    func stoppingAtOnce() async throws {
        let bench = try TenureLoopBench()
        try await bench.settle { $0.isStopping = true }
        #expect(try await bench.shows(\.hasHandedOverAll))
    }

    @Test("addresses of others are watched where their owner announces them")
    func watching() async throws {
        let station = MACAddress(bits: 0x0200_0000_0002)
        let facts = TenureLoopBench.facts(interfaces: .only(["eth1"])) { facts in
            let interfaces = [InterfaceFacts(name: "eth1")]
            for name in facts.nodes.keys { facts.nodes[name]?.interfaces = interfaces }
        }
        let bench = try TenureLoopBench()
        try await bench.settle {
            $0.facts = facts
            $0.stations = [station: "n2"]
            $0.liveness = ["n2": .alive]
            $0.claims = ["n2": [address: 5]]
            $0.nodeAddresses = ["n3": [address]]
            $0.isAssessed = true
        }
        #expect(
            try await comesTrue {
                bench.outcome.watches == [
                    address: Layer2Watch(owner: [station], interfaces: ["eth1"])
                ]
            })
    }

    @Test("at the end everything is silent, and the last report is the last word")
    func end() async throws {
        let bench = try await owned()
        bench.end()
        #expect(bench.outcome.wishes.isEmpty)
        #expect(bench.outcome.report.claims == bench.outcome.claims)
    }
}
