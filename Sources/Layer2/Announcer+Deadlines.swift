import NetworkTypes

extension Announcer {
    /// Takes the step of every address that is due, as far as authority and pacing admit. The rest
    /// stays due; ``nextDeadline`` then names the instant at which it can be taken.
    mutating func runDue(at now: Instant) -> [Action] {
        guard now < authority else {
            hasLapsed = true
            return []
        }
        var actions: [Action] = []
        runInquiries(at: now, &actions)
        runHearing(at: now, &actions)
        while let slot = schedule.due(at: now) { step(slot, at: now, &actions) }
        return actions
    }

    /// Gives an address its next deadline, in the lane that its state asks for.
    mutating func setDeadline(_ deadline: Instant?, _ slot: Int) {
        let lane: Schedule.Lane =
            switch entries[slot].state {
            case .probing(let sent): sent < Timing.probes ? .repeating : .silent
            case .checking(0), .held, .standingBy: .starting
            case .checking(let sent): sent < checkProbes(for: slot) ? .finishing : .silent
            case .awaitingAuthority: .silent
            case .announcing(0): .opening
            case .announcing, .active, .conflicted, .waitingToHear: .repeating
            }
        schedule.set(slot, deadline, lane)
    }

    /// Does what is due for one address. Every step sends a frame, which pacing relies on, or goes
    /// on to a state whose step does; and the next deadline counts from now, so that after a pause
    /// of the whole process no backlog is sent.
    private mutating func step(_ slot: Int, at now: Instant, _ actions: inout [Action]) {
        switch entries[slot].state {
        case .probing(let sent) where sent < Timing.probes:
            probe(slot, sent: sent, at: now, &actions)
        case .checking(let sent) where sent < checkProbes(for: slot):
            check(slot, sent: sent, at: now, &actions)
        case .checking where heldElsewhere.contains(entries[slot].address):
            hold(slot, at: now)
        case .checking where isDeaf, .probing where isDeaf:
            waitToHear(slot, at: now, &actions)
        case .awaitingAuthority where isolation != nil:
            check(slot, sent: 0, at: now, &actions)
        case .probing, .checking, .awaitingAuthority:
            beginUse(slot, at: now, &actions)
        case .held, .standingBy:
            check(slot, sent: 0, at: now, &actions)
        case .conflicted where entries[slot].settings.start == .afterProbing:
            probe(slot, sent: 0, at: now, &actions)
        case .conflicted:
            check(slot, sent: 0, at: now, &actions)
        case .announcing(let sent):
            announce(slot, sent: sent, at: now, &actions)
        case .active:
            sendAnnouncement(slot, at: now, &actions)
            setDeadline(reannounceInterval(of: slot).map { now + $0 }, slot)
        case .waitingToHear:
            setDeadline(nil, slot)
        }
    }

    /// Questions are answered from here on; the announcement is due, and goes when pacing lets it.
    mutating func beginUse(_ slot: Int, at now: Instant, _ actions: inout [Action]) {
        entries[slot].enter(.announcing(sent: 0))
        entries[slot].lostRounds = 0
        actions.append(.answering(entries[slot].address))
        setDeadline(now, slot)
    }

    /// Puts every address in use back to the check; not again and again, because a node that often
    /// runs late would hardly answer.
    mutating func recheck(at now: Instant) -> [Action] {
        if let last = recheckedAt, now - last < Timing.recheckInterval { return [] }
        recheckedAt = now
        for slot in slots.values.sorted() where entries[slot].isAnswering {
            entries[slot].enter(.checking(sent: 0))
            setDeadline(now, slot)
        }
        return runDue(at: now)
    }

    /// Announces an address in use in a burst again. One that a rival held is asked for at once, as
    /// if for the first time: the rival is about to give way.
    mutating func reannounce(_ address: IPAddress, at now: Instant) -> [Action] {
        guard let slot = slots[address] else { return [] }
        if entries[slot].isAnswering {
            entries[slot].enter(.announcing(sent: 0))
        } else if case .held = entries[slot].state {
            entries[slot].lostRounds = 0
        } else {
            return []
        }
        setDeadline(now, slot)
        return runDue(at: now)
    }

    private mutating func probe(
        _ slot: Int, sent: Int, at now: Instant, _ actions: inout [Action]
    ) {
        sendProbe(for: entries[slot].address, at: now, &actions)
        entries[slot].enter(.probing(sent: sent + 1))
        setDeadline(now + Timing.probeInterval, slot)
    }

    private mutating func check(
        _ slot: Int, sent: Int, at now: Instant, _ actions: inout [Action]
    ) {
        sendProbe(for: entries[slot].address, at: now, &actions)
        if sent == 0 {
            schedule.countStart(at: now)
            inquire(about: entries[slot].settings.formerOwner, at: now, &actions)
        }
        startHearing(at: now, &actions)
        entries[slot].enter(.checking(sent: sent + 1))
        setDeadline(now + checkInterval(for: slot), slot)
    }

    /// A check that found somebody before is in no hurry, and must not mistake a late answer for
    /// none.
    private func checkProbes(for slot: Int) -> Int {
        entries[slot].lostRounds == 0 ? Timing.checkProbes : Timing.probes
    }

    private func checkInterval(for slot: Int) -> Duration {
        entries[slot].lostRounds == 0 ? Timing.checkInterval : Timing.probeInterval
    }

    /// Asks for an address of this LAN, ours to be or not, claiming nothing.
    mutating func sendProbe(
        for address: IPAddress, at now: Instant, _ actions: inout [Action]
    ) {
        var buffer = FrameBuffer()
        AddressFrames(address: address, hardware: macAddress).probe(into: &buffer)
        send(buffer, at: now, &actions)
    }

    mutating func send(
        _ buffer: borrowing FrameBuffer, at now: Instant, _ actions: inout [Action]
    ) {
        actions.append(.send(buffer.bytes))
        schedule.countFrame(at: now)
    }

    private mutating func announce(
        _ slot: Int, sent: Int, at now: Instant, _ actions: inout [Action]
    ) {
        sendAnnouncement(slot, at: now, &actions)
        if sent < Timing.announcementGaps.count {
            entries[slot].enter(.announcing(sent: sent + 1))
            setDeadline(now + Timing.announcementGaps[sent], slot)
        } else {
            entries[slot].enter(.active)
            setDeadline(firstReannouncement(of: slot, after: now), slot)
        }
    }

    private mutating func sendAnnouncement(
        _ slot: Int, at now: Instant, _ actions: inout [Action]
    ) {
        var frames: [Action] = []
        AddressFrames(address: entries[slot].address, hardware: macAddress).announcement {
            frames.append(.send($0.bytes))
        }
        for _ in frames { schedule.countFrame(at: now) }
        entries[slot].counters.gratuitousSent &+= UInt64(frames.count)
        actions += frames
    }

    /// Between half an interval and a whole one after the burst, by address: those added together
    /// are spread over half an interval from then on. Never while isolated: who keeps on
    /// announcing to a part of a LAN that is cut in two takes clients away from the other owner in
    /// the moment in which the cut heals.
    func firstReannouncement(of slot: Int, after now: Instant) -> Instant? {
        guard let interval = reannounceInterval(of: slot) else { return nil }
        let half = interval / 2
        return now + half + half.scaled(by: entries[slot].spread(0))
    }

    private func reannounceInterval(of slot: Int) -> Duration? {
        guard isolation == nil else { return nil }
        return entries[slot].settings.reannounceInterval.map {
            max($0, Timing.shortestReannouncement)
        }
    }
}
