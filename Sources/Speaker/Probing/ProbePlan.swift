import Kubernetes
import LoadBalancing
import NetworkTypes

/// Which endpoints are asked, and how: what the annotations of Services say, kept up Service by
/// Service.
struct ProbePlan: Sendable {
    /// How one endpoint is asked.
    struct Check: Equatable, Sendable {
        var settings: ProbeSettings
        var method: HealthCheck.Method
    }

    /// All endpoints to be asked.
    private(set) var checks: [EndpointHealth.Target: Check] = [:]
    private var byService: [ObjectName: [EndpointHealth.Target: Check]] = [:]
    private var services: ObjectTable<Service> = [:]
    private var slices: ObjectTable<[EndpointSlice]> = [:]

    /// Takes in what a state says; true when there is something else to ask than before.
    mutating func update(_ snapshot: ClusterSnapshot) -> Bool {
        let names = snapshot.services.differences(from: services)
            .union(snapshot.endpointSlices.differences(from: slices))
        services = snapshot.services
        slices = snapshot.endpointSlices
        var isChanged = false
        for name in names {
            let wanted = checks(of: name)
            guard wanted != byService[name, default: [:]] else { continue }
            byService[name] = wanted.isEmpty ? nil : wanted
            isChanged = true
        }
        if isChanged {
            checks = byService.values.reduce(into: [:]) { all, some in
                all.merge(some) { first, _ in first }
            }
        }
        return isChanged
    }

    private func checks(of name: ObjectName) -> [EndpointHealth.Target: Check] {
        guard let service = services[name], let check = service.healthCheck else { return [:] }
        let settings = ProbeSettings(
            interval: check.interval, timeout: check.timeout, rise: check.rise, fall: check.fall,
            failsOpen: check.failsOpen)
        var checks: [EndpointHealth.Target: Check] = [:]
        for target in HealthCheckTarget.targets(of: service, in: slices[name] ?? []) {
            let place = EndpointHealth.Target(
                service: ServiceName(namespace: name.namespace, name: name.name),
                address: target.address, port: target.port)
            checks[place] = Check(settings: settings, method: check.method)
        }
        return checks
    }
}
