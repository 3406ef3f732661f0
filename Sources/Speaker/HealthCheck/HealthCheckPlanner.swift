import Kubernetes

/// Keeps a ``HealthCheckPlan`` in step with the states of the cluster, and walks through all
/// Services only when one that has a `healthCheckNodePort` may have changed: few have, and states
/// come at every change of any endpoint.
struct HealthCheckPlanner {
    private struct Basis {
        var services: ObjectTable<Service>
        var slices: ObjectTable<[EndpointSlice]>
        var choice: EndpointChoice
    }

    private var basis: Basis?
    private var plan = HealthCheckPlan()

    /// The plan of a state, seen from the node that `choice` sees from.
    mutating func plan(
        _ snapshot: ClusterSnapshot, choice: EndpointChoice
    ) -> HealthCheckPlan {
        if mayDiffer(snapshot, choice) { plan = HealthCheckPlan(snapshot, choice: choice) }
        basis = Basis(
            services: snapshot.services, slices: snapshot.endpointSlices, choice: choice)
        return plan
    }

    private func mayDiffer(_ snapshot: ClusterSnapshot, _ choice: EndpointChoice) -> Bool {
        guard let basis, basis.choice == choice else { return true }
        let has = { (services: ObjectTable<Service>, name: ObjectName) in
            services.withValue(of: name) { $0.hasHealthCheckNodePort } ?? false
        }
        return snapshot.services.differences(from: basis.services)
            .union(snapshot.endpointSlices.differences(from: basis.slices))
            .contains { has(snapshot.services, $0) || has(basis.services, $0) }
    }
}
