import NetworkTypes

extension MembershipAgent {
    /// When the session becomes overdue, or its doubt takes the next step.
    func nextStep(of session: Session) -> Instant {
        if let doubt = session.doubt { return doubt.nextStep }
        return min(
            session.heardAt.after(timing.overdue + session.roundTrip),
            session.heardByPeerAt.after(timing.reverseOverdue + session.roundTrip))
    }

    /// Takes the step of every session that is due.
    mutating func pursueDoubts(at now: Instant) {
        guard !hasLeft else { return }
        for index in sessions.indices where nextStep(of: sessions[index]) <= now {
            pursueDoubt(index, at: now)
        }
    }

    private mutating func pursueDoubt(_ index: Int, at now: Instant) {
        let id = sessions[index].peer
        guard let member = roster[id], member.isLive else { return }
        if sessions[index].doubt == nil { sessions[index].doubt = Doubt(at: now) }
        let witnesses = witnesses(of: id)
        weigh(index, hasOthers: !witnesses.isEmpty, at: now)
        guard roster[id]?.isLive == true, var doubt = sessions[index].doubt else { return }

        if let since = doubt.refutedSince, !sessions[index].isBadLink,
            now.since(since) > timing.badLink
        {
            sessions[index].isBadLink = true
            report(.badLink(member.name))
        }
        let isSlow = sessions[index].isBadLink
        if doubt.nextPing <= now {
            let sequence = nextPingSequence()
            doubt.pinged(sequence, at: now)
            doubt.nextPing = now.after(isSlow ? timing.slowPing : timing.ping)
            outbox.add(.ping(sequence: sequence), to: sessions[index].endpoint)
        }
        if doubt.nextInquiry <= now {
            doubt.nextInquiry = now.after(isSlow ? timing.slowPing : timing.inquiry)
            for witness in witnesses {
                guard let endpoint = roster[witness]?.endpoint else { continue }
                outbox.add(.inquiry(about: id, sequence: pingSequence), to: endpoint)
            }
        }
        sessions[index].doubt = doubt
    }

    /// Up to three others that watch the member.
    private func witnesses(of id: NodeID) -> [NodeID] {
        Array(roster.neighbours(of: id).lazy.filter { $0 != own }.prefix(3))
    }

    private mutating func weigh(_ index: Int, hasOthers: Bool, at now: Instant) {
        let finding = sessions[index].finding(
            at: now, localHealth: wakefulness.localHealth, hasOthers: hasOthers, timing)
        switch finding {
        case .up: sessions[index].doubt = nil
        case .inDoubt: break
        case .suspected(let cause):
            guard sessions[index].doubt?.isSuspected == false else { return }
            sessions[index].doubt?.isSuspected = true
            suspect(sessions[index].peer, cause, at: now)
        case .dead(let cause):
            conclude(sessions[index].peer, cause, at: now)
        }
    }

    /// Says what we know of a member that somebody misses; from memory, so at once.
    mutating func testify(
        _ about: NodeID, _ sequence: UInt32, to source: SocketAddress, at now: Instant
    ) {
        guard about != own else { return }
        var testimony = Testimony(
            about: about, sequence: sequence, heardAge: .max, isHeard: false, hasSession: false)
        if let index = session(with: about), sessions[index].hasBeenHeard {
            testimony.hasSession = true
            testimony.heardAge = Self.age(sessions[index].heardAt, now)
            testimony.isHeard =
                sessions[index].isHeardByPeer
                && now.since(sessions[index].heardByPeerAt) < timing.beat * 3
        }
        outbox.add(.testimony(testimony), to: source)
        guard let member = roster[about], !testimony.hasSession || member.state != .alive else {
            return
        }
        outbox.add(.news([member.news]), to: source)
    }

    mutating func take(_ testimony: Testimony, from witness: NodeID, at now: Instant) {
        guard let index = session(with: testimony.about), sessions[index].doubt != nil,
            witness != testimony.about
        else { return }
        let age = Int64(testimony.heardAge) * Timing.millisecond
        let session = sessions[index]
        let isSilent = now.since(session.heardAt) >= timing.overdue + session.roundTrip
        let content: Doubt.Statement.Content
        if !testimony.hasSession {
            content = .undecided
        } else if age >= timing.overdue {
            content = isSilent ? .corroborates : .undecided
        } else if !testimony.isHeard {
            content = isSilent ? .undecided : .corroborates
        } else if !isSilent || now.after(-age).since(session.heardAt) > timing.beat * 5 / 4 {
            // Heard well, and since we heard it last.
            content = .refutes
        } else {
            content = .undecided
        }
        if case .refutes = content { counters.doubtsRefuted &+= 1 }
        let life = session.testimonyLife(timing)
        sessions[index].doubt?.take(content, from: witness, at: now, valid: life)
        if case .corroborates = content { weigh(index, hasOthers: true, at: now) }
    }

    /// Nobody listens where we sent something: the process is gone, or was about to start. One
    /// question more tells which.
    mutating func portUnreachable(_ address: SocketAddress, at now: Instant) {
        guard let member = roster.member(at: address) else {
            if seeds.seeds.contains(where: { $0.address == address }) { hostAnsweredAt = now }
            return
        }
        hostAnsweredAt = now
        guard member.isLive else { return }
        if let first = member.closedPort, now.since(first) < timing.badLink {
            conclude(member.id, .processGone, at: now)
        } else {
            roster.note(member.id) { $0.closedPort = now }
            ping(member.endpoint, at: now)
        }
    }

    /// Our own kernel found no host: as much as an unanswered ping.
    mutating func hostUnreachable(_ address: SocketAddress, at now: Instant) {
        guard let member = roster.member(at: address), let index = session(with: member.id) else {
            return
        }
        sessions[index].doubt?.hostUnreachable += 1
    }
}
