import Crypto
import NetworkTypes

/// Challenges, hellos, and which session of a node counts.
extension SealedChannel {
    private static let helloInterval = Duration.milliseconds(50)
    /// Datagrams that were under way when a node started again come within this time.
    private static let lateArrival = Duration.seconds(1)

    /// Makes the acquaintance of a session.
    mutating func meet(_ header: SealedEnvelope.Header, sender: UInt64, key: SymmetricKey?) {
        if sessions.count >= Self.maximumSessions { forgetSessions() }
        let generation = nodes[sender]?.generation ?? unknownGeneration
        sessions[header.session] = SealedSession(
            sender: sender, key: key, hint: header.hint,
            challenge: challenge(for: header.session, of: sender, generation: generation),
            generation: generation, used: clock)
    }

    /// Takes what an authentic datagram says that has not come before.
    mutating func take(
        _ envelope: SealedEnvelope, header: SealedEnvelope.Header, from source: SocketAddress,
        at now: Instant
    ) -> Opened {
        if nodes[envelope.sender]?.retired.contains(header.session) == true {
            return drop(isAlive(header.session, envelope, at: now) ? .sameName : .stale, source)
        }
        let isFresh = envelope.echo == challenge(for: header.session)
        if isFresh { confirm(header.session, sender: envelope.sender, at: now) }
        if let answered = envelope.answered, let offer = envelope.offer {
            return hear(offer, answered: answered, session: header.session, from: source)
        }
        guard isFresh, let content = envelope.content else {
            return hello(to: source, answering: header, at: now)
        }
        if let offer = envelope.offer { learn(offer, of: header.session, at: source) }
        counters.opened += 1
        return .content(sender: envelope.sender, content)
    }

    /// The challenge that a session has to echo; the one that counts keeps what it has echoed.
    mutating func challenge(for id: SessionID) -> UInt64 {
        guard let session = sessions[id] else { return 0 }
        let node = nodes[session.sender]
        let generation = node?.generation ?? unknownGeneration
        if node?.current == id || session.generation == generation { return session.challenge }
        let challenge = challenge(for: id, of: session.sender, generation: generation)
        sessions[id]?.challenge = challenge
        sessions[id]?.generation = generation
        return challenge
    }

    private func challenge(
        for session: SessionID, of sender: UInt64, generation: UInt64
    ) -> UInt64 {
        let code = HMAC<SHA256>.authenticationCode(
            for: session.bytes + sender.networkBytes + generation.networkBytes, using: secret)
        // 0 on the wire is "none given yet".
        return max(1, UInt64(networkBytes: code))
    }

    private mutating func confirm(_ id: SessionID, sender: UInt64, at now: Instant) {
        guard nodes[sender]?.current != id else { return }
        sessions[id]?.isConfirmed = true
        sessions[id]?.retired = nil
        guard var node = nodes[sender] else {
            nodes[sender] = SealedNode(current: id, generation: unknownGeneration &+ 1)
            return
        }
        sessions[node.current]?.retired = now
        if node.retired.count == SealedNode.maximumRetired {
            // What it echoed is of a former generation: should it come again, it begins anew.
            sessions[node.retired.removeFirst()] = nil
        }
        node.retired.append(node.current)
        node.current = id
        node.generation &+= 1
        nodes[sender] = node
    }

    /// Whether a retired session still sends: then it is no former start but another node.
    private func isAlive(
        _ id: SessionID, _ envelope: SealedEnvelope, at now: Instant
    ) -> Bool {
        guard let session = sessions[id], session.isConfirmed, let retired = session.retired else {
            return false
        }
        return envelope.echo == session.challenge && now - retired > Self.lateArrival
    }

    /// A hello came: the destination that it is about gets its challenge, and what is kept for it.
    private mutating func hear(
        _ offer: UInt64, answered: SealedEnvelope.Answered, session id: SessionID,
        from source: SocketAddress
    ) -> Opened {
        guard answered.session == session.high,
            let destination = destination(of: answered.counter)
        else { return drop(.unasked, source) }
        learn(offer, of: id, at: destination)
        guard let index = kept.firstIndex(where: { $0.destination == destination }) else {
            return .settled
        }
        let payload = kept.remove(at: index).payload
        guard let again = seal(payload, to: destination) else { return .settled }
        counters.resent += 1
        return .resend(again, to: destination)
    }

    private mutating func learn(_ offer: UInt64, of id: SessionID, at place: SocketAddress) {
        if peers[place] == nil, peers.count >= Self.maximumPeers { forgetPeers() }
        peers[place] = SealedPeer(challenge: offer, session: id, used: clock)
    }

    private mutating func hello(
        to source: SocketAddress, answering header: SealedEnvelope.Header, at now: Instant
    ) -> Opened {
        if let last = sessions[header.session]?.lastHello, now - last < Self.helloInterval {
            return drop(.early, source)
        }
        guard helloRate.allows(at: now) else { return drop(.crowded, source) }
        sessions[header.session]?.lastHello = now
        let envelope = SealedEnvelope(
            sender: node, echo: peers[source]?.challenge ?? 0,
            offer: challenge(for: header.session),
            answered: .init(session: header.session.high, counter: header.counter))
        guard let datagram = seal(envelope, to: source) else { return .settled }
        counters.hellos += 1
        return .reply(datagram)
    }

    /// Makes room: an eighth of the sessions, those that never echoed a challenge first. With a
    /// node its generation is forgotten, so challenges of nodes that are not remembered begin anew.
    private mutating func forgetSessions() {
        let leastUseful = sessions.sorted { left, right in
            let (one, other) = (left.value, right.value)
            if one.isConfirmed != other.isConfirmed { return !one.isConfirmed }
            return one.used < other.used
        }
        for (id, _) in leastUseful.prefix(Self.maximumSessions / 8) { sessions[id] = nil }
        forgetNodes()
    }

    /// Forgets a session, and its node where it is the one that counts.
    mutating func forget(_ id: SessionID) {
        sessions[id] = nil
        forgetNodes()
    }

    private mutating func forgetNodes() {
        let remembered = nodes.filter { sessions[$0.value.current] != nil }
        guard remembered.count < nodes.count else { return }
        // Beyond every generation that a node has had.
        unknownGeneration = nodes.values.map(\.generation).reduce(unknownGeneration, max) &+ 1
        nodes = remembered
    }

    private mutating func forgetPeers() {
        for (place, _) in peers.sorted(by: { $0.value.used < $1.value.used })
            .prefix(Self.maximumPeers / 8)
        {
            peers[place] = nil
        }
    }
}
