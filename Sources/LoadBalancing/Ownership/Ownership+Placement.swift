import NetworkTypes

extension Ownership {
    /// Leaves addresses with the nodes that have them and may keep them.
    mutating func keepClaimed() {
        guard !claims.isEmpty else { return }
        for index in owners.indices {
            guard let held = claims[candidacy.addresses[index]] else { continue }
            let group = candidacy.groups[candidacy.groupOf[index]]
            let entitled =
                candidacy.unions[group.union].preempts ? group.contenders : group.eligible
            var best: (epoch: UInt64, score: UInt64, node: Int)?
            for claim in held {
                guard let node = candidacy.index(ofNode: claim.node),
                    entitled.sortedIndex(of: node) != nil
                else { continue }
                let score = candidacy.score(node, index)
                if let leader = best {
                    guard
                        (claim.epoch, score, leader.node) > (leader.epoch, leader.score, node)
                    else { continue }
                }
                best = (claim.epoch, score, node)
            }
            if let best { give(index, to: best.node, .held) }
        }
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

    private func leastLoaded(of nodes: [Int], for index: Int) -> Int? {
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
