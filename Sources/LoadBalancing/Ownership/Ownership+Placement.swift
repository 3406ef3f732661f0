import NetworkTypes

extension Ownership {
    /// Leaves addresses with the nodes that have them and may keep them.
    mutating func keepClaimed() {
        guard !claims.isEmpty else { return }
        for index in owners.indices {
            guard let held = claims[candidacy.addresses[index]] else { continue }
            let group = candidacy.groups[candidacy.groupOf[index]]
            if let holder = holder(among: entitled(in: group), held, index) {
                give(index, to: holder, .held)
            } else if group.eligible.isEmpty, !group.relieved.isEmpty,
                let holder = holder(among: group.relieved, held, index)
                    ?? highestRanked(of: group.relieved, for: index, withRoom: false)
            {
                give(index, to: holder, .unrelieved)
            }
        }
    }

    /// The nodes whose claims to addresses of the group count.
    func entitled(in group: Candidacy.Group) -> [Int] {
        candidacy.unions[group.union].preemption == .always ? group.contenders : group.eligible
    }

    private func holder(among nodes: [Int], _ held: [Claim], _ index: Int) -> Int? {
        var best: (epoch: UInt64, node: Int)?
        for claim in held {
            guard let node = candidacy.index(ofNode: claim.node),
                nodes.sortedIndex(of: node) != nil
            else { continue }
            if let leader = best {
                guard beats((claim.epoch, node), leader, index) else { continue }
            }
            best = (claim.epoch, node)
        }
        return best?.node
    }

    /// Whether one claim to the address at the index is stronger than another: by epoch, then by
    /// rank.
    func beats(
        _ claim: (epoch: UInt64, node: Int), _ other: (epoch: UInt64, node: Int), _ index: Int
    ) -> Bool {
        guard claim.epoch == other.epoch else { return claim.epoch > other.epoch }
        return ranks(claim.node, before: other.node, index)
    }

    /// Whether one node ranks before another for the address at the index.
    func ranks(_ node: Int, before other: Int, _ index: Int) -> Bool {
        let scores = (candidacy.score(node, index), candidacy.score(other, index))
        return scores.0 == scores.1 ? node < other : scores.0 > scores.1
    }

    /// Places every address that has no owner yet.
    mutating func placeOthers() {
        let counts = candidacy.groups.map(\.contenders.count)
        let waiting = owners.indices.filter {
            owners[$0] < 0 && counts[candidacy.groupOf[$0]] > 0
        }.sorted {
            (counts[candidacy.groupOf[$0]], $0) < (counts[candidacy.groupOf[$1]], $1)
        }
        // Most elections never need to make room; only the first need builds what it takes.
        var movable: MovableAddresses?
        for index in waiting {
            let group = candidacy.groupOf[index]
            let contenders = candidacy.groups[group].contenders
            if let node = highestRanked(of: contenders, for: index, withRoom: true)
                ?? makeRoom(among: contenders, &movable)
            {
                give(index, to: node, .placed)
                movable?.add(group, at: node)
            } else if let node = leastLoaded(of: contenders, for: index) {
                give(index, to: node, .overfull)
            }
        }
    }

    /// The node that ranks first for the address; with `withRoom`, of those below their bound.
    func highestRanked(of nodes: [Int], for index: Int, withRoom: Bool) -> Int? {
        let address = candidacy.addressSeeds[index]
        var best: Int?
        var bestScore: UInt64 = 0
        // Ascending order and a strict comparison: equal scores rank by name.
        for node in nodes where !withRoom || loads[node] < bounds[node] {
            let score = RendezvousHash.score(node: candidacy.seeds[node], address: address)
            if best == nil || score > bestScore { (best, bestScore) = (node, score) }
        }
        return best
    }

    func leastLoaded(of nodes: [Int], for index: Int) -> Int? {
        let least = nodes.lazy.map { loads[$0] - bounds[$0] }.min()
        let level = nodes.filter { loads[$0] - bounds[$0] == least }
        return highestRanked(of: level, for: index, withRoom: false)
    }

    mutating func give(_ index: Int, to node: Int, _ manner: Manner) {
        owners[index] = node
        manners[index] = manner
        loads[node] += 1
    }
}
