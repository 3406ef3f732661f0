import NetworkTypes

extension Tenure {
    /// What this node announces now, and for every other address, who does instead.
    ///
    /// It is put together when asked for: the verdicts take far longer than the decisions.
    public var plan: AnnouncementPlan {
        guard let ownership else { return AnnouncementPlan(node: node) }
        let own = ownership.candidacy.index(ofNode: node)
        var announcements: [IPAddress: AnnouncementPlan.Announcement] = [:]
        var absences: [IPAddress: AnnouncementPlan.Absence] = [:]
        absences.reserveCapacity(ownership.candidacy.addresses.count)
        for (address, holding) in holdings {
            announcements[address] = AnnouncementPlan.Announcement(
                settings: holding.tenancy.settings, manner: holding.tenancy.manner,
                cause: cause(of: holding, at: address, ownership),
                epoch: table.standing(address) ?? table.nextEpoch(address))
        }
        for (index, address) in ownership.candidacy.addresses.enumerated()
        where holdings[address] == nil {
            absences[address] = absence(at: index, own, ownership)
        }
        return AnnouncementPlan(node: node, announcements: announcements, absences: absences)
    }

    /// Who announces the address instead of this node, and why not this one; `nil` when nobody
    /// wants it, or this node does announce it.
    public func absence(of address: IPAddress) -> AnnouncementPlan.Absence? {
        guard let ownership, holdings[address] == nil,
            let index = ownership.candidacy.index(of: address)
        else { return nil }
        return absence(at: index, ownership.candidacy.index(ofNode: node), ownership)
    }

    /// What the address waits for, where this node is elected for it and must not answer yet.
    func waitingReason(_ address: IPAddress) -> LossReason? {
        guard let wait = waits[address] else { return nil }
        return wait.blockers.contains(node)
            ? .leaseNotFresh : .waitsForLease(of: wait.blockers.sorted())
    }

    private func cause(
        of holding: Holding, at address: IPAddress, _ ownership: Ownership
    ) -> OwnershipCause {
        if case .yielding(to: .some(let successor)) = holding.phase {
            return .yieldsTo(node: successor)
        }
        return ownership.decision(for: address)?.cause ?? .holdsClaim
    }

    private func absence(
        at index: Int, _ own: Int?, _ ownership: Ownership
    ) -> AnnouncementPlan.Absence {
        guard let own else {
            return AnnouncementPlan.Absence(
                owner: ownership.owner(of: ownership.candidacy.addresses[index]),
                reason: .unknownNode)
        }
        let owner = ownership.owners[index]
        if owner == own {
            // Left since the election, for a claim that came after it, or the process ends.
            let address = ownership.candidacy.addresses[index]
            if let reason = waitingReason(address) {
                return AnnouncementPlan.Absence(owner: nil, reason: reason)
            }
            let claims = (table.all[address] ?? []).filter { $0.node != node }
            guard !hasStopped, let rival = claims.max(by: { $0.epoch < $1.epoch }) else {
                return AnnouncementPlan.Absence(owner: nil, reason: .draining)
            }
            return AnnouncementPlan.Absence(
                owner: rival.node, reason: .holderStays(owner: rival.node))
        }
        return AnnouncementPlan.Absence(
            owner: owner < 0 ? nil : ownership.candidacy.names[owner],
            reason: ownership.lossReason(of: own, at: index))
    }
}
