import NetworkTypes

extension Announcer {
    /// Takes the step of every address that is due, as far as the pacer admits. The rest stays due;
    /// ``nextDeadline`` then names the end of the pacer's window.
    mutating func runDue(at now: Instant) -> [Action] {
        var actions: [Action] = []
        while let due = deadlines.first, due.deadline <= now, pacer.admits(at: now) {
            step(due.slot, at: now, &actions)
        }
        return actions
    }

    /// Sends what is due for one address. Every step sends at least one frame, which the pacer's
    /// bound relies on, and the next deadline counts from now: after a pause of the whole process
    /// no backlog is sent.
    private mutating func step(_ slot: Int, at now: Instant, _ actions: inout [Action]) {
        switch entries[slot].state {
        case .conflicted:
            probe(slot, sent: 0, at: now, &actions)
        case .probing(let sent) where sent < Timing.probes:
            probe(slot, sent: sent, at: now, &actions)
        case .probing:
            actions.append(.answering(entries[slot].address))
            announce(slot, sent: 0, at: now, &actions)
        case .announcing(let sent):
            announce(slot, sent: sent, at: now, &actions)
        case .active:
            sendAnnouncement(slot, &actions)
            deadlines.set(slot, nextReannouncement(of: slot, after: now))
        }
    }

    private mutating func probe(
        _ slot: Int, sent: Int, at now: Instant, _ actions: inout [Action]
    ) {
        var buffer = FrameBuffer()
        AddressFrames(address: entries[slot].address, hardware: macAddress).probe(into: &buffer)
        actions.append(.send(buffer.bytes))
        pacer.count()
        entries[slot].enter(.probing(sent: sent + 1))
        deadlines.set(slot, now + Timing.probeInterval)
    }

    private mutating func announce(
        _ slot: Int, sent: Int, at now: Instant, _ actions: inout [Action]
    ) {
        sendAnnouncement(slot, &actions)
        if sent < Timing.announcementGaps.count {
            entries[slot].enter(.announcing(sent: sent + 1))
            deadlines.set(slot, now + Timing.announcementGaps[sent])
        } else {
            entries[slot].enter(.active)
            deadlines.set(slot, firstReannouncement(of: slot, after: now))
        }
    }

    private mutating func sendAnnouncement(_ slot: Int, _ actions: inout [Action]) {
        var frames: [Action] = []
        AddressFrames(address: entries[slot].address, hardware: macAddress).announcement {
            frames.append(.send($0.bytes))
        }
        for _ in frames { pacer.count() }
        entries[slot].counters.gratuitousSent &+= UInt64(frames.count)
        actions += frames
    }

    /// Between half an interval and a whole one after the burst, by address: those added together
    /// are spread over half an interval from then on.
    func firstReannouncement(of slot: Int, after now: Instant) -> Instant? {
        guard let interval = reannounceInterval(of: slot) else { return nil }
        let half = interval / 2
        return now + half + half.scaled(by: entries[slot].spread(0))
    }

    private func nextReannouncement(of slot: Int, after now: Instant) -> Instant? {
        reannounceInterval(of: slot).map { now + $0 }
    }

    private func reannounceInterval(of slot: Int) -> Duration? {
        entries[slot].settings.reannounceInterval.map { max($0, Timing.shortestReannouncement) }
    }
}
