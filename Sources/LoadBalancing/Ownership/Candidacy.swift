import NetworkTypes

/// Who may own what, before anybody is elected: nodes, addresses, and for each address the nodes
/// that may own it.
///
/// Addresses under the same advertisements, with the same backing, on the same subnets, asking for
/// the same node and with the same nodes in dispute or without an endpoint of their own finding
/// have the same candidates. They form a group, and all work that does not depend on the single
/// address is done once a group; 10,000 addresses of one pool are one group.
struct Candidacy: Sendable {
    /// Addresses with the same candidates.
    struct Group: Sendable {
        /// Index into `unions`.
        let union: Int
        /// The backing that all have.
        let backing: AddressDemand.Backing
        /// The nodes whose own health checks leave them no endpoint, ascending.
        let unserving: [Int]
        /// One address of the group; it is on the same subnets as all others.
        let sample: IPAddress
        /// Whether nodes that are known to be off the subnet lose.
        let subnetDecides: Bool
        /// Whether no node that could own the addresses is ready, so that readiness says nothing.
        let ignoresReadiness: Bool
        /// The nodes that may own the addresses, ascending.
        let eligible: [Int]
        /// The nodes that could own them too but are to be relieved, ascending.
        let relieved: [Int]
        /// The nodes that could and do not answer, with somebody else there who can, ascending.
        let disputed: [Int]
        /// The node that is asked for, when it is eligible.
        let asked: Int?
        /// Those that compete: the node asked for, or the eligible ones of the highest
        /// preference weight, ascending.
        let contenders: [Int]
        /// The weight of the contenders.
        let bestWeight: Int
        /// Indices of the addresses, ascending.
        fileprivate(set) var members: [Int] = []
    }

    fileprivate struct GroupKey: Hashable {
        var union: Int
        var backing: AddressDemand.Backing
        var subnets: [Prefix]
        var asked: Int?
        var disputed: [Int]
        var unserving: [Int]
    }

    /// Node names, ascending; a node's index is its place here.
    let names: [String]
    /// Hash seeds of the nodes.
    let seeds: [UInt64]
    /// The addresses demanded, ascending.
    let addresses: [IPAddress]
    /// Hash seeds of the addresses.
    let addressSeeds: [UInt64]
    /// United offers, one for each set of advertisements in use.
    let unions: [UnitedOffers]
    /// The groups.
    let groups: [Group]
    /// The group of each address.
    let groupOf: [Int]

    init(
        nodes: [String: NodeFacts], offers: [String: Layer2Offer],
        demands: [IPAddress: AddressDemand], disputed: [IPAddress: Set<String>] = [:]
    ) {
        let sorted = nodes.sorted { $0.key < $1.key }
        let names = sorted.map(\.key)
        let facts = sorted.map(\.value)
        let addresses = demands.keys.sorted()
        let subnets = SubnetIndex(facts)
        let indices = Dictionary(
            names.enumerated().map { ($0.element, $0.offset) }, uniquingKeysWith: { $1 })

        var unions: [UnitedOffers] = []
        var groups: [Group] = []
        var groupOf: [Int] = []
        var unionIndex: [Set<String>: Int] = [:]
        var groupIndex: [GroupKey: Int] = [:]
        groupOf.reserveCapacity(addresses.count)

        for (index, address) in addresses.enumerated() {
            guard let demand = demands[address] else { continue }
            let union: Int
            if let known = unionIndex[demand.advertisements] {
                union = known
            } else {
                union = unions.count
                unionIndex[demand.advertisements] = union
                unions.append(
                    UnitedOffers(demand.advertisements, offers: offers, names: names, facts: facts))
            }
            let key = GroupKey(
                union: union, backing: demand.backing, subnets: subnets.containing(address),
                asked: demand.preferredNode.flatMap { indices[$0] },
                disputed: (disputed[address] ?? []).compactMap { indices[$0] }.sorted(),
                unserving: demand.unservingNodes.compactMap { indices[$0] }.sorted())
            if let group = groupIndex[key] {
                groups[group].members.append(index)
                groupOf.append(group)
            } else {
                groupIndex[key] = groups.count
                groupOf.append(groups.count)
                var group = Group(key, unions[union], sample: address, indices)
                group.members = [index]
                groups.append(group)
            }
        }
        self.names = names
        self.seeds = names.map(RendezvousHash.seed(node:))
        self.addresses = addresses
        self.addressSeeds = addresses.map { RendezvousHash.seed($0) }
        self.unions = unions
        self.groups = groups
        self.groupOf = groupOf
    }

    /// The place of an address among `addresses`.
    func index(of address: IPAddress) -> Int? {
        addresses.sortedIndex(of: address)
    }

    /// The index of a node.
    func index(ofNode name: String) -> Int? {
        names.sortedIndex(of: name)
    }

    /// Why the node may not own the addresses of the group; `nil` for eligible nodes.
    func ineligibility(of node: Int, in group: Group) -> LossReason? {
        let share = unions[group.union].shares[node]
        let isExcused = group.ignoresReadiness && share.lacksReadiness
        if let refusal = share.refusal, !isExcused { return refusal }
        switch group.backing {
        case .cluster(hasUsableEndpoint: false): return .noUsableEndpoint
        case .cluster: break
        case .local(let local) where local.isEmpty: return .noUsableEndpoint
        case .local(let local):
            if !local.contains(names[node]) { return .noLocalEndpoint }
        }
        if group.unserving.sortedIndex(of: node) != nil { return .failsHealthChecks }
        if let missing = share.missing { return missing }
        return group.subnetDecides && share.isOnSubnet(of: group.sample) == false
            ? .notOnSubnet : nil
    }

    /// How high the node ranks for the address at the index.
    @inline(__always)
    func score(_ node: Int, _ address: Int) -> UInt64 {
        RendezvousHash.score(node: seeds[node], address: addressSeeds[address])
    }
}

extension Candidacy.Group {
    fileprivate init(
        _ key: Candidacy.GroupKey, _ offers: UnitedOffers, sample: IPAddress,
        _ indices: [String: Int]
    ) {
        let serving = { (nodes: [Int]) in
            let reaching = key.backing.serving(nodes, indices)
            return key.unserving.isEmpty
                ? reaching : reaching.filter { key.unserving.sortedIndex(of: $0) == nil }
        }
        let standby = serving(offers.relieved)
        let ready = serving(offers.eligible)
        // Many nodes turn NotReady together after the API server was away; it is them who could
        // not say how they are.
        let unready =
            ready.isEmpty && standby.isEmpty ? serving(offers.unready) : []
        let backed = unready.isEmpty ? ready : unready
        ignoresReadiness = !unready.isEmpty
        // A router may well send a block to the link that no node has an address of, so the
        // subnet decides only when somebody is known to be on it.
        let decides = (backed + standby).contains {
            offers.shares[$0].isOnSubnet(of: sample) == true
        }
        let isNear = { (node: Int) in
            !decides || offers.shares[node].isOnSubnet(of: sample) != false
        }
        let able = decides ? backed.filter(isNear) : backed
        let answering =
            key.disputed.isEmpty ? able : able.filter { key.disputed.sortedIndex(of: $0) == nil }
        let eligible = answering.isEmpty ? able : answering
        let best = eligible.lazy.map { offers.shares[$0].weight }.max() ?? 0
        asked = key.asked.flatMap { eligible.sortedIndex(of: $0) == nil ? nil : $0 }
        if let asked {
            contenders = [asked]
        } else {
            contenders =
                eligible.allSatisfy { offers.shares[$0].weight == best }
                ? eligible : eligible.filter { offers.shares[$0].weight == best }
        }
        self.eligible = eligible
        relieved = standby.filter(isNear)
        disputed =
            answering.isEmpty || key.disputed.isEmpty
            ? [] : able.filter { key.disputed.sortedIndex(of: $0) != nil }
        bestWeight = best
        subnetDecides = decides
        union = key.union
        backing = key.backing
        unserving = key.unserving
        self.sample = sample
    }
}

extension AddressDemand.Backing {
    /// Those of the nodes from which the endpoints are reached.
    fileprivate func serving(_ nodes: [Int], _ indices: [String: Int]) -> [Int] {
        switch self {
        case .cluster(hasUsableEndpoint: false): return []
        case .cluster: return nodes
        case .local(let names):
            let local = Set(names.compactMap { indices[$0] })
            return nodes.filter(local.contains)
        }
    }
}

extension UnitedOffers.Share {
    /// Whether an offered interface is on the address's subnet; `nil` when unknown.
    fileprivate func isOnSubnet(of address: IPAddress) -> Bool? {
        prefixes.map { $0.contains { $0.contains(address) } }
    }
}
