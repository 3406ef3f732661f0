import ClusterSource
import Kubernetes
import LinuxNetwork
import LoadBalancing
import Logging
import NetworkTypes

extension NodeSpeaker {
    /// How long a speaker that stops waits for the others to take over; then it goes all the same.
    package static let longestHandOver = Duration.seconds(3)
    /// How long a speaker that handed something over goes on forwarding: neighbours that missed the
    /// announcement, and packets that were under way, still come here.
    package static let lingering = Duration.seconds(1)

    /// Hands over every address that another node can take, and says goodbye; then goes on
    /// forwarding for a while. Call it before ``run()``'s task is cancelled.
    package func handOverAll() async {
        let held = tenure.report.claims.count
        let routesWereTold = await bgp.report().establishedCount > 0
        isLeaving = true
        healthChecks?.update(isDraining: true)
        _ = await publish()
        membership?.spread(.drain)
        tenure.post { $0.isStopping = true }
        async let sessionsEnd: Void = endSessions()
        let begin = MonotonicClock.now()
        var isDone = false
        while !isDone, MonotonicClock.now() - begin < Self.longestHandOver {
            guard await rest(.milliseconds(5)) else { return }
            isDone = tenure.report.hasHandedOverAll
        }
        membership?.leave()
        // The goodbye is said three times.
        _ = await rest(.milliseconds(20))
        let took = MonotonicClock.now() - begin
        let left = tenure.report.tenure.announcedCount
        logger.notice(
            isDone ? "handed over" : "not everything was taken over in time",
            metadata: [
                "addresses": "\(max(held - left, 0))", "left": "\(left)",
                "milliseconds": "\(took.wholeNanoseconds / 1_000_000)",
            ])
        await sessionsEnd
        if held > 0 && hasOthers || routesWereTold { _ = await rest(Self.lingering) }
    }

    private var hasOthers: Bool {
        members.contains { $0.key != settings.node && $0.value.liveness == .alive }
            || (membership == nil && state.speakers.count > 1)
    }

    /// Sleeps; false when the task was cancelled.
    func rest(_ duration: Duration) async -> Bool {
        do {
            try await Task.sleep(for: duration)
            return true
        } catch {
            return false
        }
    }

    // MARK: Operators

    /// Carries out what an operator asks, here or at the node that it concerns.
    package func perform(_ request: OperatorRequest) async -> OperatorAnswer {
        guard request.node != settings.node else { return await performHere(request) }
        guard let membership else {
            return .refused(
                "this daemon runs without gossip and cannot reach \(request.node); "
                    + "ask the daemon on \(request.node) itself")
        }
        guard let member = members[request.node], member.liveness == .alive else {
            let known = members.filter { $0.value.liveness == .alive }.map(\.key)
            return .refused(
                "no speaker of the name \(request.node) is alive; alive are "
                    + (known + [settings.node]).sorted().joined(separator: ", "))
        }
        let number = UInt64(bitPattern: MonotonicClock.now().nanoseconds)
        membership.spread(.request(number, request))
        defer { membership.withdraw(.request(number)) }
        let begin = MonotonicClock.now()
        // The other node waits for its routers, too.
        let longest = Duration.seconds(6) + settings.peering.drainTime
        while MonotonicClock.now() - begin < longest {
            guard await rest(.milliseconds(10)) else { break }
            if let answer = membership.members[request.node]?.answers[number] { return answer }
        }
        return .refused(
            "\(request.node) did not answer within \(longest); its log may say why")
    }

    private func performHere(_ request: OperatorRequest) async -> OperatorAnswer {
        switch request {
        case .drain:
            // The threads act on it at once.
            let before = tenure.report.tenure.announcedCount
            let told = await routesTold()
            drain(true)
            return await waitUntilDrained(addresses: before, routes: told)
        case .undrain:
            drain(false)
            return .done("\(settings.node) \(stillRelieved ?? "takes part again")")
        case .move(let address, _): return await take(address)
        }
    }

    /// What its Node object still asks of the node.
    private var stillRelieved: String? {
        guard let node = state.snapshot.nodes[settings.node] else { return nil }
        if node.isUnschedulable {
            return "is not drained by command any more, but cordoned: kubectl uncordon"
        }
        guard node.isAskedToDrain else { return nil }
        return "is not drained by command any more, but its Node has the annotation "
            + Node.drainAnnotation
    }

    /// Starts or ends the drain that an operator asked for; it outlives a restart.
    func drain(_ isDraining: Bool) {
        guard isDrained != isDraining, !isLeaving else { return }
        isDrained = isDraining
        if isDraining {
            membership?.spread(.drain)
        } else {
            membership?.withdraw(.drain)
        }
        recentEvents.note(
            isDraining ? "drained" : "undrained", settings.node,
            isDraining
                ? "hands over what it has, on an operator's word"
                : "takes part again; addresses come back only for a cause", isWarning: false)
        elections.ring()
        publications.ring()
    }

    private func waitUntilDrained(
        addresses before: Int, routes told: Int
    ) async -> OperatorAnswer {
        let begin = MonotonicClock.now()
        let longest = Duration.seconds(4) + (told > 0 ? settings.peering.drainTime : .zero)
        while MonotonicClock.now() - begin < longest {
            guard await rest(.milliseconds(10)) else { break }
            let report = tenure.report
            guard report.ownership?.isRelieved(settings.node) == true else { continue }
            let left = report.tenure.announcedCount
            guard left == 0 || report.isHandedOver, await areRoutersRelieved() else { continue }
            var text = "\(settings.node) has handed over \(max(before - left, 0)) addresses"
            if left > 0 { text += " and keeps \(left) that no other node can take" }
            let kept = await routesTold()
            if told > 0 { text += "; \(max(told - kept, 0)) routes are withdrawn" }
            if kept > 0 { text += ", \(kept) stay that no other node can announce" }
            return .done(text)
        }
        return .refused(
            "\(settings.node) is draining, but has "
                + "\(tenure.report.tenure.announcedCount) addresses and \(await routesTold()) "
                + "routes after \(longest); martlet explain ADDRESS says why")
    }

    private func take(_ address: IPAddress) async -> OperatorAnswer {
        guard tenure.report.ownership?.addresses.contains(address) == true else {
            return .refused("no Service has the address \(address)")
        }
        if tenure.report.tenure.phase(of: address) == .holding {
            return .done("\(settings.node) has it already")
        }
        let wish = UInt64(bitPattern: MonotonicClock.now().nanoseconds)
        let begin = MonotonicClock.now()
        var posted = begin - .seconds(1)
        while MonotonicClock.now() - begin < .seconds(4) {
            // Again now and then: while an election is under way a wish can be taken for granted.
            if MonotonicClock.now() - posted > .milliseconds(500) {
                posted = MonotonicClock.now()
                tenure.post { $0.moves[address] = wish }
            }
            guard await rest(.milliseconds(5)) else { break }
            let report = tenure.report
            if let refusal = report.refusals[address], refusal.wish >= wish {
                let reason = refusal.reason
                return .refused(
                    "\(settings.node) \(reason)" + (reason.remedy.map { "; \($0)" } ?? ""))
            }
            if report.tenure.phase(of: address) == .holding {
                return .done("\(settings.node) answers for \(address)")
            }
        }
        return .refused(
            "\(settings.node) did not come to answer for \(address) within 4 s; "
                + "martlet explain \(address) says why")
    }

    /// Carries out what operators asked of this node at other nodes, once each.
    func answerRequests(_ membership: MembershipSpeaker) {
        var open: Set<UInt64> = []
        // What the dead once asked for has long been answered, perhaps by the process before this.
        for member in members.values where member.liveness == .alive {
            for (number, request) in member.requests where request.node == settings.node {
                open.insert(number)
                guard answered.insert(number).inserted else { continue }
                pendingRequests.yield((number, request))
            }
        }
        for number in answered.subtracting(open) { membership.withdraw(.answer(number)) }
        answered.formIntersection(open)
    }

    /// Works off requests from other nodes one after the other.
    func workOffRequests(_ membership: MembershipSpeaker) async {
        for await (number, request) in requestQueue {
            membership.spread(.answer(number, await performHere(request)))
        }
    }
}
