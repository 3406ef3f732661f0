import NetworkTypes

extension MembershipAgent {
    /// Takes note of an event. Time in which we should have run and did not is taken out of
    /// everybody's silence; after a long one the permit to answer is in question.
    mutating func wake(at time: Instant) -> Instant {
        let now = max(time, wakefulness.lastRun)
        let (late, away) = wakefulness.wake(at: now)
        if late > Timing.millisecond {
            for index in sessions.indices { sessions[index].shift(by: late, at: now) }
        }
        if away > timing.pause {
            counters.pauses &+= 1
            beginReassessment(at: now)
        }
        return now
    }

    var earliestDeadline: Instant {
        var earliest = schedule.earliest
        guard !hasLeft else { return earliest }
        for session in sessions { earliest = min(earliest, nextStep(of: session)) }
        return earliest
    }

    mutating func runDue(at now: Instant) {
        pursueDoubts(at: now)
        if schedule.beat <= now {
            Schedule.advance(&schedule.beat, by: timing.beat, at: now)
            beat(at: now)
        }
        if schedule.probe <= now {
            Schedule.advance(&schedule.probe, by: timing.probe, at: now)
            probe(at: now)
        }
        if schedule.deadPing <= now {
            Schedule.advance(&schedule.deadPing, by: timing.deadPing, at: now)
            pingDead(at: now)
            watchSuspects(at: now)
        }
        if schedule.seedPing <= now {
            Schedule.advance(&schedule.seedPing, by: timing.seedPing, at: now)
            pingSeeds(at: now)
        }
        if schedule.housekeeping <= now {
            Schedule.advance(&schedule.housekeeping, by: timing.housekeeping, at: now)
            tidy(at: now)
        }
        if let goodbye = schedule.goodbye, goodbye <= now { sayGoodbye(at: now) }
    }

    private mutating func beat(at now: Instant) {
        endLingering(at: now)
        if let reassessment, reassessment.since < now {
            for index in sessions.indices {
                if case .asked = sessions[index].check { sendOpeningPing(index, at: now) }
            }
        }
        sendBeats(at: now)
        noteIsolation(at: now)
    }

    /// SWIM's round: everybody is asked once before anybody is asked again, in an order that nobody
    /// can foresee. Who did not answer until the next turn is watched closely.
    private mutating func probe(at now: Instant) {
        if let silent = probing?.id { watch(silent, at: now) }
        probing = nil
        guard !hasLeft else { return }
        while true {
            if probeRound.isEmpty {
                probeRound = roster.members.values.compactMap { member in
                    member.isLive && session(with: member.id) == nil ? member.id : nil
                }
                if probeRound.isEmpty { return }
                probeRound.sort()
                probeRound.shuffle(using: &random)
            }
            let id = probeRound.removeLast()
            guard let member = roster[id], member.isLive, session(with: id) == nil else {
                if probeRound.isEmpty { return }
                continue
            }
            probing = Probe(id: id)
            return ping(member.endpoint, at: now)
        }
    }

    /// Two of the dead: the next of those that would be our neighbours, and the next of all. So
    /// both sides of a cut notice soon that it is healed.
    private mutating func pingDead(at now: Instant) {
        guard !hasLeft, !roster.gone.isEmpty else { return }
        if deadRound.isEmpty {
            deadRound = roster.goneByNearness().reversed()
            nearRound = Array(deadRound.suffix(4))
        }
        for id in [nearRound.popLast(), deadRound.popLast()] {
            guard let id, let member = roster[id], !member.isLive else { continue }
            outbox.add(.news([ownNews, member.remembered]), to: member.endpoint)
            outbox.add(.ping(sequence: nextPingSequence()), to: member.endpoint)
        }
        if nearRound.isEmpty { nearRound = Array(roster.goneByNearness().prefix(4).reversed()) }
    }

    /// A suspect should have refuted long ago. Its own watchers may know better and have told
    /// everybody but us; so we look ourselves.
    private mutating func watchSuspects(at now: Instant) {
        guard !roster.suspects.isEmpty else { return }
        var count = 0
        for id in roster.suspects.sorted() where session(with: id) == nil && count < 4 {
            guard let member = roster[id], now.since(member.since) > timing.longestPatience else {
                continue
            }
            watch(id, at: now)
            count += 1
        }
    }

    private mutating func tidy(at now: Instant) {
        store.expireTombstones(at: now)
        graves = graves.filter { $0.value.until > now }
        let forgotten = roster.gone.filter { id in
            guard let member = roster[id], !seeds.names.contains(id) else { return false }
            return now.since(member.since) > timing.memory
        }
        for id in forgotten.sorted() { forget(id, at: now) }
    }

    private mutating func forget(_ id: NodeID, at now: Instant) {
        guard let member = roster[id] else { return }
        if graves.count < Roster.maximumMembers {
            graves[id] = Grave(
                incarnation: member.incarnation, until: now.after(timing.grave))
        }
        roster.remove(id)
        store.forget(id)
        actions.append(.nodeForgotten(member.name))
    }

    /// Makes room for a new member at the cost of the one that is gone longest.
    mutating func forgetOne(at now: Instant) -> Bool {
        let oldest = roster.gone.compactMap { seeds.names.contains($0) ? nil : roster[$0] }
            .min { ($0.since, $0.id) < ($1.since, $1.id) }
        guard let oldest else { return false }
        forget(oldest.id, at: now)
        return true
    }

    mutating func leave(at now: Instant) {
        guard !hasLeft else { return }
        hasLeft = true
        goodbyes = 3
        sayGoodbye(at: now)
    }

    private mutating func sayGoodbye(at now: Instant) {
        goodbyes -= 1
        schedule.goodbye = goodbyes > 0 ? now.after(timing.goodbye) : nil
        floods.append(Flood(news: ownNews, except: nil))
    }

    /// Sends what this call has gathered. News go to all neighbours but the one they came from, and
    /// to one member at random, which makes up for a neighbourhood that hears badly.
    mutating func flush(at now: Instant) {
        if !floods.isEmpty {
            for flood in floods {
                rumours.add(flood.news, amongMembers: roster.liveCount)
            }
            var targets = sessions.map { ($0.peer, $0.endpoint) }
            if let other = roster.anyLive(&random), let member = roster[other],
                session(with: other) == nil
            {
                targets.append((other, member.endpoint))
            }
            for (peer, endpoint) in targets {
                let news = floods.lazy.filter { $0.except != peer }.map(\.news)
                if !news.isEmpty { outbox.add(.news(Array(news)), to: endpoint) }
            }
            floods.removeAll(keepingCapacity: true)
        }
        var sent: [(SocketAddress, [UInt8])] = []
        outbox.drain { sent.append(($0, $1)) }
        bulk.drain(at: now) { sent.append(($0, $1)) }
        schedule.bulk = bulk.deadline
        for (destination, payload) in sent {
            counters.datagramsSent &+= 1
            counters.bytesSent &+= UInt64(payload.count)
            actions.append(.send(payload, to: destination))
        }
    }
}
