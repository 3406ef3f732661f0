import NetworkTypes

extension Announcer {
    /// Another station said that it has an address of the table.
    mutating func observe(claimBy offender: MACAddress, _ slot: Int, at now: Instant) -> Outcome {
        entries[slot].counters.claimsReceived &+= 1
        let isPeer = peers.contains(offender)
        switch entries[slot].state {
        case .conflicted:
            return drop(.notInUse)
        case .probing where isPeer:
            yield(slot, at: now)
            return .acted(report(slot, offender, isPeer: true, at: now))
        case .probing:
            return .acted(giveUp(slot, offender, at: now))
        case .announcing, .active:
            var actions = report(slot, offender, isPeer: isPeer, at: now)
            if !isPeer { actions += defend(slot, at: now) }
            return .acted(actions)
        }
    }

    /// Another station probes for an address of the table that is not in use here.
    ///
    /// A stranger wants the same address: neither gets it, as in RFC 5227 §2.1.1. Of two speakers
    /// that do not agree yet who the owner is, the one with the lower link-layer address goes first
    /// and the other waits for it as for one that announces: two never answer at once.
    mutating func observe(probeBy offender: MACAddress, _ slot: Int, at now: Instant) -> Outcome {
        guard case .probing = entries[slot].state else { return drop(.notInUse) }
        guard peers.contains(offender) else {
            entries[slot].counters.claimsReceived &+= 1
            return .acted(giveUp(slot, offender, at: now))
        }
        if offender.bits < macAddress.bits { yield(slot, at: now) }
        return drop(.peerProbe)
    }

    /// Leaves the address alone and tries again later.
    private mutating func giveUp(
        _ slot: Int, _ offender: MACAddress, at now: Instant
    ) -> [Action] {
        entries[slot].lostRounds += 1
        let wait = Timing.backoff(
            Timing.firstRetry, Timing.longestRetry, rounds: entries[slot].lostRounds)
        let retry = now + wait + (wait / 4).scaled(by: entries[slot].spread(macAddress.bits))
        entries[slot].enter(.conflicted(retryAt: retry))
        deadlines.set(slot, retry)
        return [
            .conflict(
                Conflict(
                    address: entries[slot].address, offender: offender, phase: .beforeUse))
        ]
    }

    /// Waits for a peer, then probes from the start. Once a round: while no probe of the round is
    /// out, more of the peer's frames tell nothing new and do not prolong the wait.
    private mutating func yield(_ slot: Int, at now: Instant) {
        guard entries[slot].state != .probing(sent: 0) else { return }
        entries[slot].lostRounds += 1
        let wait = Timing.backoff(
            Timing.firstYield, Timing.longestYield, rounds: entries[slot].lostRounds)
        entries[slot].enter(.probing(sent: 0))
        deadlines.set(slot, now + wait)
    }

    /// Makes the next announcement due now, at most once in the defend interval. The address is
    /// never given up (RFC 5227 §2.4(c)): who serves it is the operator's decision.
    private mutating func defend(_ slot: Int, at now: Instant) -> [Action] {
        if let last = entries[slot].lastDefence, now - last < Timing.defendInterval { return [] }
        entries[slot].lastDefence = now
        deadlines.set(slot, now)
        return runDue(at: now)
    }

    private mutating func report(
        _ slot: Int, _ offender: MACAddress, isPeer: Bool, at now: Instant
    ) -> [Action] {
        if let last = entries[slot].lastReport, now - last < Timing.reportInterval { return [] }
        entries[slot].lastReport = now
        let address = entries[slot].address
        return isPeer
            ? [.peerAnnounces(address, offender)]
            : [.conflict(Conflict(address: address, offender: offender, phase: .inUse))]
    }
}
