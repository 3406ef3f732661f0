import NetworkTypes

extension Session {
    /// What the evidence amounts to.
    enum Finding: Equatable, Sendable {
        /// Both directions work.
        case up
        /// Overdue, and nothing is decided.
        case inDoubt
        /// Enough to tell the others.
        case suspected(DeathCause)
        /// Enough for a verdict.
        case dead(DeathCause)
    }

    /// How long the session may be silent: longer for one whose beats come irregularly, and while
    /// either side says that it runs late.
    func patience(localHealth: UInt8, _ timing: MembershipAgent.Timing) -> Int64 {
        let usual = max(timing.leastSilence, 2 * worstGap)
        let health = Int64(max(localHealth, peerHealth))
        return min(usual + usual * health / 4, timing.longestPatience)
    }

    func isOverdue(at now: Instant, _ timing: MembershipAgent.Timing) -> Bool {
        now.since(heardAt) >= timing.overdue + roundTrip
            || now.since(heardByPeerAt) >= timing.reverseOverdue + roundTrip
    }

    /// Both directions have worked within the time in which that can be asked for.
    func isUp(at now: Instant, localHealth: UInt8, _ timing: MembershipAgent.Timing) -> Bool {
        guard hasBeenHeard, isHeardByPeer else { return false }
        let patience = patience(localHealth: localHealth, timing)
        return now.since(heardAt) < patience
            && now.since(heardByPeerAt) < patience + timing.reverseOverdue
    }

    /// How long testimonies count. Where the link is bad they are asked for rarely.
    func testimonyLife(_ timing: MembershipAgent.Timing) -> Int64 {
        isBadLink ? timing.slowTestimony : timing.testimony
    }

    /// Weighs what is known. `hasOthers`: whether there is anybody else to ask.
    func finding(
        at now: Instant, localHealth: UInt8, hasOthers: Bool, _ timing: MembershipAgent.Timing
    ) -> Finding {
        guard isOverdue(at: now, timing) else { return .up }
        guard let doubt else { return .inDoubt }
        let life = testimonyLife(timing)
        guard !doubt.isRefuted(at: now, valid: life) else { return .inDoubt }

        let isSilent = now.since(heardAt) >= timing.overdue + roundTrip
        let cause: DeathCause = isSilent ? .silence : .deaf
        let silence = isSilent ? now.since(heardAt) : now.since(heardByPeerAt) - timing.beat
        let missed = max((silence - timing.beat / 2) / timing.beat, 0)
        let wait = timing.pingWait + 2 * roundTrip
        let unanswered = doubt.unanswered(after: proof, at: now, wait: wait)
        let nats =
            Double(missed) * weight(ofMissedBeat: isSilent ? loss : reverseLoss)
            + Double(unanswered) * weightOfUnansweredPing

        let corroborators = doubt.corroborators(at: now, valid: life)
        // Every further witness that misses it shortens the wait (Lifeguard §IV-B), but silence
        // shorter than the least is never death.
        var patience = patience(localHealth: localHealth, timing)
        if corroborators > 1 { patience = max(patience * 3 / 4, timing.leastSilence) }
        let isLongEnough = silence >= patience
        if isLongEnough, corroborators > 0, nats >= timing.verdictNats { return .dead(cause) }
        // One that we hear is not called deaf on our own word while others could say otherwise: our
        // own sending may be what fails.
        if isLongEnough, nats >= timing.loneVerdictNats, isSilent || !hasOthers {
            return .dead(cause)
        }
        return nats >= timing.suspicionNats ? .suspected(cause) : .inDoubt
    }

    private func weight(ofMissedBeat loss: Double) -> Double {
        -naturalLogarithm(min(max(loss, 0.05), 0.6))
    }

    private var weightOfUnansweredPing: Double {
        let there = 1 - min(max(reverseLoss, 0.05), 0.6)
        let back = 1 - min(max(loss, 0.05), 0.6)
        return -naturalLogarithm(1 - there * back)
    }
}
