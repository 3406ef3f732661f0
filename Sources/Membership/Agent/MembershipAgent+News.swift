import NetworkTypes

extension MembershipAgent {
    /// Takes in what somebody says of a member, if it is later than what we know.
    mutating func apply(
        _ told: MemberNews, from sender: NodeID, at source: SocketAddress, _ now: Instant
    ) {
        guard told.incarnation < Self.maximumIncarnation else {
            counters.newsRefused &+= 1
            return
        }
        var news = told
        let id = news.id
        guard id != own else { return refute(news, at: now) }
        if id == sender {
            news.endpoint = source
        } else if news.endpoint.address.isUnspecified || news.endpoint.port == 0 {
            counters.newsRefused &+= 1
            return
        }
        guard let known = roster[id] else { return admit(news, from: sender, at: now) }
        guard known.name == news.name else {
            counters.newsRefused &+= 1
            return report(.nameCollision(known.name, news.name))
        }
        soften(&news, known, at: now)
        if known.isOlder(than: news) {
            replace(known, by: news, from: sender, at: now)
        } else if id == sender {
            follow(known, to: source, at: now)
        }
        noteSuspicion(news)
    }

    /// Death is believed as news, not as hearsay, and not against our own ears: what is left of it
    /// is a suspicion, which the member can refute. (A process that is gone is gone at once.)
    private func soften(_ news: inout MemberNews, _ known: Member, at now: Instant) {
        guard news.state == .dead, known.isLive else { return }
        switch news.cause {
        case .processGone: return
        case .none:
            (news.state, news.cause) = (.suspect, .silence)
        case .silence, .deaf:
            guard let index = session(with: news.id),
                !sessions[index].isOverdue(at: now, timing), sessions[index].isHeardByPeer
            else { return }
            news.state = .suspect
        }
    }

    private mutating func replace(
        _ known: Member, by news: MemberNews, from sender: NodeID, at now: Instant
    ) {
        var member = Member(news, at: now)
        // Others do not move a member; it moves itself, which its next incarnation tells.
        if news.state != .alive { member.endpoint = known.endpoint }
        if known.state == news.state { member.since = known.since }
        member.pushedAt = known.pushedAt
        member.toldAt = known.toldAt
        roster.put(member)
        if known.isLive != member.isLive || known.endpoint != member.endpoint {
            topologyChanged = true
        }
        if known.state != member.state { announce(member, from: known.state, at: now) }
        floods.append(Flood(news: member.news, except: sender))
        guard news.state == .alive else { return }
        if let index = session(with: member.id) {
            let life = sessions[index].testimonyLife(timing)
            sessions[index].doubt?.take(.refutes, from: member.id, at: now, valid: life)
            sessions[index].doubt?.isSuspected = false
            sessions[index].introductions = max(sessions[index].introductions, 3)
        }
        if sender == member.id, !known.isLive { welcome(member, at: now) }
    }

    private mutating func admit(_ news: MemberNews, from sender: NodeID, at now: Instant) {
        if let grave = graves[news.id], grave.incarnation >= news.incarnation { return }
        guard roster.members.count < Roster.maximumMembers || forgetOne(at: now) else {
            counters.newsRefused &+= 1
            return report(.tooManyMembers(news.name))
        }
        let member = Member(news, at: now)
        graves[member.id] = nil
        roster.put(member)
        if member.isLive { topologyChanged = true }
        announce(member, from: nil, at: now)
        if news.state != .dead { floods.append(Flood(news: news, except: sender)) }
        // Its entries may have been faster than its name.
        let entries = store.entries(of: member.id)
        if !entries.isEmpty {
            let changes = entries.map { EntryChange(key: $0.key, value: $0.value) }
                .sorted { $0.key.lexicographicallyPrecedes($1.key) }
            actions.append(.entriesChanged(node: member.name, changes))
        }
        if sender == member.id { welcome(member, at: now) }
    }

    private mutating func announce(_ member: Member, from old: MemberState?, at now: Instant) {
        let witness =
            member.witness == own ? settings.name : roster[member.witness]?.name
        actions.append(
            .memberChanged(
                MemberChange(
                    name: member.name, from: old, to: member.state, cause: member.cause,
                    witness: witness, at: now)))
    }

    /// A member that comes from elsewhere than it used to, and is not heard from there, has moved.
    private mutating func follow(
        _ known: Member, to source: SocketAddress, at now: Instant
    ) {
        guard known.isLive, known.endpoint != source else { return }
        if let index = session(with: known.id), !sessions[index].isOverdue(at: now, timing) {
            return
        }
        var member = known
        member.endpoint = source
        roster.put(member)
        topologyChanged = true
    }

    /// Somebody else's suspicion is a testimony too.
    private mutating func noteSuspicion(_ news: MemberNews) {
        guard news.state == .suspect, news.witness != own, news.witness != news.id,
            let index = session(with: news.id)
        else { return }
        let life = sessions[index].testimonyLife(timing)
        sessions[index].doubt?.take(
            .corroborates, from: news.witness, at: wakefulness.lastRun, valid: life)
    }

    /// Something is said of us. We are the only one who can raise our incarnation, and so everybody
    /// else's word is older than ours.
    private mutating func refute(_ news: MemberNews, at now: Instant) {
        guard !hasLeft, news.incarnation >= incarnation,
            news.incarnation > incarnation || news.state != .alive
        else { return }
        counters.refutations &+= 1
        raise(to: news.incarnation + 1)
        floods.append(Flood(news: ownNews, except: nil))
        // Others act upon a verdict: what we claim may be theirs by now. Hearsay after a cut that
        // healed matters only to one that had been alone.
        if news.state == .dead, news.cause != .none || isolatedSince != nil {
            beginReassessment(at: now)
        }
    }

    mutating func raise(to greater: UInt64) {
        roster.ownIncarnationChanged(from: incarnation, to: greater)
        incarnation = greater
    }

    /// A verdict of our own. One that is made while nobody else is heard stays with us: it may be
    /// we who cannot hear.
    mutating func conclude(_ id: NodeID, _ cause: DeathCause, at now: Instant) {
        guard var member = roster[id], member.isLive else { return }
        let heardAt = session(with: id).map { sessions[$0].heardAt }
        let hearsOthers = sessions.contains { other in
            other.peer != id && other.hasBeenHeard
                && (heardAt.map { other.heardAt.since($0) > timing.overdue } ?? true)
        }
        let old = member.state
        (member.state, member.cause, member.witness) = (.dead, cause, own)
        member.since = now
        roster.put(member)
        topologyChanged = true
        counters.verdicts &+= 1
        if cause == .processGone { counters.verdictsProcessGone &+= 1 }
        announce(member, from: old, at: now)
        guard cause == .processGone || hearsOthers else { return }
        floods.append(Flood(news: member.news, except: nil))
        // It may be able to hear this, and to refute.
        if cause != .processGone { outbox.add(.news([member.news]), to: member.endpoint) }
    }

    /// Tells everybody, the member among them, that we begin to doubt.
    mutating func suspect(_ id: NodeID, _ cause: DeathCause, at now: Instant) {
        guard var member = roster[id], member.state == .alive else { return }
        (member.state, member.cause, member.witness) = (.suspect, cause, own)
        member.since = now
        roster.put(member)
        counters.suspicions &+= 1
        announce(member, from: .alive, at: now)
        floods.append(Flood(news: member.news, except: nil))
    }
}
