import ClusterSource
import Dataplane
import Kubernetes
import LinuxNetwork
import Logging
import NetworkTypes

extension NodeSpeaker {
    /// Looks every ten seconds, a second after a failure, whether the table is still there and
    /// packets are forwarded; and every second ends disputes that are over.
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
            guard let dataplane, tenure.report.hasApplied,
                now >= nextLook || dataplaneFailure != nil
            else { continue }
            nextLook = now + .seconds(10)
            await look(at: dataplane)
        }
    }

    private func look(at dataplane: DataplaneReconciler) async {
        do throws(SystemError) {
            let isPresent = try await dataplane.verify()
            if isPresent, dataplaneFailure == nil, dataplaneRemedies.isEmpty { return }
        } catch {
            logger.warning("cannot look at the data plane", metadata: ["error": "\(error)"])
        }
        await reconcileDataplane(state)
    }

    /// Brings the rules in step with a state. The actor may be entered meanwhile; the rules are
    /// level-based, and whoever changed the state has rung for another round.
    func reconcileDataplane(_ state: ClusterState) async {
        guard let dataplane else { return }
        let chains = ServiceChains(state, node: settings.node, scope: settings.scope)
        do throws(SystemError) {
            let outcome = try await dataplane.reconcile(chains)
            if dataplaneFailure != nil { logger.notice("data plane is in step again") }
            dataplaneFailure = nil
            note(outcome)
        } catch {
            if dataplaneFailure != error.description {
                logger.error("data plane", metadata: ["error": "\(error)"])
            }
            dataplaneFailure = error.description
        }
    }
}
