import NetworkTypes

extension AnswerWatch {
    mutating func watch(
        _ addresses: [IPAddress: Set<MACAddress>], at now: Instant
    ) -> [Action] {
        var wanted = addresses
        if wanted.count > Self.maximumAddresses {
            for surplus in wanted.keys.sorted().dropFirst(Self.maximumAddresses) {
                wanted[surplus] = nil
            }
        }
        for (address, slot) in slots where wanted[address] == nil { drop(address, slot) }
        for (address, owner) in wanted.sorted(by: { $0.key < $1.key }) {
            if let slot = slots[address] {
                guard entries[slot].owner != owner else { continue }
                entries[slot].owner = owner
                rest(slot, until: now + Self.settling)
                entries[slot].forgetDoubts()
            } else {
                add(WatchedAddress(address, owner: owner), at: now)
            }
        }
        return runDue(at: now)
    }

    private mutating func add(_ entry: WatchedAddress, at now: Instant) {
        let slot: Int
        if let free = freeSlots.popLast() {
            slot = free
            entries[slot] = entry
        } else {
            slot = entries.count
            entries.append(entry)
        }
        slots[entry.address] = slot
        // Spread over the interval, and never before a new owner has settled.
        let wait = interval.scaled(by: entry.address.spread(macAddress.bits))
        questions.set(slot, now + max(wait, min(Self.settling, interval)))
    }

    private mutating func drop(_ address: IPAddress, _ slot: Int) {
        rest(slot, until: nil)
        slots[address] = nil
        freeSlots.append(slot)
    }

    /// Ends the round of an address, if one is open, without drawing anything from it.
    private mutating func rest(_ slot: Int, until next: Instant?) {
        if entries[slot].isAsking { openRounds -= 1 }
        entries[slot].isAsking = false
        entries[slot].answers = []
        endings.set(slot, nil)
        questions.set(slot, next)
    }

    mutating func interrupt(at now: Instant) {
        for slot in slots.values {
            if entries[slot].isAsking { rest(slot, until: now + Self.doubtInterval) }
            entries[slot].forgetDoubts()
        }
    }

    mutating func runDue(at now: Instant) -> [Action] {
        guard !isPaused else { return [] }
        guard now < authority else {
            if !hasLapsed { interrupt(at: now) }
            hasLapsed = true
            return []
        }
        var actions: [Action] = []
        while let due = endings.first, due.deadline <= now {
            finish(due.slot, at: now, &actions)
        }
        if let due = questions.first, due.deadline <= now, nextQuestion <= now {
            ask(due.slot, at: now, &actions)
        }
        return actions
    }

    private mutating func ask(_ slot: Int, at now: Instant, _ actions: inout [Action]) {
        var buffer = FrameBuffer()
        AddressFrames(address: entries[slot].address, hardware: macAddress).probe(into: &buffer)
        actions.append(.send(buffer.bytes))
        if entries[slot].missed > 0 { actions.append(.seekSignOfLife) }
        nextQuestion = now + Self.questionInterval
        openRounds += 1
        entries[slot].isAsking = true
        entries[slot].answers = []
        if entries[slot].missed == 0 { entries[slot].missedSince = now }
        questions.set(slot, nil)
        endings.set(slot, now + Self.collecting)
    }

    private mutating func finish(_ slot: Int, at now: Instant, _ actions: inout [Action]) {
        let before = entries[slot].verdict
        judge(slot)
        let verdict = entries[slot].verdict
        if verdict != before { actions.append(.found(entries[slot].address, verdict)) }
        let isDoubtful =
            switch verdict {
            case .fine: entries[slot].missed > 0 || entries[slot].crowded > 0
            case .unanswered: entries[slot].missed < Self.missesForVerdict
            case .answeredBy: entries[slot].crowded < Self.crowdsForVerdict
            }
        // Misses that nobody can confirm are no reason to go on hastily for ever.
        let isStuck = entries[slot].missed >= Self.missesForVerdict
        rest(
            slot,
            until: isDoubtful && !isStuck
                ? now + Self.doubtInterval - Self.collecting
                : verdict == .fine && !isStuck ? now + interval : now + Self.verdictInterval)
    }

    private mutating func judge(_ slot: Int) {
        if entries[slot].answers.isEmpty {
            entries[slot].crowded = 0
            entries[slot].missed = min(entries[slot].missed + 1, Self.missesForVerdict)
            guard entries[slot].missed >= Self.missesForVerdict, let lastAnswered,
                lastAnswered > entries[slot].missedSince
            else { return }
            entries[slot].verdict = .unanswered
        } else if entries[slot].isAnsweredByOwner {
            entries[slot].forgetDoubts()
            entries[slot].verdict = .fine
        } else {
            entries[slot].missed = 0
            entries[slot].crowded = min(entries[slot].crowded + 1, Self.crowdsForVerdict)
            guard entries[slot].crowded >= Self.crowdsForVerdict else { return }
            entries[slot].verdict = .answeredBy(entries[slot].answers.sorted { $0.bits < $1.bits })
        }
    }
}
