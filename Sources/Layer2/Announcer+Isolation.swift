import NetworkTypes

/// What an isolated node knows of being alone: no other node was heard since `since`.
///
/// Of two halves of a cut LAN each serves its own clients. But a node that merely hears nothing,
/// because its own port or cable is bad, would take every address over and announce it to nobody;
/// and to everybody, in the moment in which it is connected again.
struct Isolation: Equatable, Sendable {
    let since: Instant
    var isAlonePlausible: Bool
    /// When the asking began, and when it goes on; `nil` while there is no need.
    var askingSince: Instant?
    var askAt: Instant?
    var hasReported = false
}

extension Announcer {
    mutating func isolate(
        since: Instant?, isAlonePlausible: Bool, at now: Instant
    ) -> [Action] {
        guard let since else {
            guard isolation != nil else { return [] }
            isolation = nil
            endDeafness(at: now)
            for slot in slots.values.sorted() {
                switch entries[slot].state {
                case .active: setDeadline(firstReannouncement(of: slot, after: now), slot)
                case .held, .conflicted:
                    // Who answered then may be about to learn that it is ours, or the other way
                    // round: asked at once, with care.
                    entries[slot].lostRounds = min(entries[slot].lostRounds, 1)
                    setDeadline(now, slot)
                default: break
                }
            }
            return runDue(at: now)
        }
        if isolation?.since == since {
            isolation?.isAlonePlausible = isAlonePlausible
            return runDue(at: now)
        }
        let wasDeaf = isDeaf
        isolation = Isolation(since: since, isAlonePlausible: isAlonePlausible)
        // What came before this event proves nothing: it may have waited in a buffer.
        isDeaf = true
        for slot in slots.values where entries[slot].state == .active { setDeadline(nil, slot) }
        if wasDeaf { startHearingAgain(at: now) }
        return runDue(at: now)
    }

    /// A frame of another station came in.
    mutating func hear(at now: Instant) {
        lastHeard = now
        if isDeaf, let since = isolation?.since, now > since { endDeafness(at: now) }
    }

    /// Addresses that waited are checked again: the questions of before were heard by nobody.
    private mutating func endDeafness(at now: Instant) {
        isDeaf = false
        isolation?.askAt = nil
        isolation?.askingSince = nil
        for slot in slots.values.sorted() where entries[slot].state == .waitingToHear {
            entries[slot].enter(.checking(sent: 0))
            setDeadline(now, slot)
        }
    }

    /// The check of an address ended in silence, which proves nothing while we are deaf.
    mutating func waitToHear(_ slot: Int, at now: Instant, _ actions: inout [Action]) {
        startHearing(at: now, &actions)
        if isAloneAccepted(at: now) {
            beginUse(slot, at: now, &actions)
            return
        }
        entries[slot].enter(.waitingToHear)
        setDeadline(nil, slot)
        guard isolation?.hasReported == false else { return }
        isolation?.hasReported = true
        actions.append(.waitingToHear(entries[slot].address))
    }

    /// Asks for a sign of life as soon as a check begins, so that it costs no time when somebody
    /// is there.
    mutating func startHearing(at now: Instant, _ actions: inout [Action]) {
        guard isDeaf, isolation?.askAt == nil else { return }
        if isolation?.askingSince == nil { isolation?.askingSince = now }
        isolation?.askAt = now
        runHearing(at: now, &actions)
    }

    /// Looks for a sign of life for a reason of the caller's: silence where an answer was expected.
    mutating func seekSignOfLife(at now: Instant) -> [Action] {
        guard now < authority, now >= nextSearch else { return [] }
        nextSearch = now + Timing.hearingInterval
        var actions: [Action] = []
        askWitnesses(at: now, &actions)
        return actions
    }

    private mutating func askWitnesses(at now: Instant, _ actions: inout [Action]) {
        for (target, hardware) in witnesses.round(except: { slots[$0] != nil })
        where schedule.admitsFrame(at: now) {
            var buffer = FrameBuffer()
            witnesses.ask(target, at: hardware, from: macAddress, into: &buffer)
            send(buffer, at: now, &actions)
        }
    }

    private mutating func startHearingAgain(at now: Instant) {
        guard hasDoubts else { return }
        isolation?.askingSince = now
        isolation?.askAt = now
    }

    mutating func runHearing(at now: Instant, _ actions: inout [Action]) {
        guard let askAt = isolation?.askAt, askAt <= now, isDeaf else { return }
        guard hasDoubts, let began = isolation?.askingSince else {
            isolation?.askAt = nil
            return
        }
        askWitnesses(at: now, &actions)
        isolation?.askAt =
            now
            + (now - began < Timing.hearingHaste
                ? Timing.hearingInterval : Timing.hearingPatience)
        guard isAloneAccepted(at: now) else { return }
        for slot in slots.values.sorted() where entries[slot].state == .waitingToHear {
            beginUse(slot, at: now, &actions)
        }
    }

    /// Whether an address waits for a sign of life, or soon will.
    private var hasDoubts: Bool {
        slots.values.contains { slot in
            switch entries[slot].state {
            case .probing, .checking, .waitingToHear: true
            default: false
            }
        }
    }

    private func isAloneAccepted(at now: Instant) -> Bool {
        guard let isolation, isolation.isAlonePlausible, let began = isolation.askingSince
        else { return false }
        return now - began >= Timing.aloneWait
    }
}
