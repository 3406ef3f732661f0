public import NetworkTypes

extension MembershipAgent {
    /// Until when questions may be answered and addresses announced; long past while that is in
    /// question.
    public var authorizedUntil: Instant {
        isReassessing
            ? Instant(nanoseconds: .min) : wakefulness.lastRun.after(timing.authority)
    }

    /// Whether we are finding out what happened while we did not run.
    public var isReassessing: Bool { reassessment != nil }

    /// Takes the permit back, and asks all neighbours whether they are there.
    mutating func beginReassessment(at now: Instant) {
        if reassessment == nil {
            reassessment = Reassessment(since: now, isStart: false)
        } else if reassessment?.isStart == false || reassessment?.hasSeeds == true {
            reassessment?.since = now
        }
        for index in sessions.indices { sendOpeningPing(index, at: now) }
    }

    /// Ends the reassessment when most neighbours have answered and hold what we hold, or when
    /// there is nobody to ask.
    mutating func concludeReassessment(at now: Instant) {
        guard let reassessment else { return }
        // Before it is known who else there should be, silence says nothing.
        guard !reassessment.isStart || reassessment.hasSeeds else { return }
        if !knowsOthers { return endReassessment() }
        let away = now.since(reassessment.since)
        let agreed = sessions.count { $0.check == .agreed }
        let answered = agreed + sessions.count { $0.check == .answered }
        if agreed > 0, agreed * 2 > sessions.count { return endReassessment() }
        let alone = reassessment.isStart ? timing.startAlone : timing.reassessAlone
        if answered == 0, away >= alone { return endReassessment() }
        if away >= timing.reassessAtMost {
            report(.reassessmentUnfinished)
            endReassessment()
        }
    }

    private mutating func endReassessment() {
        reassessment = nil
        for index in sessions.indices { sessions[index].check = .none }
    }

    /// Whether there should be anybody else.
    var knowsOthers: Bool {
        !seeds.seeds.isEmpty || roster.liveCount > 1
            || roster.gone.contains { roster[$0]?.state == .dead }
    }

    /// We are alone when nobody is heard who should be. A host that says that a port is closed is
    /// somebody too: the network works.
    mutating func noteIsolation(at now: Instant) {
        let isUp = sessions.contains {
            $0.isUp(at: now, localHealth: wakefulness.localHealth, timing)
        }
        let hostAnswers = hostAnsweredAt.map { now.since($0) < 2 * timing.probe } ?? false
        if isUp || hostAnswers || !knowsOthers || !(hasHadSession || !seeds.seeds.isEmpty) {
            isolatedSince = nil
        } else if isolatedSince == nil {
            isolatedSince = now
        }
    }

    mutating func changeSeeds(_ changed: [Seed], at now: Instant) {
        seeds.replace(changed, own: own)
        if reassessment?.isStart == true, reassessment?.hasSeeds == false {
            reassessment?.hasSeeds = true
            reassessment?.since = now
        }
        pingSeeds(at: now)
    }

    mutating func pingSeeds(at now: Instant) {
        guard !hasLeft else { return }
        let addresses = seeds.take { seed in
            if let name = seed.name { return roster[NodeID(name: name)]?.isLive != true }
            return roster.member(at: seed.address)?.isLive != true
        }
        for address in addresses { ping(address, at: now) }
    }
}
