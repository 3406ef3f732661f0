import NetworkTypes

extension Tenure {
    /// What was claimed before the process began is claimed again at once, so that nobody takes for
    /// free what this node still has; where another has a later claim, it shows.
    mutating func restore(_ claims: [IPAddress: UInt64], _ actions: inout [Action]) {
        for (address, epoch) in claims.sorted(by: { $0.key < $1.key })
        where table.own[address] == nil {
            table.claim(address, epoch: epoch)
            actions.append(.claim(address, epoch: epoch))
        }
    }

    mutating func take(
        _ changes: [IPAddress: UInt64?], of other: String, _ now: Instant,
        _ actions: inout [Action]
    ) {
        guard other != node else { return }
        for (address, epoch) in changes.sorted(by: { $0.key < $1.key }) {
            table.note(address, of: other, epoch: epoch)
            if let epoch { meet(Claim(node: other, epoch: epoch), at: address, now, &actions) }
        }
        guard let ownership else { return }
        if endsWaits(changes) { return elect(now, &actions) }
        awaitElection(now, addresses: ownership.candidacy.addresses.count)
        if balanceDue != nil { balanceDue = now + Timing.balance }
    }

    /// Acts at once on what the claim of another node says of an address of this one.
    private mutating func meet(
        _ claim: Claim, at address: IPAddress, _ now: Instant, _ actions: inout [Action]
    ) {
        guard let facts, facts.isMemoryCommon, let holding = holdings[address],
            isReachable(claim.node), let ownership,
            let index = ownership.candidacy.index(of: address),
            let own = ownership.candidacy.index(ofNode: node),
            let other = ownership.candidacy.index(ofNode: claim.node)
        else { return }
        let isStronger =
            table.standing(address).map {
                ownership.beats((claim.epoch, other), ($0, own), index)
            } ?? true
        let isYielding = if case .yielding = holding.phase { true } else { false }
        if isStronger {
            // A node that may not own the address is answered by the election, with a higher claim.
            guard isYielding || ownership.isEntitled(other, at: index) else { return }
            pledges[address] = nil
            withdraw(address, &actions)
            release(address, &actions)
        } else if holding.phase == .holding {
            contest(address, now, &actions)
        }
    }

    private mutating func release(_ address: IPAddress, _ actions: inout [Action]) {
        let hadClaim = table.own[address] != nil
        table.claim(address, epoch: nil)
        if hadClaim { actions.append(.release(address)) }
    }

    /// Claims of addresses that are not announced end when nobody wants the address any more, or
    /// another node has a later one.
    mutating func forgetClaims(_ ownership: Ownership, _ actions: inout [Action]) {
        guard let facts, facts.isComplete else { return }
        let ended = table.own.filter { address, epoch in
            guard facts.demands[address] != nil else { return true }
            return holdings[address] == nil && facts.isMemoryCommon
                && table.highestOfOthers(address) > epoch
        }.keys.sorted()
        for address in ended { release(address, &actions) }
        if moves.count > facts.demands.count {
            moves = moves.filter { facts.demands[$0.key] != nil }
        }
    }

    mutating func noteAnswering(
        _ address: IPAddress, _ now: Instant, _ actions: inout [Action]
    ) {
        guard var holding = holdings[address], !holding.isAnswering else { return }
        let epoch = max(pledges[address]?.epoch ?? 0, table.nextEpoch(address))
        let isNew = table.own[address] != epoch
        pledges[address] = nil
        table.claim(address, epoch: epoch)
        holding.phase = .holding
        holding.claimedAt = now
        holdings[address] = holding
        if isNew { actions.append(.claim(address, epoch: epoch)) }
        if holding.cause != .resumed {
            let move = Move(
                address: address, from: holding.from, to: node, cause: holding.cause, epoch: epoch,
                at: now)
            moves[address] = move
            actions.append(.moved(move))
        }
        if let ownership { awaitElection(now, addresses: ownership.candidacy.addresses.count) }
    }

    mutating func noteHeld(_ address: IPAddress, by peer: String, _ actions: inout [Action]) {
        guard holdings[address]?.phase == .taking else { return }
        holdings[address]?.phase = .held
        actions.append(.held(address, by: peer))
    }

    // MARK: Rivals

    mutating func notePeer(
        _ other: String?, announcing address: IPAddress, _ now: Instant, _ actions: inout [Action]
    ) {
        switch holdings[address]?.phase {
        case .yielding(to: let successor):
            // It answers, whether its claim has come or not.
            if let successor, successor == other { withdraw(address, &actions) }
        case .holding: contest(address, now, &actions)
        case .taking, .held, nil: break
        }
    }

    /// Nodes that were thought to be gone may have answered for addresses of this one.
    mutating func contest(
        with returned: Set<String>, _ now: Instant, _ actions: inout [Action]
    ) {
        guard !returned.isEmpty else { return }
        let rivalled = holdings.filter { address, holding in
            holding.phase == .holding
                && (table.all[address] ?? []).contains { returned.contains($0.node) }
        }.keys.sorted()
        for address in rivalled { contest(address, now, &actions) }
    }

    /// Announces an address again, at once or when the last time is long enough ago.
    private mutating func contest(
        _ address: IPAddress, _ now: Instant, _ actions: inout [Action]
    ) {
        guard var holding = holdings[address] else { return }
        if let last = holding.contestedAt {
            if now - last >= Timing.rivalQuiet { holding.contestGap = Timing.rivalGap.first }
            if now - last < holding.contestGap {
                holding.contestsAt = last + holding.contestGap
                holdings[address] = holding
                return noteDeadline(holding.contestsAt)
            }
            holding.contestGap = min(holding.contestGap * 2, Timing.rivalGap.last)
        }
        holding.contestedAt = now
        holding.contestsAt = nil
        holdings[address] = holding
        actions.append(.reannounce(address))
    }

    /// Decides when to claim above a rival that the election passed over.
    func plan(raising address: IPAddress, _ holding: inout Holding, _ now: Instant) {
        guard let facts, facts.isMemoryCommon, let own = table.own[address],
            table.nextEpoch(address) > own
        else {
            holding.raisesAt = nil
            return
        }
        let isPresent = (table.all[address] ?? []).contains {
            $0.node != node && $0.epoch >= own && isReachable($0.node)
        }
        if isPresent {
            holding.raisesAt = max(now, holding.claimedAt.map { $0 + Timing.claimGap } ?? now)
        } else {
            holding.raisesAt = holding.raisesAt ?? now + Timing.absentRival
        }
    }

    mutating func raise(_ address: IPAddress, _ now: Instant, _ actions: inout [Action]) {
        guard holdings[address]?.phase == .holding else { return }
        holdings[address]?.raisesAt = nil
        let epoch = table.nextEpoch(address)
        guard let own = table.own[address], epoch > own else { return }
        table.claim(address, epoch: epoch)
        holdings[address]?.claimedAt = now
        actions.append(.claim(address, epoch: epoch))
    }
}
