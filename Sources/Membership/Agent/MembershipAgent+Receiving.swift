import NetworkTypes

extension MembershipAgent {
    mutating func receive(
        _ bytes: [UInt8], from source: SocketAddress, sender: NodeID, at now: Instant
    ) {
        counters.datagramsReceived &+= 1
        counters.bytesReceived &+= UInt64(bytes.count)
        let messages: [Message]
        do throws(DatagramError) {
            messages = try DatagramCoder.decode(bytes.span)
        } catch {
            counters.undecodable &+= 1
            return
        }
        guard sender != own else { return receiveUnderOwnName(messages, from: source) }
        if let index = session(with: sender) { sessions[index].heard(at: now) }
        if roster[sender]?.closedPort != nil { roster.note(sender) { $0.closedPort = nil } }
        if probing?.id == sender { probing = nil }
        for message in messages { take(message, from: source, sender: sender, at: now) }
        greet(sender, at: source, now)
    }

    /// A seed may be ourselves; anybody else who uses our name is trouble.
    private mutating func receiveUnderOwnName(_ messages: [Message], from source: SocketAddress) {
        counters.underOwnName &+= 1
        for case .news(let news) in messages {
            for item in news where item.id == own {
                if item.incarnation == incarnation {
                    seeds.isOurs(source)
                } else {
                    report(.nameTaken(source))
                }
            }
        }
    }

    private mutating func take(
        _ message: Message, from source: SocketAddress, sender: NodeID, at now: Instant
    ) {
        switch message {
        case .beat(let beat): take(beat, from: source, sender: sender, at: now)
        case .ping(let sequence):
            // Who has no session with us may not know us either.
            if session(with: sender) == nil { outbox.add(.news([ownNews]), to: source) }
            let regards = roster[sender]?.state ?? .alive
            outbox.add(.acknowledgement(sequence: sequence, regards: regards), to: source)
        case .acknowledgement(let sequence, _):
            acknowledged(sequence, by: sender, at: now)
        case .inquiry(let about, let sequence):
            testify(about, sequence, to: source, at: now)
        case .testimony(let testimony): take(testimony, from: sender, at: now)
        case .news(let news):
            for item in news { apply(item, from: sender, at: source, now) }
        case .digest(let digest, let wantsReply):
            answer(digest, wantsReply: wantsReply, from: sender, at: source, now)
        case .delta(let delta): take(delta, from: sender, at: source, now)
        }
    }

    private mutating func take(
        _ beat: Beat, from source: SocketAddress, sender: NodeID, at now: Instant
    ) {
        guard let member = roster[sender] else { return }
        if beat.incarnation > member.incarnation {
            var news = member.news
            (news.incarnation, news.state, news.cause) = (beat.incarnation, .alive, .none)
            news.witness = sender
            apply(news, from: sender, at: source, now)
        }
        if session(with: sender) == nil, beat.isFromNeighbour { watch(sender, at: now) }
        guard let index = session(with: sender) else { return }
        sessions[index].heard(at: now)
        sessions[index].take(beat, at: now, timing: timing)
        if beat.isFromNeighbour { sessions[index].lingersUntil = now.after(timing.linger) }
        settle(index, at: now)
        compareHashes(index, beat.storeHash, at: now)
    }

    /// Ends the doubt about a neighbour that is heard and hears us again.
    mutating func settle(_ index: Int, at now: Instant) {
        guard sessions[index].doubt != nil, !sessions[index].isOverdue(at: now, timing) else {
            return
        }
        sessions[index].doubt = nil
        sessions[index].isBadLink = false
    }

    private mutating func acknowledged(
        _ sequence: UInt32, by sender: NodeID, at now: Instant
    ) {
        guard let index = session(with: sender) else { return }
        if let opening = sessions[index].openingPing, opening.sequence == sequence {
            sessions[index].acknowledged(sentAt: opening.at, at: now)
            if sessions[index].check == .asked(sequence) {
                sessions[index].check = .answered
                outbox.add(
                    .digest(store.digest(), wantsReply: true), to: sessions[index].endpoint)
            }
        } else if let sentAt = sessions[index].doubt?.sent(sequence) {
            sessions[index].acknowledged(sentAt: sentAt, at: now)
        }
        settle(index, at: now)
    }

    /// Tells a sender that we do not know it, or that it counts as dead: it answers with news of
    /// itself, or refutes.
    private mutating func greet(
        _ sender: NodeID, at source: SocketAddress, _ now: Instant
    ) {
        guard let member = roster[sender] else {
            guard greetings.admits(at: now) else { return }
            return ping(source, at: now)
        }
        guard member.state == .dead else { return }
        if let toldAt = member.toldAt, now.since(toldAt) < timing.beat { return }
        roster.note(sender) { $0.toldAt = now }
        outbox.add(.news([ownNews, member.remembered]), to: source)
    }

    /// Pings somebody without a session, and says who we are.
    mutating func ping(_ endpoint: SocketAddress, at now: Instant) {
        outbox.add(.news([ownNews]), to: endpoint)
        outbox.add(.ping(sequence: nextPingSequence()), to: endpoint)
    }

    mutating func nextPingSequence() -> UInt32 {
        pingSequence &+= 1
        return pingSequence
    }

    /// What we say of ourselves. Whoever hears it first-hand sees our address by itself.
    var ownNews: MemberNews {
        MemberNews(
            name: settings.name,
            endpoint: SocketAddress(.unspecifiedIPv4, port: settings.port),
            incarnation: incarnation, state: hasLeft ? .left : .alive, witness: own)
    }

    mutating func report(_ trouble: Trouble) {
        guard reported.count < 256, reported.insert(trouble).inserted else { return }
        actions.append(.trouble(trouble))
    }
}
