import NetworkTypes

extension Tenure {
    mutating func noteDeadline(_ deadline: Instant?) {
        guard let deadline else { return }
        wake = min(wake ?? deadline, deadline)
    }

    /// Elects soon. Later news does not put it off further.
    mutating func awaitElection(_ now: Instant, addresses: Int) {
        guard electionDue == nil, !hasStopped else { return }
        electionDue = now + Timing.settling + Timing.settlingPerAddress * addresses
    }

    mutating func meetDeadlines(_ now: Instant, _ actions: inout [Action]) {
        if let stopsBy, stopsBy <= now, !hasStopped { return fallSilent(&actions) }
        var mustElect = electionDue.map { $0 <= now } ?? false
        if let wake, wake <= now {
            if endPledges(now) { mustElect = true }
            meetHoldings(now, &actions)
        }
        if let balanceDue, balanceDue <= now {
            if balance(now) { mustElect = true }
        }
        if mustElect { elect(now, &actions) }
    }

    private mutating func meetHoldings(_ now: Instant, _ actions: inout [Action]) {
        wake = pledges.values.lazy.map(\.until).min()
        let due = holdings.filter { $0.value.nextDeadline.map { $0 <= now } ?? false }
        for address in due.keys.sorted() { meetDeadlines(of: address, now, &actions) }
        for holding in holdings.values { noteDeadline(holding.nextDeadline) }
    }

    private mutating func meetDeadlines(
        of address: IPAddress, _ now: Instant, _ actions: inout [Action]
    ) {
        guard let holding = holdings[address] else { return }
        if let until = holding.yieldsUntil, until <= now {
            return withdraw(address, &actions)
        }
        if let due = holding.raisesAt, due <= now { raise(address, now, &actions) }
        if let due = holding.contestsAt, due <= now {
            holdings[address]?.contestsAt = nil
            notePeer(nil, announcing: address, now, &actions)
        }
    }

    /// True when one was given up.
    private mutating func endPledges(_ now: Instant) -> Bool {
        let ended = pledges.filter { $0.value.until <= now }.keys
        for address in ended {
            pledges[address] = nil
            table.pledge(address, epoch: nil)
        }
        return !ended.isEmpty
    }
}
