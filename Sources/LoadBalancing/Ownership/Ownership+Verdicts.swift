public import NetworkTypes

extension Ownership {
    /// Who owns the address and why; `nil` when nobody asked for it.
    public func decision(for address: IPAddress) -> OwnershipDecision? {
        candidacy.index(of: address).map(decision(at:))
    }

    /// What the election says of every node: the owner first, then the other eligible nodes by
    /// weight and rank, then the rest by name. Empty when nobody asked for the address.
    public func verdicts(for address: IPAddress) -> [NodeVerdict] {
        guard let index = candidacy.index(of: address) else { return [] }
        let group = candidacy.groups[candidacy.groupOf[index]]
        let shares = candidacy.unions[group.union].shares
        let eligible = group.eligible.sorted { left, right in
            let isOwner = (owners[index] == left, owners[index] == right)
            if isOwner.0 != isOwner.1 { return isOwner.0 }
            let weights = (shares[left].weight, shares[right].weight)
            return weights.0 == weights.1
                ? ranks(left, before: right, index) : weights.0 > weights.1
        }
        let rest = candidacy.names.indices.filter { group.eligible.sortedIndex(of: $0) == nil }
        // Where nobody else can, the owner itself is none of the eligible.
        let others = rest.filter { $0 == owners[index] } + rest.filter { $0 != owners[index] }
        return (eligible + others).map { node in
            NodeVerdict(
                node: candidacy.names[node],
                verdict: node == owners[index]
                    ? .owns(cause(at: index)) : .loses(lossReason(of: node, at: index)))
        }
    }

    /// Why the node does not own the address; `nil` when it does, or nobody asked for it.
    public func lossReason(of node: String, for address: IPAddress) -> LossReason? {
        guard let index = candidacy.index(of: address) else { return nil }
        guard let node = candidacy.index(ofNode: node) else { return .unknownNode }
        return owners[index] == node ? nil : lossReason(of: node, at: index)
    }

    func decision(at index: Int) -> OwnershipDecision {
        let address = candidacy.addresses[index]
        let known = claims[address] ?? []
        guard owners[index] >= 0 else {
            let epoch = known.map(\.epoch).max() ?? 0
            return OwnershipDecision(
                address: address, owner: nil, cause: .noCandidate, epoch: epoch)
        }
        let owner = candidacy.names[owners[index]]
        let epoch: UInt64
        let isHeld = manners[index] == .held || manners[index] == .unrelieved
        if isHeld, let held = known.lazy.filter({ $0.node == owner }).map(\.epoch).max() {
            epoch = held
        } else {
            // An epoch may come from another node; at its end it stays there and rank decides.
            let (next, overflow) = (known.map(\.epoch).max() ?? 0).addingReportingOverflow(1)
            epoch = overflow ? .max : next
        }
        return OwnershipDecision(
            address: address, owner: owner, cause: cause(at: index), epoch: epoch)
    }

    func cause(at index: Int) -> OwnershipCause {
        let group = candidacy.groups[candidacy.groupOf[index]]
        switch manners[index] {
        case .nobody: return .noCandidate
        case _ where group.ignoresReadiness: return .noneReady
        case .held: return .holdsClaim
        case .unrelieved: return .nobodyElse
        case _ where group.eligible.count == 1: return .onlyCandidate
        case _ where group.asked != nil: return .askedFor
        case _ where group.contenders.count == 1: return .preferred(weight: group.bestWeight)
        case .overfull: return .leastLoaded
        case .placed:
            let first = highestRanked(of: group.contenders, for: index, withRoom: false)
            return first == owners[index] ? .highestRank : .nextWithRoom
        }
    }

    /// Why a node that is not the owner is not.
    func lossReason(of node: Int, at index: Int) -> LossReason {
        let group = candidacy.groups[candidacy.groupOf[index]]
        if let reason = candidacy.ineligibility(of: node, in: group) { return reason }
        if group.disputed.sortedIndex(of: node) != nil {
            let found = (disputes[candidacy.addresses[index]] ?? []).lazy.filter {
                $0.node == candidacy.names[node]
            }.map(\.witness).min()
            return .doesNotAnswer(witness: found ?? "another node")
        }
        let shares = candidacy.unions[group.union].shares
        let weight = shares[node].weight
        let owner = owners[index]
        if let asked = group.asked, asked == owner {
            return .otherAskedFor(node: candidacy.names[asked])
        }
        switch manners[index] {
        case .held where weight >= shares[owner].weight:
            return .holderStays(owner: candidacy.names[owner])
        case .held:
            return .lowerPreference(weight: weight, best: shares[owner].weight)
        case _ where weight < group.bestWeight:
            return .lowerPreference(weight: weight, best: group.bestWeight)
        case .placed where ranks(node, before: owner, index), .overfull:
            return .loadBound(carried: loads[node], bound: bounds[node])
        case .placed, .nobody, .unrelieved:
            let ahead = group.contenders.lazy.filter { ranks($0, before: node, index) }.count
            return .rank(position: ahead + 1, of: group.contenders.count)
        }
    }
}
