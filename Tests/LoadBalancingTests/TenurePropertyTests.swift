import LoadBalancing
import NetworkTypes
import Testing

/// Several tenures in a model of the world; a failure names the seed that runs it again.
@Suite struct TenurePropertyTests {
    /// Faults and operators at random, for a while.
    func disturb(_ world: inout TenureWorld) {
        for _ in 0..<12 {
            let name = world.names[Int.random(in: 0..<world.names.count, using: &world.random)]
            switch Int.random(in: 0..<8, using: &world.random) {
            case 0: world.kill(name)
            case 1: world.restart(name)
            case 2:
                var sides: [String: Int] = [:]
                for name in world.names {
                    sides[name] = Int.random(in: 0...1, using: &world.random)
                }
                world.split(sides)
            case 3: world.split(world.side.mapValues { _ in 0 })
            case 4:
                world.lastRelieved[name] = world.now
                world.change(name) { $0.isDraining.toggle() }
            case 5:
                world.lastRelieved[name] = world.now
                world.change(name) { $0.isReady.toggle() }
            case 6:
                let addresses = world.facts.demands.keys.sorted()
                world.wish(
                    addresses[Int.random(in: 0..<addresses.count, using: &world.random)], name)
            default: break
            }
            world.run(for: .milliseconds(Int.random(in: 1...1_500, using: &world.random)))
        }
    }

    /// Everything heals but what operators and Kubernetes say of nodes.
    func heal(_ world: inout TenureWorld) {
        world.split(world.side.mapValues { _ in 0 })
        for name in world.names { world.restart(name) }
        world.run(for: .seconds(12))
    }

    @Test("at quiet all agree, and one node answers for each address that can be owned")
    func agreement() {
        for seed in UInt64(0)..<70 {
            var world = TenureWorld(seed: seed)
            world.run(for: .seconds(1))
            disturb(&world)
            heal(&world)
            for address in world.facts.demands.keys.sorted() {
                let answering = world.names.filter {
                    world.answering[$0]?.contains(address) ?? false
                }
                let owners = Set(
                    world.names.map { world.tenures[$0]?.ownership?.owner(of: address) })
                #expect(owners.count == 1, "seed \(seed) \(address): \(owners)")
                let owner = owners.first.flatMap { $0 }
                #expect(answering == (owner.map { [$0] } ?? []), "seed \(seed) \(address)")
                if let owner {
                    let best = world.names.compactMap { name in
                        world.tenures[name]?.claims[address].map { (epoch: $0, name: name) }
                    }.max { $0.epoch < $1.epoch }
                    #expect(best?.name == owner, "seed \(seed) \(address)")
                } else {
                    #expect(world.names.allSatisfy { world.facts.nodes[$0]?.isWell == false })
                }
            }
            #expect(world.faults.isEmpty, "seed \(seed): \(world.faults)")
        }
    }

    @Test("two nodes that hear each other answer for one address no longer than hearing takes")
    func overlap() {
        // A fact takes up to 300 ms to reach a node, a death or a return up to 150 ms, a claim 5.
        for seed in UInt64(1_000)..<1_020 {
            var world = TenureWorld(seed: seed)
            world.run(for: .seconds(1))
            disturb(&world)
            heal(&world)
            #expect(world.longestOverlap <= .milliseconds(500), "seed \(seed)")
        }
    }

    @Test("without a cause nothing moves, however long it is left alone")
    func quiet() {
        for seed in UInt64(2_000)..<2_020 {
            var world = TenureWorld(seed: seed)
            world.facts.offers["lan"]?.preemption = .never
            world.run(for: .seconds(1))
            disturb(&world)
            heal(&world)
            let before = world.moves.count
            let answering = world.answering
            world.run(for: .seconds(300))
            #expect(world.moves.count == before, "seed \(seed)")
            #expect(world.answering == answering, "seed \(seed)")
        }
    }

    @Test("a death moves the addresses of the dead, and no others")
    func death() {
        for seed in UInt64(3_000)..<3_025 {
            var world = TenureWorld(seed: seed)
            world.facts.offers["lan"]?.preemption = .never
            world.run(for: .seconds(2))
            let before = world.answering
            let victim = world.names[Int(seed) % world.names.count]
            let moved = world.moves.count
            world.kill(victim)
            world.run(for: .seconds(2))
            for name in world.names where name != victim {
                #expect(
                    world.answering[name]?.isSuperset(of: before[name] ?? []) ?? false,
                    "seed \(seed) \(name)")
            }
            #expect(world.moves.count - moved == before[victim]?.count, "seed \(seed)")
            #expect(world.moves[moved...].allSatisfy { $0.move.from == victim }, "seed \(seed)")
            // Back again, it takes nothing.
            let after = world.answering
            world.restart(victim)
            world.run(for: .seconds(5))
            #expect(world.answering == after, "seed \(seed)")
        }
    }

    @Test("while a node drains each of its addresses is answered for at any time")
    func drain() {
        for seed in UInt64(4_000)..<4_015 {
            var world = TenureWorld(seed: seed)
            world.facts.offers["lan"]?.preemption = .never
            world.run(for: .seconds(2))
            let victim = world.names[Int(seed) % world.names.count]
            let addresses = Set(world.facts.demands.keys)
            world.lastRelieved[victim] = world.now
            world.change(victim) { $0.isDraining = true }
            for _ in 0..<500 {
                world.run(for: .milliseconds(1))
                let answered = world.answering.values.reduce(into: Set()) { $0.formUnion($1) }
                #expect(answered == addresses, "seed \(seed) at \(world.now)")
            }
            #expect(world.answering[victim] == [], "seed \(seed)")
            #expect(world.faults.isEmpty, "seed \(seed): \(world.faults)")
        }
    }
}
