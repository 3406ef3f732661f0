import BGP
import ClusterSource
import Kubernetes
import LinuxNetwork
import LoadBalancing
import NetworkTypes

extension NodeSpeaker {
    /// What people were told of this node's wire, and what they are still to be told.
    struct Reporting {
        /// Whether something may be different from what was reported.
        var isDue = true
        /// What was reported last.
        var last: NodeReport?
        /// The addresses of a former process of this node: that they are here is no news.
        var formerly: Set<IPAddress> = []
        /// What went wrong with addresses since the last report; the oldest go first.
        var failures: [(address: IPAddress, message: String)] = []
        /// When the wire was last looked at.
        var looked = Instant(nanoseconds: .min)

        static let failureLimit = 256
        /// How often the wire is looked at when nothing is known to have happened.
        static let looksEvery = Duration.seconds(30)
    }

    /// Reports what is so, whenever it is different from what was reported: at most once a second,
    /// and resting nine times as long as a look took.
    func reportWhenDue() async {
        while true {
            let begin = MonotonicClock.now()
            if tenure.report.hasApplied { await reportIfDue(at: begin) }
            do {
                try await Task.sleep(for: max((MonotonicClock.now() - begin) * 9, .seconds(1)))
            } catch {
                return
            }
        }
    }

    private func reportIfDue(at now: Instant) async {
        await tellFailures()
        guard reporting.isDue || now - reporting.looked >= Reporting.looksEvery else { return }
        reporting.isDue = false
        reporting.looked = now
        let (report, isSettled) = await lookAtWire()
        // Routes on their way to a peer come with no event.
        if !isSettled { reporting.isDue = true }
        guard report != reporting.last else { return }
        let news = assignments(in: report)
        reporting.last = report
        await source.report(report)
        if !news.isEmpty { await source.tell(news) }
    }

    // MARK: What is so

    /// What this node answers for, and what routers have from it; false when routers are still
    /// being told.
    private func lookAtWire() async -> (NodeReport, isSettled: Bool) {
        var report = NodeReport(node: settings.node)
        let kinds = Set(APIResource.configuration.map(\.kind))
        report.problems = state.snapshot.problems.filter {
            kinds.contains(String($0.object.prefix { $0 != " " }))
        }
        let services = servicesByAddress()
        report.note(await layer2.interfaceStates(), services: services)
        let isSettled = await lookAtRoutes(of: services, &report)
        return (report, isSettled)
    }

    private func lookAtRoutes(
        of services: [IPAddress: [ObjectName]], _ report: inout NodeReport
    ) async -> Bool {
        // Every node announces every Service: what grows with nodes × Services has an end.
        let nodes = max(state.snapshot.nodes.count, 1)
        guard !peering.plans.isEmpty,
            services.count <= StatusObjects.announcementLimit / nodes
        else { return true }
        let plan = peering.planner.plan
        let prefixes = Set(plan.routes.values.flatMap(\.keys))
        let peers = await bgp.report(of: Array(prefixes)).peers
        var told: [String: Set<Prefix>] = [:]
        var isSettled = true
        for peer in peers where peer.isEstablished {
            told[peer.name] = Set(peer.told.keys)
            if peer.routes.pending > 0 { isSettled = false }
        }
        report.note(told: told, plan: plan, services: services)
        return isSettled
    }

    /// The Services that each address in use belongs to.
    private func servicesByAddress() -> [IPAddress: [ObjectName]] {
        var services: [IPAddress: [ObjectName]] = [:]
        for service in state.snapshot.services.values
        where !service.ingress.isEmpty && settings.scope.exclusion(of: service) == nil {
            for ingress in service.ingress {
                services[ingress.address, default: []].append(service.name)
            }
        }
        return services
    }

    // MARK: Events

    /// An Event for each Service that this node has begun to announce.
    private func assignments(in report: NodeReport) -> [ClusterEvent] {
        let events = report.assignments(since: reporting.last) { wasHere($0) }
        // From here on what comes back has been away.
        reporting.formerly.formIntersection(tenure.report.claims.keys)
        for service in report.interfaces.keys {
            state.snapshot.services.withValue(of: service) {
                reporting.formerly.subtract($0.ingress.map(\.address))
            }
        }
        return events
    }

    /// Whether a former process of this node had all of its addresses.
    private func wasHere(_ service: ObjectName) -> Bool {
        guard !reporting.formerly.isEmpty else { return false }
        return state.snapshot.services.withValue(of: service) { service in
            service.ingress.allSatisfy { reporting.formerly.contains($0.address) }
        } ?? false
    }

    /// Has the Services of an address told that it is not announced as it should be.
    func tellFailure(of address: IPAddress, _ message: String) {
        if reporting.failures.count >= Reporting.failureLimit { reporting.failures.removeFirst() }
        reporting.failures.append((address, message))
    }

    private func tellFailures() async {
        guard !reporting.failures.isEmpty else { return }
        let services = servicesByAddress()
        let events = reporting.failures.flatMap { address, message in
            // So many share an address only where somebody wants to know how many can.
            (services[address] ?? []).prefix(8).map {
                ClusterEvent(
                    service: $0, severity: .warning, reason: "announceFailed", message: message)
            }
        }
        reporting.failures = []
        await source.tell(events)
    }
}
