import ClusterSource
import Kubernetes
import LinuxNetwork
import LoadBalancing
import Logging
import NetworkTypes

/// What a speaker knows of its endpoints' health.
struct Probing: Sendable {
    /// Runs from the first Service on that wants it.
    var prober: EndpointProber?
    var plan = ProbePlan()
    /// The state as the source told it.
    var told: ClusterState?
    /// Who is taken out of it.
    var excluded: [ObjectName: Set<IPAddress>] = [:]
    /// The addresses for which that leaves this node without an endpoint, as the others are told.
    var unserving: Set<IPAddress> = []
    var failingOpen: Set<EndpointHealth.Group> = []
    /// How many endpoints are too many to be asked.
    var unasked = 0
    /// Whether more is to be asked in a second than may be.
    var isStretched = false
    /// Rings when a prober has been started.
    let beginnings = Doorbell()
}

extension NodeSpeaker {
    /// The state with those endpoints taken out that were found dead, and the prober told of what
    /// is to be asked now.
    func withProbes(_ state: ClusterState) -> ClusterState {
        guard settings.backing.probesEndpoints else { return state }
        probing.told = state
        if probing.plan.update(state.snapshot) { tellProber() }
        guard !probing.excluded.isEmpty else { return state }
        var seen = state
        seen.snapshot = state.snapshot.takingOut(probing.excluded)
        return seen
    }

    private func tellProber() {
        if probing.prober == nil {
            do throws(SystemError) {
                let prober = try EndpointProber()
                try prober.start(seed: UInt64(bitPattern: MonotonicClock.now().nanoseconds))
                probing.prober = prober
                probing.beginnings.ring()
            } catch {
                logger.error(
                    "endpoints are not asked whether they live", metadata: ["error": "\(error)"])
                // It is tried again a while after the ring.
                probing.beginnings.ring()
                return
            }
        }
        probing.prober?.update(probing.plan.checks)
    }

    /// Takes in what the prober finds, from the moment there is one.
    func followProbes() async {
        for await _ in probing.beginnings.rings {
            guard let prober = probing.prober else {
                guard await rest(.seconds(5)) else { return }
                tellProber()
                continue
            }
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await self.followVerdicts(of: prober) }
                group.addTask { await self.followEvents(of: prober) }
            }
        }
    }

    private func followVerdicts(of prober: EndpointProber) async {
        for await _ in prober.changes.rings {
            let report = prober.report
            note(report)
            var excluded: [ObjectName: Set<IPAddress>] = [:]
            for (service, addresses) in report.excluded {
                excluded[ObjectName(namespace: service.namespace, service.name)] = addresses
            }
            guard excluded != probing.excluded else { continue }
            probing.excluded = excluded
            if let told = probing.told { take(withProbes(told)) }
        }
    }

    private func note(_ report: EndpointProber.Report) {
        for group in report.failingOpen.subtracting(probing.failingOpen).sorted() {
            logger.warning(
                "every endpoint fails its health check, so all of them stay in use",
                metadata: ["service": "\(group.service)", "family": "\(group.family)"])
        }
        probing.failingOpen = report.failingOpen
        if report.unasked > 0, probing.unasked == 0 {
            logger.warning(
                "there are too many endpoints to ask them all whether they live",
                metadata: [
                    "asked": "\(EndpointHealth.maximumTargets)", "unasked": "\(report.unasked)",
                ])
        }
        probing.unasked = report.unasked
        let isStretched = report.demand > EndpointHealth.maximumRate
        if isStretched, !probing.isStretched {
            logger.warning(
                "endpoints are asked less often than they are to be",
                metadata: [
                    "wanted": "\(report.demand)/s", "asked": "\(EndpointHealth.maximumRate)/s",
                    "remedy": "raise martlet.dev/health-check-interval",
                ])
        }
        probing.isStretched = isStretched
    }

    private func followEvents(of prober: EndpointProber) async {
        for await event in prober.events {
            switch event {
            case .changed(let target, let isUp, let answer):
                let endpoint = "\(SocketAddress(target.address, port: target.port))"
                logger.notice(
                    isUp ? "endpoint is back" : "endpoint is out",
                    metadata: [
                        "service": "\(target.service)", "endpoint": "\(endpoint)",
                        "because": "it \(answer)",
                    ])
                recentEvents.note(
                    isUp ? "endpointUp" : "endpointDown", "\(target.service)",
                    "\(endpoint) \(answer)")
                reporting.isDue = true
            case .notAsked(let target, let error):
                logger.warning(
                    "an endpoint could not be asked whether it lives",
                    metadata: ["service": "\(target.service)", "error": "\(error)"])
            case .failed(let error):
                logger.error("health checks", metadata: ["error": "\(error)"])
            }
        }
    }
}
