import LoadBalancing
import NetworkTypes
import Testing

/// Moves under `preemption: Gradual`.
@Suite struct OwnershipBalancingTests {
    /// Makes moves until none is left; each must be of use.
    func settle(_ world: inout OwnershipWorld, limit: Int) -> [BalancingMove] {
        var moves: [BalancingMove] = []
        while let move = world.elect().nextBalancingMove, moves.count < limit {
            #expect(move.from != move.to)
            #expect(world.elect().owner(of: move.address) == move.from)
            moves.append(move)
            let highest = world.claims[move.address]?.map(\.epoch).max() ?? 0
            world.claims[move.address] = [Claim(node: move.to, epoch: highest + 1)]
            #expect(world.elect().owner(of: move.address) == move.to)
        }
        return moves
    }

    @Test("a returning node is given its share, one address at a time, and then it ends")
    func share() {
        var world = OwnershipWorld(["a", "b", "c"], addresses: 30)
        world.offers["lan"] = Layer2Offer(preemption: .gradual)
        world.nodes["c"]?.isReady = false
        world.claims = world.elect().asClaims
        world.nodes["c"]?.isReady = true
        let moves = settle(&world, limit: 100)
        #expect(moves.count == 10)
        #expect(moves.allSatisfy { $0.to == "c" })
        for node in ["a", "b", "c"] { #expect(world.elect().load(of: node)?.carried == 10) }
    }

    @Test("preferred nodes get their addresses first")
    func preference() throws {
        var world = OwnershipWorld(["a", "b", "c"], addresses: 4)
        world.offers["lan"] = Layer2Offer(preemption: .gradual)
        for address in world.demands.keys { world.claims[address] = [Claim(node: "a", epoch: 1)] }
        world.demands[OwnershipWorld.address(2)]?.preferredNode = "b"
        let move = try #require(world.elect().nextBalancingMove)
        #expect(move == BalancingMove(address: OwnershipWorld.address(2), from: "a", to: "b"))
    }

    @Test("addresses under Never and Always are let be")
    func others() {
        var world = OwnershipWorld(["a", "b"], addresses: 6)
        for address in world.demands.keys { world.claims[address] = [Claim(node: "a", epoch: 1)] }
        for preemption in [Preemption.never, .always] {
            world.offers["lan"] = Layer2Offer(preemption: preemption)
            #expect(world.elect().nextBalancingMove == nil)
        }
    }

    @Test("moves end in every world, and change nothing that does not move gradually")
    func ends() {
        for seed in UInt64(0)..<150 {
            var world = OwnershipWorld.random(seed, claims: true)
            let before = world.elect()
            let moves = settle(&world, limit: 2_000)
            #expect(moves.count < 2_000, "seed \(seed)")
            let after = world.elect()
            let moved = Set(moves.map(\.address))
            for address in before.addresses
            where !moved.contains(address) && before.decision(for: address)?.cause == .holdsClaim {
                #expect(after.owner(of: address) == before.owner(of: address), "seed \(seed)")
            }
        }
    }
}
