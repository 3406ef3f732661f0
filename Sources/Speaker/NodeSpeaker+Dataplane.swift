import ClusterSource
import Dataplane
import Kubernetes
import LinuxNetwork
import Logging
import NetworkTypes

extension NodeSpeaker {
    /// Looks every ten seconds, a second after a failure, whether packets are forwarded and the
    /// table is in step; and every second ends disputes that are over.
    func lookAfter() async {
        var nextLook = MonotonicClock.now() + .seconds(10)
        while true {
            do {
                try await Task.sleep(for: .seconds(1))
            } catch {
                return
            }
            let now = MonotonicClock.now()
            endDisputes(at: now)
            endRelief(at: now)
            layer2.retryBindings()
            guard dataplane != nil, tenure.report.hasApplied,
                dataplaneFailure != nil || now >= nextLook && !dataplaneRemedies.isEmpty
            else { continue }
            nextLook = now + .seconds(10)
            await reconcileDataplane(state)
        }
    }

    /// Mends the table when somebody else has changed it.
    func lookAfter(_ dataplane: DataplaneReconciler) async {
        await dataplane.run(
            unwatched: { error in await self.noteUnwatched(error) },
            { result in await self.take(result) })
    }

    /// Nobody hears at once of changes by others; the table itself is in step.
    private func noteUnwatched(_ error: SystemError) {
        dataplaneUnwatched = error.description
        logger.warning(
            "changes of the table by others are not told, and looked for every minute only",
            metadata: ["error": "\(error)"])
        reporting.isDue = true
    }

    private func take(_ result: Result<DataplaneReconciler.Outcome, SystemError>) {
        switch result {
        case .success(let outcome): note(outcome)
        case .failure(let error): noteDataplaneFailure(error)
        }
    }

    /// Brings the rules in step with a state. The actor may be entered meanwhile; the rules are
    /// level-based, and whoever changed the state has rung for another round.
    func reconcileDataplane(_ state: ClusterState) async {
        guard let dataplane else { return }
        let chains = ServiceChains(
            state, node: settings.node, scope: settings.scope, options: chainOptions)
        let plan = healthPlanner.plan(state.snapshot, choice: chains.choice)
        defer {
            answerHealthChecks(plan)
            healthChecks?.update(isDraining: handsOver)
        }
        do throws(SystemError) {
            let outcome = try await dataplane.reconcile(chains)
            if dataplaneFailure != nil { logger.notice("data plane is in step again") }
            dataplaneFailure = nil
            healthChecks?.update(isHealthy: true)
            note(outcome)
        } catch {
            noteDataplaneFailure(error)
        }
    }

    /// Whether this node is drained, by command or by its Node object, or about to stop.
    private var handsOver: Bool {
        isDrained || isLeaving || state.snapshot.nodes[settings.node]?.isAskedToDrain == true
    }

    /// Answers on the `healthCheckNodePort`s as the rules are now. Nobody needs the thread before
    /// the first Service with such a port.
    private func answerHealthChecks(_ plan: HealthCheckPlan) {
        guard plan != healthPlan else { return }
        let known = healthPlan.unserved
        healthPlan = plan
        for (service, holder) in plan.unserved where known[service] != .some(holder) {
            let reason = holder.map { "it is \($0)'s" } ?? "too many Services have one"
            logger.warning(
                "healthCheckNodePort not answered",
                metadata: ["service": "\(service)", "reason": "\(reason)"])
        }
        do throws(SystemError) {
            if healthChecks == nil, !plan.answers.isEmpty {
                let server = try HealthCheckServer()
                try server.start { [logger] _, error in
                    logger.error("health check", metadata: ["error": "\(error)"])
                }
                healthChecks = server
            }
            healthChecks?.update(plan)
            healthChecks?.update(isHealthy: dataplaneFailure == nil)
        } catch {
            logger.error("health check", metadata: ["error": "\(error)"])
            // With the next state it is tried again.
            healthPlan = HealthCheckPlan()
        }
    }

    private func noteDataplaneFailure(_ error: SystemError) {
        healthChecks?.update(isHealthy: false)
        if dataplaneFailure != error.description {
            logger.error("data plane", metadata: ["error": "\(error)"])
        }
        dataplaneFailure = error.description
    }
}
