import NetworkTypes

extension MembershipAgent {
    func session(with id: NodeID) -> Int? { sessions.firstIndex { $0.peer == id } }

    /// Has sessions with those whom the rings make our neighbours, and with nobody who is gone.
    mutating func arrangeSessions(at now: Instant) {
        topologyChanged = false
        let wanted = roster.neighbours(of: own)
        sessions.removeAll { roster[$0.peer]?.isLive != true }
        for index in sessions.indices {
            let isNeighbour = wanted.contains(sessions[index].peer)
            if sessions[index].isNeighbour, !isNeighbour {
                sessions[index].lingersUntil = now.after(timing.linger)
            }
            sessions[index].isNeighbour = isNeighbour
            if let member = roster[sessions[index].peer] {
                sessions[index].endpoint = member.endpoint
            }
        }
        for id in wanted where session(with: id) == nil { open(id, isNeighbour: true, at: now) }
    }

    /// Keeps an eye on a member for a second, or for as long as it keeps one on us: views of the
    /// rings differ for moments.
    mutating func watch(_ id: NodeID, at now: Instant) {
        guard session(with: id) == nil, sessions.count < Self.maximumSessions - Roster.closeKnit
        else { return }
        open(id, isNeighbour: false, at: now)
    }

    private mutating func open(_ id: NodeID, isNeighbour: Bool, at now: Instant) {
        guard sessions.count < Self.maximumSessions, let member = roster[id], member.isLive else {
            return
        }
        hasHadSession = true
        sessions.append(
            Session(
                member, isNeighbour: isNeighbour, lingersUntil: now.after(timing.linger), at: now))
        sendOpeningPing(sessions.count - 1, at: now)
    }

    /// The first ping of a session shows at once whether both directions work; after a pause it is
    /// the question whether somebody is still there.
    mutating func sendOpeningPing(_ index: Int, at now: Instant) {
        let sequence = nextPingSequence()
        sessions[index].openingPing = (sequence, now)
        if reassessment != nil { sessions[index].check = .asked(sequence) }
        outbox.add(.news([ownNews]), to: sessions[index].endpoint)
        outbox.add(.ping(sequence: sequence), to: sessions[index].endpoint)
    }

    mutating func endLingering(at now: Instant) {
        sessions.removeAll { session in
            guard !session.isNeighbour, session.lingersUntil <= now else { return false }
            return session.doubt == nil || now.since(session.lingersUntil) > timing.linger
        }
    }

    /// One beat to everybody with whom we are in session, and what rides on it.
    mutating func sendBeats(at now: Instant) {
        guard !hasLeft, !sessions.isEmpty else { return }
        let news = rumours.take()
        let hash = combinedHash
        for index in sessions.indices {
            let endpoint = sessions[index].endpoint
            var health = wakefulness.localHealth
            if sessions[index].isNeighbour { health |= Beat.neighbourBit }
            outbox.add(
                .beat(
                    Beat(
                        sequence: sessions[index].sequence,
                        heardAge: sessions[index].hasBeenHeard
                            ? Self.age(sessions[index].heardAt, now) : .max,
                        localHealth: health, incarnation: incarnation, storeHash: hash)),
                to: endpoint)
            sessions[index].sequence &+= 1
            if sessions[index].introductions > 0 {
                sessions[index].introductions -= 1
                outbox.add(.news([ownNews]), to: endpoint)
            }
            if !news.isEmpty { outbox.add(.news(news), to: endpoint) }
            // A suspect that we hear well has not heard of it, or its answer got lost.
            if sessions[index].sequence % 5 == 0, sessions[index].doubt == nil,
                roster.suspects.contains(sessions[index].peer),
                let member = roster[sessions[index].peer]
            {
                outbox.add(.news([member.news]), to: endpoint)
            }
        }
    }

    /// Milliseconds as they go over the wire.
    static func age(_ time: Instant, _ now: Instant) -> UInt16 {
        UInt16(clamping: max(now.since(time), 0) / Timing.millisecond)
    }

    /// Views of the entries above, views of the members below.
    var combinedHash: UInt64 {
        let roster = roster.hash
        return (store.hash ^ store.hash << 32) & 0xffff_ffff_0000_0000
            | (roster ^ roster >> 32) & 0xffff_ffff
    }

    /// Compares views with a neighbour; where they differ for longer than news need, they are
    /// exchanged.
    mutating func compareHashes(_ index: Int, _ theirs: UInt64, at now: Instant) {
        let ours = combinedHash
        let (ourStore, theirStore) = (UInt32(ours >> 32), UInt32(theirs >> 32))
        sessions[index].stores.compare(ourStore, theirStore, at: now)
        sessions[index].rosters.compare(
            UInt32(truncatingIfNeeded: ours), UInt32(truncatingIfNeeded: theirs), at: now)
        if ourStore == theirStore, sessions[index].check == .answered {
            sessions[index].check = .agreed
        }
        if sessions[index].stores.isDue(after: timing.storeDiffers, at: now) {
            sessions[index].stores.acted(
                at: now, first: timing.exchange, longest: timing.longestExchange)
            counters.exchanges &+= 1
            outbox.add(.digest(store.digest(), wantsReply: true), to: sessions[index].endpoint)
        }
        if sessions[index].rosters.isDue(after: timing.rosterDiffers, at: now) {
            sessions[index].rosters.acted(
                at: now, first: timing.rosterPush, longest: timing.longestExchange)
            tellAll(to: sessions[index].endpoint)
        }
    }

    /// Every member that we know, in an order that a replay repeats.
    func everything() -> [MemberNews] {
        [ownNews] + roster.members.values.sorted { $0.id < $1.id }.map(\.remembered)
    }

    private mutating func tellAll(to endpoint: SocketAddress) {
        sendBulk(DatagramCoder.encode([.news(everything())]), to: endpoint)
    }

    /// Somebody has come, or come back, and says so itself: where that takes a datagram it is told
    /// of the others at once. In a large cluster its neighbours' beats lead to the same.
    mutating func welcome(_ member: Member, at now: Instant) {
        guard roster.members.count <= 20 else { return }
        if let pushedAt = member.pushedAt, now.since(pushedAt) < timing.rosterPush { return }
        roster.note(member.id) { $0.pushedAt = now }
        outbox.add(.news(everything()), to: member.endpoint)
    }

    mutating func sendBulk(_ payloads: [[UInt8]], to endpoint: SocketAddress) {
        for payload in payloads where !bulk.add(payload, to: endpoint) {
            counters.bulkDropped &+= 1
        }
    }
}
