import NetworkTypes

extension Tenure {
    mutating func take(_ news: Facts, _ now: Instant, _ actions: inout [Action]) {
        facts = news
        table.replace(news.claims)
        // Of nodes that nobody knows any more nothing is remembered; bounded by the members.
        if heard.count > 2 * (news.nodes.count + 64) {
            heard = heard.filter { news.nodes[$0.key] != nil }
        }
        mergeNodes()
        elect(now, comparingSettings: true, &actions)
    }

    mutating func take(
        _ news: [String: NodeFacts.Liveness], _ now: Instant, _ actions: inout [Action]
    ) {
        var isNews = false
        var returned: Set<String> = []
        for (name, liveness) in news where name != node {
            let before = nodes[name]?.liveness ?? heard[name]
            heard[name] = liveness
            guard nodes[name] != nil, before != liveness else { continue }
            if case .dead = before, nodes[name] != nil { returned.insert(name) }
            if case .dead = liveness { returned.remove(name) }
            nodes[name]?.liveness = liveness
            isNews = true
        }
        guard isNews else { return }
        elect(now, &actions)
        contest(with: returned, now, &actions)
    }

    mutating func mergeNodes() {
        guard let facts else { return }
        nodes = facts.nodes
        for (name, liveness) in heard where nodes[name] != nil {
            nodes[name]?.liveness = liveness
        }
        guard nodes[node] != nil else { return }
        nodes[node]?.liveness = .alive
        if stopsBy != nil { nodes[node]?.isDraining = true }
    }

    /// Elects, and brings every address of this node in line.
    mutating func elect(
        _ now: Instant, comparingSettings: Bool = false, _ actions: inout [Action]
    ) {
        electionDue = nil
        guard let facts, !hasStopped else { return }
        let before = ownership
        let next = Ownership.elect(
            nodes: nodes, offers: facts.offers, demands: facts.demands,
            claims: facts.isMemoryCommon ? table.all : [:], disputes: facts.disputes)
        ownership = next
        let own = next.candidacy.index(ofNode: node)
        noteUnheard()
        waits = waits.filter { address, _ in
            guard let own, let index = next.candidacy.index(of: address) else { return false }
            return next.owners[index] == own
        }
        let left = holdings.keys.filter { address in
            guard let own, let index = next.candidacy.index(of: address) else { return true }
            return next.owners[index] != own
        }.sorted()
        for address in left { leave(address, next, own, now, &actions) }
        if let own {
            for index in next.owners.indices where next.owners[index] == own {
                let address = next.candidacy.addresses[index]
                if holdings[address] == nil {
                    come(to: address, index, own, before, now, &actions)
                } else {
                    stay(at: address, index, own, comparingSettings, now, &actions)
                }
            }
        }
        forgetClaims(next, &actions)
        awaitBalance(before, now)
    }

    /// Begins with an address that the election gives to this node.
    private mutating func come(
        to address: IPAddress, _ index: Int, _ own: Int, _ before: Ownership?, _ now: Instant,
        _ actions: inout [Action]
    ) {
        guard let ownership, let facts, let settings = ownership.settings(of: own, at: index)
        else { return }
        var (manner, from) = arrival(at: index, before, facts)
        var cause =
            pledges[address]?.cause ?? cause(of: manner, from: from, at: address, ownership)
        if mustWait(for: address, manner, from, cause, &actions) { return }
        if let wait = waits.removeValue(forKey: address) {
            (manner, from, cause) = (wait.manner, wait.from, wait.cause)
        }
        let tenancy = Tenancy(settings: settings, manner: manner)
        holdings[address] = Holding(phase: .taking, tenancy: tenancy, cause: cause, from: from)
        actions.append(.announce(address, tenancy))
    }

    /// How this node comes to an address, and who had it.
    private func arrival(
        at index: Int, _ before: Ownership?, _ facts: Facts
    ) -> (manner: Manner, from: String?) {
        guard let ownership else { return (.resume, nil) }
        let address = ownership.candidacy.addresses[index]
        let held = facts.isMemoryCommon ? table.own[address] : nil
        let manner = ownership.manner(ofArrivalOf: node, at: index, holding: held)
        switch manner {
        case .takeover(let from), .handover(let from): return (manner, from)
        case .resume: return (manner, node)
        case .firstUse:
            // Nobody claims it, and yet another node was elected a moment ago: it may be about
            // to answer, or answers where claims are not seen by all and stops by itself.
            guard let other = before?.owner(of: address), other != node else {
                return (manner, nil)
            }
            return facts.isMemoryCommon
                ? (.takeover(from: other), nil) : (.handover(from: other), other)
        }
    }

    private func cause(
        of manner: Manner, from: String?, at address: IPAddress, _ ownership: Ownership
    ) -> ArrivalCause {
        guard let from else { return table.own[address] == nil ? .firstUse : .resumed }
        let reason = { ownership.lossReason(of: from, for: address) ?? .notInUse }
        switch manner {
        case .firstUse: return .firstUse
        case .resume: return .resumed
        case .takeover: return .tookOver(from: from, reason: reason())
        case .handover:
            switch reason() {
            case .lowerPreference, .otherAskedFor: return .preempted(from: from)
            case let reason: return .handedOver(by: from, reason: reason)
            }
        }
    }

    /// Goes on with an address that the election leaves with this node.
    private mutating func stay(
        at address: IPAddress, _ index: Int, _ own: Int, _ comparingSettings: Bool, _ now: Instant,
        _ actions: inout [Action]
    ) {
        guard var holding = holdings[address], let ownership else { return }
        let tenancy = holding.tenancy
        switch holding.phase {
        case .taking, .held:
            // What is asked of the wire is decided when the address comes and stays so; but a node
            // that gives the address up after all need not be waited for.
            if case .takeover = tenancy.manner,
                case .handover(let from) = ownership.manner(
                    ofArrivalOf: node, at: index, holding: table.own[address])
            {
                holding.tenancy.manner = .handover(from: from)
                holding.phase = .taking
                holding.from = from
                holding.cause =
                    pledges[address]?.cause
                    ?? cause(of: holding.tenancy.manner, from: from, at: address, ownership)
            }
        case .yielding:
            holding.phase = .holding
            holding.yieldsUntil = nil
        case .holding: break
        }
        if holding.phase == .holding { plan(raising: address, &holding, now) }
        if comparingSettings, let settings = ownership.settings(of: own, at: index) {
            holding.tenancy.settings = settings
        }
        holdings[address] = holding
        noteDeadline(holding.nextDeadline)
        if holding.tenancy != tenancy { actions.append(.announce(address, holding.tenancy)) }
        if let due = holding.raisesAt, due <= now { raise(address, now, &actions) }
    }

    /// Leaves an address that the election does not give to this node, now or in time.
    private mutating func leave(
        _ address: IPAddress, _ next: Ownership, _ own: Int?, _ now: Instant,
        _ actions: inout [Action]
    ) {
        guard let facts, var holding = holdings[address] else { return }
        guard let index = next.candidacy.index(of: address) else {
            if facts.isComplete { withdraw(address, &actions) }
            return
        }
        let owner = next.owners[index]
        guard holding.isAnswering, facts.isMemoryCommon, let own, owner >= 0,
            !isOutbid(at: address, index, own, next)
        else { return withdraw(address, &actions) }
        let isAble = next.standing(of: own, at: index) != .unable
        holding.phase = .yielding(to: next.candidacy.names[owner])
        holding.yieldsUntil = isAble ? nil : holding.yieldsUntil ?? now + Timing.hardYield
        holding.raisesAt = nil
        holdings[address] = holding
        noteDeadline(holding.yieldsUntil)
    }

    /// Whether a node that lives claims the address more strongly than this one.
    private func isOutbid(
        at address: IPAddress, _ index: Int, _ own: Int, _ ownership: Ownership
    ) -> Bool {
        guard let epoch = table.standing(address) else { return false }
        return (table.all[address] ?? []).contains { claim in
            guard claim.node != node, isReachable(claim.node),
                let other = ownership.candidacy.index(ofNode: claim.node)
            else { return false }
            return ownership.beats((claim.epoch, other), (epoch, own), index)
        }
    }

    func isReachable(_ name: String) -> Bool { nodes[name]?.isReachable ?? false }

    mutating func withdraw(_ address: IPAddress, _ actions: inout [Action]) {
        guard holdings.removeValue(forKey: address) != nil else { return }
        actions.append(.withdraw(address))
    }
}
