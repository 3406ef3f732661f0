import NetworkTypes

/// The addresses that were placed and may still be moved, counted by node and group, while an
/// election goes on.
struct MovableAddresses {
    private var counts: [[Int: Int]]
    /// Nodes from which no chain of moves leads to a node with room.
    ///
    /// They stay so for the rest of the election: all addresses to be moved there have all their
    /// contenders there, and a node at its bound receives nothing that it could pass on.
    fileprivate(set) var closed: Set<Int> = []

    init(nodes: Int) {
        counts = Array(repeating: [:], count: nodes)
    }

    mutating func add(_ group: Int, at node: Int) {
        counts[node][group, default: 0] += 1
    }

    mutating func remove(_ group: Int, at node: Int) {
        let left = (counts[node][group] ?? 0) - 1
        counts[node][group] = left > 0 ? left : nil
    }

    /// The groups with addresses at the node, ascending, so that the search is the same anywhere.
    func groups(at node: Int) -> [Int] { counts[node].keys.sorted() }
}

extension Ownership {
    /// One step of a chain of moves: an address of `group` goes from the node `from` to the node
    /// that the step is filed under.
    private struct Step {
        var from: Int
        var group: Int
    }

    /// Frees a place at one of the nodes, all at their bound, by moving addresses placed before;
    /// answers the node with the place, `nil` when there is no such chain of moves.
    ///
    /// It is a breadth-first search for an augmenting path. Each group is looked at once, so the
    /// work is bounded by the sum of the sizes of the groups' contender lists; nodes where a search
    /// came to nothing are never searched again.
    mutating func makeRoom(among nodes: [Int], _ movable: inout MovableAddresses?) -> Int? {
        var addresses = movable ?? movableAddresses()
        defer { movable = addresses }
        var steps: [Int: Step] = [:]
        var queue = nodes.filter { !addresses.closed.contains($0) }
        var reached = Set(queue)
        var searched: Set<Int> = []
        var next = 0
        while next < queue.count {
            let node = queue[next]
            next += 1
            for group in addresses.groups(at: node) where searched.insert(group).inserted {
                let contenders = candidacy.groups[group].contenders
                if contenders.contains(where: { loads[$0] < bounds[$0] }) {
                    return shift(from: node, group, along: steps, &addresses)
                }
                for other in contenders
                where !addresses.closed.contains(other) && reached.insert(other).inserted {
                    steps[other] = Step(from: node, group: group)
                    queue.append(other)
                }
            }
        }
        addresses.closed.formUnion(reached)
        return nil
    }

    private func movableAddresses() -> MovableAddresses {
        var movable = MovableAddresses(nodes: candidacy.names.count)
        for index in owners.indices where manners[index] == .placed {
            movable.add(candidacy.groupOf[index], at: owners[index])
        }
        return movable
    }

    /// Makes the moves from the end of the chain to its start and answers the start.
    private mutating func shift(
        from last: Int, _ group: Int, along steps: [Int: Step], _ movable: inout MovableAddresses
    ) -> Int {
        let free = candidacy.groups[group].contenders.filter { loads[$0] < bounds[$0] }
        move(from: last, group, toOneOf: free, &movable)
        var node = last
        while let step = steps[node] {
            move(from: step.from, step.group, toOneOf: [node], &movable)
            node = step.from
        }
        return node
    }

    /// Moves the one address of the group that fits a receiver best: the highest score of all.
    private mutating func move(
        from node: Int, _ group: Int, toOneOf receivers: [Int], _ movable: inout MovableAddresses
    ) {
        var best: (score: UInt64, index: Int, receiver: Int)?
        for index in candidacy.groups[group].members
        where owners[index] == node && manners[index] == .placed {
            for receiver in receivers {
                let score = candidacy.score(receiver, index)
                if best.map({ score > $0.score }) ?? true { best = (score, index, receiver) }
            }
        }
        guard let best else { return }
        loads[node] -= 1
        give(best.index, to: best.receiver, .placed)
        movable.remove(group, at: node)
        movable.add(group, at: best.receiver)
    }
}
