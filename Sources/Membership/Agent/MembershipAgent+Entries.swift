import NetworkTypes

extension MembershipAgent {
    /// What fits into a datagram beside other things is sent at once; more waits for the pacer.
    private static let smallDelta = 1_000
    /// How much one digest is answered with. The next one asks for the rest.
    private static let answerLimit = 48_000

    /// Changes entries of ours and tells the neighbours.
    mutating func publish(_ changes: [EntryChange], at now: Instant) {
        let delta = store.set(changes)
        for change in changes where store.value(change.key, of: own) != change.value {
            guard let refusal = store.refusal(of: change.key, change.value) else { continue }
            report(.entryRefused(key: Array(change.key.prefix(64)), refusal))
        }
        if let delta { spread(delta, except: nil) }
    }

    private mutating func spread(_ delta: Delta, except sender: NodeID?) {
        if delta.approximateLength <= Self.smallDelta {
            for session in sessions where session.peer != sender {
                outbox.add(.delta(delta), to: session.endpoint)
            }
        } else {
            let payloads = DatagramCoder.encode([.delta(delta)])
            for session in sessions where session.peer != sender {
                sendBulk(payloads, to: session.endpoint)
            }
        }
    }

    mutating func take(
        _ delta: Delta, from sender: NodeID, at source: SocketAddress, _ now: Instant
    ) {
        guard graves[delta.node] == nil else { return }
        switch store.apply(delta) {
        case .stale: raiseGeneration()
        case .gap:
            // The beats will show that stores differ; where they are about to, asking is due now.
            guard let index = session(with: sender),
                sessions[index].stores.isDue(after: 0, at: now)
            else { return }
            sessions[index].stores.acted(
                at: now, first: timing.exchange, longest: timing.longestExchange)
            outbox.add(
                .digest(
                    store.digest(from: delta.node, through: delta.node), wantsReply: true),
                to: source)
        case .refused(let refusal):
            counters.deltasRefused &+= 1
            report(.copyRefused(delta.node, refusal))
        case .news(let changes):
            spread(delta, except: sender)
            guard let member = roster[delta.node] else {
                // Entries of somebody we have not heard of: its name is asked for.
                guard inquiriesForNames.admits(at: now) else { return }
                outbox.add(.inquiry(about: delta.node, sequence: nextPingSequence()), to: source)
                return
            }
            if !changes.isEmpty {
                actions.append(.entriesChanged(node: member.name, changes))
            }
        }
    }

    mutating func answer(
        _ digest: Digest, wantsReply: Bool, from sender: NodeID, at source: SocketAddress,
        _ now: Instant
    ) {
        store.learn(from: digest)
        raiseGeneration()
        let deltas = store.deltas(beyond: digest, limit: Self.answerLimit)
        let known = deltas.filter { graves[$0.node] == nil }
        if !known.isEmpty {
            sendBulk(DatagramCoder.encode(known.map { .delta($0) }), to: source)
        }
        if wantsReply {
            outbox.add(
                .digest(
                    store.digest(from: digest.first, through: digest.last), wantsReply: false),
                to: source)
        }
        guard let index = session(with: sender), sessions[index].check == .answered,
            digest.last.bits == .max, !store.isBehind(digest)
        else { return }
        sessions[index].check = .agreed
    }

    /// Others hold entries of a later boot of ours: the clock was set back. All of ours are
    /// published again under a number above it.
    private mutating func raiseGeneration() {
        guard let later = store.laterOwnGeneration, later < Self.maximumIncarnation - 1 else {
            return
        }
        report(.clockBehind)
        let greater = max(later, incarnation) + 1
        raise(to: greater)
        floods.append(Flood(news: ownNews, except: nil))
        if let delta = store.beginGeneration(greater) { spread(delta, except: nil) }
    }
}
