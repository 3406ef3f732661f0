import NetworkTypes

extension Announcer {
    /// The addresses of the table, in order.
    public var addresses: [IPAddress] { slots.keys.sorted() }

    /// The solicited-node groups needed now, in order: what a reopened socket is to join.
    public var groups: [IPAddress] { groupUsers.keys.sorted() }

    /// Where the address stands; `nil` when it is not in the table.
    public func state(of address: IPAddress) -> AnnouncementState? {
        slots[address].map { entries[$0].state }
    }

    /// What happened to the address since it was added; `nil` when it is not in the table.
    public func counters(of address: IPAddress) -> AddressCounters? {
        slots[address].map { entries[$0].counters }
    }

    mutating func add(
        _ address: IPAddress, _ settings: AnnouncementSettings, at now: Instant
    ) -> [Action] {
        if let slot = slots[address] {
            return change(slot, to: settings, at: now)
        }
        guard slots.count < Self.maximumAddresses, !address.isMulticast, !address.isUnspecified,
            !address.isLoopback,
            address.bits != IPAddress.Family.ipv4.maximum
                || address.family == .ipv6
        else { return [.refused(address)] }
        var entry = AnnouncedAddress(address, settings)
        if entry.isAnswering, now >= authority { entry.enter(.awaitingAuthority) }
        let slot: Int
        if let free = freeSlots.popLast() {
            slot = free
            entries[slot] = entry
        } else {
            slot = entries.count
            entries.append(entry)
        }
        slots[address] = slot
        setDeadline(now, slot)
        // Joined before the first probe: its answer may come through a snooping switch
        // (RFC 4862 §5.4.2).
        var actions = join(address)
        if entry.isAnswering { actions.append(.answering(address)) }
        return actions + runDue(at: now)
    }

    private mutating func change(
        _ slot: Int, to settings: AnnouncementSettings, at now: Instant
    ) -> [Action] {
        let previous = entries[slot].settings
        entries[slot].settings = settings
        if settings.start == .atOnce, !entries[slot].isAnswering {
            // Left to another interface of this node, the address is in use.
            if case .standingBy = entries[slot].state { return [] }
            entries[slot].enter(.awaitingAuthority)
            setDeadline(now, slot)
            return runDue(at: now)
        }
        if entries[slot].state == .active,
            previous.reannounceInterval != settings.reannounceInterval
        {
            setDeadline(firstReannouncement(of: slot, after: now), slot)
        }
        return []
    }

    mutating func remove(_ address: IPAddress) -> [Action] {
        guard let slot = slots.removeValue(forKey: address) else { return [] }
        schedule.set(slot, nil, .silent)
        freeSlots.append(slot)
        return leave(address)
    }

    private mutating func join(_ address: IPAddress) -> [Action] {
        guard let group = address.solicitedNodeMulticast else { return [] }
        let users = groupUsers[group, default: 0]
        groupUsers[group] = users + 1
        return users == 0 ? [.joinGroup(group)] : []
    }

    private mutating func leave(_ address: IPAddress) -> [Action] {
        guard let group = address.solicitedNodeMulticast, let users = groupUsers[group] else {
            return []
        }
        groupUsers[group] = users > 1 ? users - 1 : nil
        return users > 1 ? [] : [.leaveGroup(group)]
    }

    /// Asks again for the addresses that somebody else was found to have.
    mutating func retryConflicted(at now: Instant) -> [Action] {
        for slot in slots.values.sorted() {
            guard case .conflicted = entries[slot].state else { continue }
            entries[slot].restart()
            setDeadline(now, slot)
        }
        return runDue(at: now)
    }

    /// Announces every address in use anew, and asks anew for the others: they may now be on
    /// another LAN. An address in use is not asked for again, because its clients would wait;
    /// unless no other node is heard: then somebody may have taken it over meanwhile.
    mutating func startOver(at now: Instant) -> [Action] {
        // What was heard before the link was away proves nothing now.
        if isolation != nil { isDeaf = true }
        for slot in slots.values.sorted() {
            if entries[slot].isAnswering {
                entries[slot].enter(isolation == nil ? .announcing(sent: 0) : .checking(sent: 0))
            } else {
                entries[slot].restart()
                entries[slot].lostRounds = 0
            }
            setDeadline(now, slot)
        }
        return runDue(at: now)
    }
}
