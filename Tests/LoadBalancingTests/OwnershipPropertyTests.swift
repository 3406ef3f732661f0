import LoadBalancing
import NetworkTypes
import Testing

/// What holds in every world; a failure names the seed that makes the world again.
@Suite struct OwnershipPropertyTests {
    @Test("one owner where a node can own, none elsewhere, and a reason for everybody else")
    func oneOwner() {
        for seed in UInt64(0)..<400 {
            let ownership = OwnershipWorld.random(seed, claims: seed % 2 == 1).elect()
            for address in ownership.addresses {
                let verdicts = ownership.verdicts(for: address)
                #expect(verdicts.map(\.node).sorted() == ownership.nodes, "seed \(seed)")
                let winners = verdicts.filter { $0.isOwner }
                let capable = verdicts.filter { $0.isCapable }
                #expect(winners.count == (capable.isEmpty ? 0 : 1), "seed \(seed) \(address)")
                #expect(winners.first?.node == ownership.owner(of: address), "seed \(seed)")
                let decision = ownership.decision(for: address)
                #expect(decision?.owner == winners.first?.node, "seed \(seed)")
                #expect((decision?.cause == .noCandidate) == winners.isEmpty, "seed \(seed)")
            }
        }
    }

    @Test("without claims every bound is kept, and is ⌈1.25 × average⌉ exactly")
    func bounds() {
        for seed in UInt64(0)..<600 {
            let ownership = OwnershipWorld.random(seed, claims: false).elect()
            // Eight nodes at most, so every share is a whole number of 840ths.
            var shares: [String: Int] = [:]
            var carried: [String: Int] = [:]
            for address in ownership.addresses {
                let contenders = ownership.verdicts(for: address).filter { $0.contends }
                for verdict in contenders {
                    shares[verdict.node, default: 0] += 840 / contenders.count
                    if verdict.isOwner { carried[verdict.node, default: 0] += 1 }
                }
            }
            for node in ownership.nodes {
                let load = ownership.load(of: node)
                let bound = ((shares[node] ?? 0) * 5 + 4 * 840 - 1) / (4 * 840)
                #expect(load?.bound == bound, "seed \(seed) \(node)")
                #expect(load?.carried == carried[node] ?? 0, "seed \(seed) \(node)")
                #expect(carried[node] ?? 0 <= bound, "seed \(seed) \(node)")
            }
        }
    }

    @Test("a node passed over for its load carries its bound or more")
    func reasonsAreTrue() {
        for seed in UInt64(0)..<400 {
            let ownership = OwnershipWorld.random(seed, claims: seed % 2 == 1).elect()
            for address in ownership.addresses {
                for verdict in ownership.verdicts(for: address) {
                    guard case .loses(.loadBound(let carried, let bound)) = verdict.verdict else {
                        continue
                    }
                    #expect(carried >= bound, "seed \(seed) \(address) \(verdict.node)")
                }
            }
        }
    }

    @Test("equal inputs give equal answers in whatever order they were collected")
    func order() {
        for seed in UInt64(0)..<150 {
            let world = OwnershipWorld.random(seed, claims: true)
            var random = WorldSeed(state: ~seed)
            var other = OwnershipWorld([])
            other.offers = [:]
            for (name, facts) in world.nodes.shuffled(using: &random) {
                other.nodes[name] = facts
                other.nodes[name]?.interfaces?.shuffle(using: &random)
            }
            for (name, offer) in world.offers.shuffled(using: &random) {
                other.offers[name] = offer
            }
            for (address, demand) in world.demands.shuffled(using: &random) {
                other.demands[address] = demand
            }
            for (address, claims) in world.claims.shuffled(using: &random) {
                other.claims[address] = claims.shuffled(using: &random)
            }
            for (address, disputes) in world.disputes.shuffled(using: &random) {
                other.disputes[address] = disputes.shuffled(using: &random)
            }
            let (left, right) = (world.elect(), other.elect())
            for address in left.addresses {
                #expect(left.decision(for: address) == right.decision(for: address))
                #expect(left.verdicts(for: address) == right.verdicts(for: address))
            }
            #expect(left.nextBalancingMove == right.nextBalancingMove, "seed \(seed)")
            for node in left.nodes {
                #expect(
                    AnnouncementPlan(node: node, ownership: left)
                        == AnnouncementPlan(node: node, ownership: right), "seed \(seed)")
            }
        }
    }

    @Test("what is claimed stays, election after election, while its holder may own it")
    func sticky() {
        for seed in UInt64(0)..<200 {
            var world = OwnershipWorld.random(seed, claims: false)
            // Under Always an address also goes where it is preferred.
            for name in world.offers.keys where world.offers[name]?.preemption == .always {
                world.offers[name]?.preemption = .gradual
            }
            let first = world.elect()
            world.claims = first.asClaims
            // Any node may come back, and any may fail.
            var random = WorldSeed(state: ~seed)
            for name in first.nodes {
                if random.chance(30) { world.nodes[name]?.isReady.toggle() }
            }
            let second = world.elect()
            for address in first.addresses {
                guard let holder = first.owner(of: address) else { continue }
                let stays = second.verdicts(for: address).contains {
                    $0.node == holder && $0.isCapable
                }
                #expect(
                    (second.owner(of: address) == holder) == stays, "seed \(seed) \(address)")
            }
        }
    }

    @Test("exactly one plan announces an address that has an owner, and the others name it")
    func plansAgree() {
        for seed in UInt64(0)..<100 {
            let ownership = OwnershipWorld.random(seed, claims: true).elect()
            let plans = ownership.nodes.map { AnnouncementPlan(node: $0, ownership: ownership) }
            for address in ownership.addresses {
                let owner = ownership.owner(of: address)
                let announcing = plans.filter { $0.announcements[address] != nil }.map(\.node)
                #expect(announcing == (owner.map { [$0] } ?? []), "seed \(seed) \(address)")
                for plan in plans where plan.node != owner {
                    #expect(plan.absences[address]?.owner == owner, "seed \(seed) \(address)")
                }
            }
        }
    }
}

extension NodeVerdict {
    fileprivate var isOwner: Bool {
        if case .owns = verdict { true } else { false }
    }

    /// Whether the node may own the address, whoever does.
    fileprivate var isCapable: Bool {
        switch verdict {
        case .owns: true
        case .loses(.lowerPreference), .loses(.holderStays), .loses(.loadBound), .loses(.rank),
            .loses(.otherAskedFor):
            true
        case .loses: false
        }
    }

    /// Whether the node competes: it may own the address and has the highest weight.
    fileprivate var contends: Bool {
        switch verdict {
        case .loses(.lowerPreference), .loses(.otherAskedFor): false
        case .owns, .loses: isCapable
        }
    }
}
