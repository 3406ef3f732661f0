import NetworkTypes

/// Where members may be found, whether or not they are there.
struct SeedList: Sendable {
    static let capacity = Roster.maximumMembers
    /// How many are asked in one go.
    static let most = 20

    private(set) var seeds: [Seed] = []
    private(set) var names: Set<NodeID> = []
    /// Addresses that turned out to be our own.
    private var ownAddresses: Set<SocketAddress> = []
    private var next = 0

    /// Takes a list without ourselves and without duplicates.
    mutating func replace(_ changed: [Seed], own: NodeID) {
        var seen: Set<SocketAddress> = []
        seeds = []
        for seed in changed where seeds.count < Self.capacity {
            if let name = seed.name, NodeID(name: name) == own { continue }
            guard !seed.address.address.isUnspecified, seed.address.port != 0,
                !ownAddresses.contains(seed.address), seen.insert(seed.address).inserted
            else { continue }
            seeds.append(seed)
        }
        names = Set(seeds.compactMap { $0.name.map(NodeID.init(name:)) })
        next = 0
    }

    mutating func isOurs(_ address: SocketAddress) {
        guard ownAddresses.count < 64, seeds.contains(where: { $0.address == address }) else {
            return
        }
        ownAddresses.insert(address)
        seeds.removeAll { $0.address == address }
    }

    /// The next few that `isWanted`.
    mutating func take(_ isWanted: (Seed) -> Bool) -> [SocketAddress] {
        var taken: [SocketAddress] = []
        for _ in seeds.indices where taken.count < Self.most {
            if next >= seeds.count { next = 0 }
            if isWanted(seeds[next]) { taken.append(seeds[next].address) }
            next += 1
        }
        return taken
    }
}
