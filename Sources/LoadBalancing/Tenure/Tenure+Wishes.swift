import NetworkTypes

extension Tenure {
    /// An operator wants this node to have the address: it claims it above all others, once it
    /// answers, and whoever has it now gives way to the claim.
    mutating func take(wish address: IPAddress, _ now: Instant, _ actions: inout [Action]) {
        guard let ownership, let facts, let index = ownership.candidacy.index(of: address) else {
            return actions.append(.refusedMove(address, .notInUse))
        }
        guard let own = ownership.candidacy.index(ofNode: node) else {
            return actions.append(.refusedMove(address, .unknownNode))
        }
        if stopsBy != nil { return actions.append(.refusedMove(address, .draining)) }
        if ownership.owners[index] == own { return refuse(waiting: address, &actions) }
        guard facts.isMemoryCommon, ownership.isEntitled(own, at: index) else {
            return actions.append(
                .refusedMove(address, ownership.lossReason(of: own, at: index)))
        }
        pledge(address, .movedByHand(from: ownership.owner(of: address)), now)
        elect(now, &actions)
    }

    /// A wish for an address that is elected to be here already, and waits.
    private func refuse(waiting address: IPAddress, _ actions: inout [Action]) {
        if let reason = waitingReason(address) { actions.append(.refusedMove(address, reason)) }
    }

    private mutating func pledge(_ address: IPAddress, _ cause: ArrivalCause, _ now: Instant) {
        let highest = max(table.highestOfOthers(address), table.own[address] ?? 0)
        let epoch = highest == .max ? .max : highest + 1
        let pledge = Pledge(epoch: epoch, cause: cause, until: now + Timing.pledge)
        pledges[address] = pledge
        table.pledge(address, epoch: epoch)
        noteDeadline(pledge.until)
    }

    /// A process that ends is like a node being drained, but does not wait for ever.
    mutating func stop(_ now: Instant, _ actions: inout [Action]) {
        guard stopsBy == nil else { return }
        stopsBy = now + Timing.stopping
        balanceDue = nil
        for address in pledges.keys { table.pledge(address, epoch: nil) }
        pledges = [:]
        mergeNodes()
        elect(now, &actions)
    }

    mutating func fallSilent(_ actions: inout [Action]) {
        hasStopped = true
        (electionDue, balanceDue, wake) = (nil, nil, nil)
        waits = [:]
        for address in holdings.keys.sorted() { withdraw(address, &actions) }
    }

    // MARK: Balance

    /// Puts the next move for balance off whenever an election gives another result.
    mutating func awaitBalance(_ before: Ownership?, _ now: Instant) {
        guard let ownership, ownership.movesGradually, stopsBy == nil else {
            balanceDue = nil
            return
        }
        let isChanged =
            before.map {
                $0.owners != ownership.owners || $0.nodes != ownership.nodes
                    || $0.addresses != ownership.addresses
            } ?? true
        if isChanged || (balanceDue == nil && ownership.nextBalancingMove?.to == node) {
            balanceDue = now + Timing.balance
        }
    }

    /// Makes the next move if it is one to this node; true when an election must follow.
    mutating func balance(_ now: Instant) -> Bool {
        balanceDue = nil
        guard let ownership, let facts, let move = ownership.nextBalancingMove, move.to == node
        else { return false }
        let isQuiet = holdings.values.allSatisfy { $0.phase == .holding }
        guard facts.isMemoryCommon, facts.isComplete, !facts.isIsolated, isQuiet else {
            balanceDue = now + Timing.balance
            return false
        }
        pledge(move.address, .balanced(from: move.from), now)
        return true
    }
}
