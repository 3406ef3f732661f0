import NetworkTypes

/// Who may own what, before anybody is elected: nodes, addresses, and for each address the nodes
/// that may own it.
///
/// Addresses under the same advertisements, with the same backing and on the same subnets have the
/// same candidates. They form a group, and all work that does not depend on the single address is
/// done once a group; 10,000 addresses of one pool are one group.
struct Candidacy: Sendable {
    /// Addresses with the same candidates.
    struct Group: Sendable {
        /// Index into `unions`.
        let union: Int
        /// The backing that all have.
        let backing: AddressDemand.Backing
        /// One address of the group; it is on the same subnets as all others.
        let sample: IPAddress
        /// Whether nodes that are known to be off the subnet lose.
        let subnetDecides: Bool
        /// The nodes that may own the addresses, ascending.
        let eligible: [Int]
        /// Those of them that compete: the ones of the highest preference weight, ascending.
        let contenders: [Int]
        /// The weight of the contenders.
        let bestWeight: Int
        /// Indices of the addresses, ascending.
        fileprivate(set) var members: [Int] = []
    }

    private struct GroupKey: Hashable {
        var union: Int
        var backing: AddressDemand.Backing
        var subnets: [Prefix]
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
        demands: [IPAddress: AddressDemand]
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
                union: union, backing: demand.backing, subnets: subnets.containing(address))
            if let group = groupIndex[key] {
                groups[group].members.append(index)
                groupOf.append(group)
            } else {
                groupIndex[key] = groups.count
                groupOf.append(groups.count)
                var group = Group(key.union, unions[union], demand.backing, address, indices)
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
        if let refusal = share.refusal { return refusal }
        switch group.backing {
        case .cluster(hasUsableEndpoint: false): return .noUsableEndpoint
        case .cluster: break
        case .local(let local) where local.isEmpty: return .noUsableEndpoint
        case .local(let local):
            if !local.contains(names[node]) { return .noLocalEndpoint }
        }
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
        _ union: Int, _ offers: UnitedOffers, _ backing: AddressDemand.Backing,
        _ sample: IPAddress, _ indices: [String: Int]
    ) {
        let backed: [Int] =
            switch backing {
            case .cluster(hasUsableEndpoint: false): []
            case .cluster: offers.eligible
            case .local(let nodes):
                nodes.compactMap { indices[$0] }.sorted().filter {
                    offers.shares[$0].refusal == nil && offers.shares[$0].missing == nil
                }
            }
        // A router may well send a block to the link that no node has an address of, so the
        // subnet decides only when somebody is known to be on it.
        subnetDecides = backed.contains { offers.shares[$0].isOnSubnet(of: sample) == true }
        eligible =
            subnetDecides
            ? backed.filter { offers.shares[$0].isOnSubnet(of: sample) != false } : backed
        let best = eligible.lazy.map { offers.shares[$0].weight }.max() ?? 0
        bestWeight = best
        contenders =
            eligible.allSatisfy { offers.shares[$0].weight == best }
            ? eligible : eligible.filter { offers.shares[$0].weight == best }
        self.union = union
        self.backing = backing
        self.sample = sample
    }
}

extension UnitedOffers.Share {
    /// Whether an offered interface is on the address's subnet; `nil` when unknown.
    fileprivate func isOnSubnet(of address: IPAddress) -> Bool? {
        prefixes.map { $0.contains { $0.contains(address) } }
    }
}
