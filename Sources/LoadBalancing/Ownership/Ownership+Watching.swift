public import NetworkTypes

extension Ownership {
    /// The addresses that the node is to look after while others own them, each with its owner.
    ///
    /// Every address is given to one of the nodes that could own it and does not, by its hash, so
    /// that each is asked about once and all nodes share the work. An address that only one node
    /// could own is watched by nobody.
    public func watched(by node: String) -> [IPAddress: String] {
        guard let own = candidacy.index(ofNode: node) else { return [:] }
        var watched: [IPAddress: String] = [:]
        for (index, address) in candidacy.addresses.enumerated()
        where owners[index] >= 0 && owners[index] != own {
            let eligible = candidacy.groups[candidacy.groupOf[index]].eligible
            guard eligible.count > 1 else { continue }
            var place = Int(candidacy.addressSeeds[index] % UInt64(eligible.count))
            if eligible[place] == owners[index] { place = (place + 1) % eligible.count }
            if eligible[place] == own { watched[address] = candidacy.names[owners[index]] }
        }
        return watched
    }

    /// The interfaces on which the owner announces the address; `nil` without an owner.
    public func interfaces(for address: IPAddress) -> Selection? {
        guard let index = candidacy.index(of: address), owners[index] >= 0 else { return nil }
        return settings(of: owners[index], at: index)?.interfaces
    }

    /// Whether the node is to give up what others can own: cordoned or draining.
    public func isRelieved(_ node: String) -> Bool {
        facts[node].map { $0.isCordoned || $0.isDraining } ?? false
    }
}
