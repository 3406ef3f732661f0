import LoadBalancing
import NetworkTypes

/// Everything an election is held on, with short ways to make it.
struct OwnershipWorld {
    var nodes: [String: NodeFacts] = [:]
    var offers: [String: Layer2Offer] = ["lan": Layer2Offer()]
    var demands: [IPAddress: AddressDemand] = [:]
    var claims: [IPAddress: [Claim]] = [:]
    var disputes: [IPAddress: [Dispute]] = [:]

    /// Nodes of these names without a known fault, and so many addresses of one pool.
    init(_ names: [String] = ["a", "b", "c"], addresses: Int = 0) {
        for name in names { nodes[name] = NodeFacts() }
        for index in 0..<addresses { demands[Self.address(index)] = Self.demand() }
    }

    func elect() -> Ownership {
        Ownership.elect(
            nodes: nodes, offers: offers, demands: demands, claims: claims, disputes: disputes)
    }

    /// 198.18.0.0 and what follows, the benchmarking block of RFC 2544.
    static func address(_ index: Int) -> IPAddress {
        IPAddress(ipv4: 0xc612_0000 + UInt32(index))
    }

    static func demand(
        _ advertisements: Set<String> = ["lan"],
        _ backing: AddressDemand.Backing = .cluster(hasUsableEndpoint: true)
    ) -> AddressDemand {
        AddressDemand(
            services: [ServiceName(namespace: "default", name: "web")], pool: "lan",
            advertisements: advertisements, backing: backing)
    }
}

extension Ownership {
    /// The owner of every owned address.
    var owners: [IPAddress: String] {
        var owners: [IPAddress: String] = [:]
        for address in addresses { owners[address] = owner(of: address) }
        return owners
    }

    /// What each node would say to claim what it owns.
    var asClaims: [IPAddress: [Claim]] {
        var claims: [IPAddress: [Claim]] = [:]
        for address in addresses {
            guard let decision = decision(for: address), let owner = decision.owner else {
                continue
            }
            claims[address] = [Claim(node: owner, epoch: decision.epoch)]
        }
        return claims
    }
}

/// SplitMix64: the same worlds for the same seed, on every machine.
struct WorldSeed: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = (state ^ state >> 30) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
        return mixed ^ mixed >> 31
    }

    mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &self) < percent }

    mutating func some(of names: [String], percent: Int) -> Set<String> {
        Set(names.filter { _ in chance(percent) })
    }
}

extension OwnershipWorld {
    /// A world with faults, selectors, interfaces, subnets, weights and both policies in any mix.
    static func random(_ seed: UInt64, claims claimed: Bool) -> OwnershipWorld {
        var random = WorldSeed(state: seed)
        let names = (0..<Int.random(in: 1...8, using: &random)).map { "node-\($0)" }
        var world = OwnershipWorld(names)
        let subnets = ["198.18.0.0/24", "198.18.1.0/24", "203.0.113.0/24"].compactMap { Prefix($0) }
        for name in names {
            if random.chance(15) { world.nodes[name]?.isReady = false }
            if random.chance(5) { world.nodes[name]?.liveness = .dead(cause: "silent for 3 s") }
            if random.chance(10) { world.nodes[name]?.isCordoned = true }
            guard random.chance(60) else { continue }
            world.nodes[name]?.interfaces = ["eth0", "eth1"].map {
                InterfaceFacts(
                    name: $0, isUsable: random.chance(85),
                    prefixes: subnets.filter { _ in random.chance(50) })
            }
        }
        for offer in ["lan", "dmz", "extra"] {
            world.offers[offer] = Layer2Offer(
                nodes: random.chance(50) ? .all : .only(random.some(of: names, percent: 60)),
                interfaces: random.chance(60) ? .all : .only(["eth1"]),
                weights: random.chance(70)
                    ? [:] : [names[Int.random(in: 0..<names.count, using: &random)]: 50],
                preemption: Preemption.allCases.randomElement(using: &random) ?? .never)
        }
        for index in 0..<Int.random(in: 1...80, using: &random) {
            let address = Self.address(index * 7)
            world.demands[address] = Self.demand(
                random.some(of: ["lan", "dmz", "extra"], percent: 60),
                random.chance(50)
                    ? .cluster(hasUsableEndpoint: random.chance(95))
                    : .local(nodes: random.some(of: names, percent: 40)))
            if random.chance(10) {
                world.demands[address]?.unservingNodes = random.some(of: names, percent: 40)
            }
            if random.chance(15) {
                world.demands[address]?.preferredNode =
                    names[Int.random(in: 0..<names.count, using: &random)]
            }
            if claimed && random.chance(50) {
                world.claims[address] = random.some(of: names + ["gone"], percent: 25).sorted().map
                {
                    Claim(node: $0, epoch: UInt64.random(in: 1...3, using: &random))
                }
                world.disputes[address] = random.some(of: names, percent: 10).sorted().map {
                    Dispute(node: $0, epoch: 2, witness: names[0])
                }
            }
        }
        return world
    }
}
