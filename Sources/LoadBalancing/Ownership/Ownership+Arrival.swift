import NetworkTypes

extension Ownership {
    /// What a node is to an address, whoever owns it.
    enum Standing: Sendable {
        /// It may own the address.
        case eligible
        /// It could, and is to leave it to others: cordoned, draining, or in dispute.
        case relieved
        /// It cannot.
        case unable
    }

    func standing(of node: Int, at index: Int) -> Standing {
        let group = candidacy.groups[candidacy.groupOf[index]]
        if group.eligible.sortedIndex(of: node) != nil { return .eligible }
        let isRelieved =
            group.relieved.sortedIndex(of: node) != nil
            || group.disputed.sortedIndex(of: node) != nil
        return isRelieved ? .relieved : .unable
    }

    /// Whether a claim of the node to the address at the index would count.
    func isEntitled(_ node: Int, at index: Int) -> Bool {
        entitled(in: candidacy.groups[candidacy.groupOf[index]]).sortedIndex(of: node) != nil
    }

    /// The claim of another node with the highest epoch; of equal ones, the first by name.
    func rival(of node: String, at index: Int) -> Claim? {
        (claims[candidacy.addresses[index]] ?? []).lazy.filter { $0.node != node }.max {
            $0.epoch == $1.epoch ? $0.node > $1.node : $0.epoch < $1.epoch
        }
    }

    /// How a node comes to the address at the index, by what others claim and what became of
    /// them; `held` is the epoch that the node has claimed it under.
    func manner(
        ofArrivalOf node: String, at index: Int, holding held: UInt64?
    ) -> Tenure.Manner {
        guard let rival = rival(of: node, at: index) else {
            let probes = demands[candidacy.addresses[index]]?.detectsConflicts ?? true
            return held == nil ? .firstUse(probes: probes) : .resume
        }
        if let held, held >= rival.epoch { return .resume }
        return givesWay(rival.node, at: index)
            ? .handover(from: rival.node) : .takeover(from: rival.node)
    }

    /// Whether a node that has the address can be expected to hear a later claim and to stop.
    private func givesWay(_ node: String, at index: Int) -> Bool {
        guard let facts = facts[node], facts.isReachable else { return false }
        // Nobody looks after such a node, and it is not well: more likely gone than busy.
        if facts.liveness == .unknown && !facts.isReady { return false }
        let disputes = disputes[candidacy.addresses[index]] ?? []
        return !disputes.contains { $0.node == node }
    }
}
