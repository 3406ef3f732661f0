public import NetworkTypes

/// One step towards balance.
public struct BalancingMove: Hashable, Sendable {
    /// The address to move.
    public var address: IPAddress
    /// The node that has it.
    public var from: String
    /// The node that is to have it.
    public var to: String

    /// Makes a move.
    public init(address: IPAddress, from: String, to: String) {
        self.address = address
        self.from = from
        self.to = to
    }
}

extension Ownership {
    /// Whether any address in use may move for balance alone.
    var movesGradually: Bool {
        candidacy.groups.contains { candidacy.unions[$0.union].preemption == .gradual }
    }

    /// The next move under `Preemption.gradual`; `nil` when none would improve anything.
    ///
    /// First come addresses that are not with a contender, lowest address first: each such move
    /// leaves one fewer. Then, among the contenders of an address, the move between the two whose
    /// loads differ most, by two at least: each makes the sum of the squared loads smaller. No move
    /// of the second kind undoes one of the first, so that the moves end.
    public var nextBalancingMove: BalancingMove? {
        let groups = candidacy.groups.indices.filter {
            candidacy.unions[candidacy.groups[$0].union].preemption == .gradual
        }
        return preferenceMove(groups) ?? levellingMove(groups)
    }

    private func preferenceMove(_ groups: [Int]) -> BalancingMove? {
        var first: Int?
        for group in groups.lazy.map({ candidacy.groups[$0] }) {
            let strayed = group.members.first {
                manners[$0] == .held && group.contenders.sortedIndex(of: owners[$0]) == nil
            }
            if let strayed { first = min(first ?? strayed, strayed) }
        }
        guard let first else { return nil }
        let contenders = candidacy.groups[candidacy.groupOf[first]].contenders
        let target =
            highestRanked(of: contenders, for: first, withRoom: true)
            ?? leastLoaded(of: contenders, for: first)
        return target.map { move(first, to: $0) }
    }

    private func levellingMove(_ groups: [Int]) -> BalancingMove? {
        var best: (gain: Int, score: UInt64, index: Int, to: Int)?
        for group in groups.lazy.map({ candidacy.groups[$0] }) where group.contenders.count > 1 {
            let least = group.contenders.lazy.map { loads[$0] }.min() ?? 0
            let receivers = group.contenders.filter { loads[$0] == least }
            for index in group.members where manners[index] == .held {
                let gain = loads[owners[index]] - least
                guard gain >= 2, gain >= best?.gain ?? 0,
                    group.contenders.sortedIndex(of: owners[index]) != nil,
                    let to = highestRanked(of: receivers, for: index, withRoom: false)
                else { continue }
                let score = candidacy.score(to, index)
                if let best, (gain, score, best.index) <= (best.gain, best.score, index) {
                    continue
                }
                best = (gain, score, index, to)
            }
        }
        return best.map { move($0.index, to: $0.to) }
    }

    private func move(_ index: Int, to node: Int) -> BalancingMove {
        BalancingMove(
            address: candidacy.addresses[index], from: candidacy.names[owners[index]],
            to: candidacy.names[node])
    }
}
