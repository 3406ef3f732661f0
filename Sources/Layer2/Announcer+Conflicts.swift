import NetworkTypes

extension Announcer {
    /// Who another station is to us.
    private enum Station {
        case stranger
        /// An interface of another speaker.
        case peer
        /// Another interface of this node.
        case sibling
    }

    private func station(_ hardware: MACAddress) -> Station {
        siblings.contains(hardware) ? .sibling : peers.contains(hardware) ? .peer : .stranger
    }

    /// Another station said that it has an address of the table.
    mutating func observe(claimBy offender: MACAddress, _ slot: Int, at now: Instant) -> Outcome {
        entries[slot].counters.claimsReceived &+= 1
        let station = station(offender)
        switch (entries[slot].state, station) {
        case (.conflicted, _), (.held, _), (.standingBy, _), (.awaitingAuthority, _):
            return drop(.notInUse)
        case (.probing, .sibling), (.checking, .sibling), (.waitingToHear, .sibling):
            standBy(slot, at: now)
            return drop(.notInUse)
        case (.probing, .peer):
            yield(slot, Timing.firstYield, at: now)
            return .acted(report(slot, .peerAnnounces(entries[slot].address, offender), at: now))
        case (.checking, .peer), (.waitingToHear, .peer):
            hold(slot, at: now)
            return .acted([.heldByPeer(entries[slot].address, offender)])
        case (.probing, .stranger), (.checking, .stranger), (.waitingToHear, .stranger):
            return .acted(giveUp(slot, offender, at: now))
        case (.announcing, .sibling), (.active, .sibling):
            return .acted(settle(slot, with: offender, at: now))
        case (.announcing, .peer), (.active, .peer):
            let address = entries[slot].address
            return .acted(report(slot, .peerAnnounces(address, offender), at: now))
        case (.announcing, .stranger), (.active, .stranger):
            let conflict = Conflict(
                address: entries[slot].address, offender: offender, phase: .inUse)
            return .acted(
                report(slot, .conflict(conflict), at: now) + defend(slot, at: now))
        }
    }

    /// Another station probes for an address of the table that is not in use here.
    ///
    /// A stranger wants an address that is new to us: neither gets it, as in RFC 5227 §2.1.1. When
    /// we take it over he is told so soon enough. Of two speakers that do not agree yet who the
    /// owner is, the one with the lower link-layer address goes first and the other waits for it as
    /// for one that announces: two never answer at once.
    mutating func observe(probeBy offender: MACAddress, _ slot: Int, at now: Instant) -> Outcome {
        let isStranger = station(offender) == .stranger
        let wait: Duration
        switch entries[slot].state {
        case .probing where isStranger:
            entries[slot].counters.claimsReceived &+= 1
            return .acted(giveUp(slot, offender, at: now))
        case .probing: wait = Timing.firstYield
        case .checking where !isStranger: wait = Timing.checkYield
        default: return drop(.notInUse)
        }
        if offender.bits < macAddress.bits { yield(slot, wait, at: now) }
        return drop(.peerProbe)
    }

    /// Leaves the address alone and tries again later.
    private mutating func giveUp(
        _ slot: Int, _ offender: MACAddress, at now: Instant
    ) -> [Action] {
        let wait = nextWait(slot, Timing.firstRetry, Timing.longestRetry)
        enter(slot, wait, at: now) { .conflicted(retryAt: $0) }
        return [
            .conflict(
                Conflict(
                    address: entries[slot].address, offender: offender, phase: .beforeUse))
        ]
    }

    /// Leaves the address to the speaker that was said to be gone, and checks again later.
    mutating func hold(_ slot: Int, at now: Instant) {
        let wait = nextWait(slot, Timing.firstHold, Timing.longestHold)
        enter(slot, wait, at: now) { .held(retryAt: $0) }
    }

    /// Leaves the address to another interface of this node, and checks again later.
    private mutating func standBy(_ slot: Int, at now: Instant) {
        let wait = nextWait(slot, Timing.firstStandby, Timing.longestStandby)
        enter(slot, wait, at: now) { .standingBy(retryAt: $0) }
    }

    private mutating func nextWait(
        _ slot: Int, _ first: Duration, _ longest: Duration
    ) -> Duration {
        entries[slot].lostRounds += 1
        return Timing.backoff(first, longest, rounds: entries[slot].lostRounds)
    }

    private mutating func enter(
        _ slot: Int, _ wait: Duration, at now: Instant, _ state: (Instant) -> AnnouncementState
    ) {
        let retry = now + wait + (wait / 4).scaled(by: entries[slot].spread(macAddress.bits))
        entries[slot].enter(state(retry))
        setDeadline(retry, slot)
    }

    /// Waits for a peer, then asks from the start. Once a round: while no question of the round is
    /// out, more of the peer's frames tell nothing new and do not prolong the wait.
    private mutating func yield(_ slot: Int, _ first: Duration, at now: Instant) {
        let fresh: AnnouncementState
        switch entries[slot].state {
        case .probing(let sent) where sent > 0: fresh = .probing(sent: 0)
        case .checking(let sent) where sent > 0: fresh = .checking(sent: 0)
        default: return
        }
        let wait = nextWait(slot, first, Timing.longestYield)
        entries[slot].enter(fresh)
        setDeadline(now + wait, slot)
    }

    /// Of two interfaces of this node on one LAN the one with the lower link-layer address goes on.
    /// The other must hear of it: it may have begun after our last announcement.
    private mutating func settle(
        _ slot: Int, with sibling: MACAddress, at now: Instant
    ) -> [Action] {
        guard sibling.bits < macAddress.bits else {
            if let last = entries[slot].lastReport, now - last < Timing.reportInterval {
                return []
            }
            entries[slot].lastReport = now
            setDeadline(now, slot)
            return runDue(at: now)
        }
        standBy(slot, at: now)
        return [.standingBy(entries[slot].address)]
    }

    /// An interface of this node that is gone leaves its addresses to those that stand by.
    mutating func follow(siblings changed: Set<MACAddress>, at now: Instant) -> [Action] {
        let isGone = !siblings.subtracting(changed).isEmpty
        siblings = changed
        guard isGone else { return [] }
        for slot in slots.values.sorted() {
            guard case .standingBy = entries[slot].state else { continue }
            entries[slot].lostRounds = 0
            setDeadline(now, slot)
        }
        return runDue(at: now)
    }

    /// Makes the next announcement due now, at most once in the defend interval. The address is
    /// never given up (RFC 5227 §2.4(c)): who serves it is the operator's decision.
    private mutating func defend(_ slot: Int, at now: Instant) -> [Action] {
        if let last = entries[slot].lastDefence, now - last < Timing.defendInterval { return [] }
        entries[slot].lastDefence = now
        setDeadline(now, slot)
        return runDue(at: now)
    }

    private mutating func report(
        _ slot: Int, _ action: Action, at now: Instant
    ) -> [Action] {
        if let last = entries[slot].lastReport, now - last < Timing.reportInterval { return [] }
        entries[slot].lastReport = now
        return [action]
    }
}
