import Kubernetes
import NetworkTypes

/// What this node answers on each `healthCheckNodePort`: whether it has ready endpoints of the
/// Service. Load balancers in front of the nodes ask there, and send only where the answer is yes.
package struct HealthCheckPlan: Equatable, Sendable {
    /// The answer of one port.
    package struct Answer: Equatable, Sendable {
        /// Whose port it is.
        package var service: ObjectName
        /// How many ready endpoints run on this node, in the family that has more. Those that
        /// terminate do not count, though they may still serve: nobody new should come.
        package var localEndpoints: Int

        package init(service: ObjectName, localEndpoints: Int) {
            self.service = service
            self.localEndpoints = localEndpoints
        }
    }

    /// So many ports are served; those of the Services beyond it, by name, are not.
    package static let maximumPorts = 1_000

    /// The answers by port.
    package private(set) var answers: [UInt16: Answer] = [:]
    /// Services whose port is not served: another's by that port, or `nil` for want of room.
    package private(set) var unserved: [ObjectName: ObjectName?] = [:]

    /// Nothing is served.
    package init() {}

    /// What the Services say, seen from the node that `choice` sees from. Of several Services with
    /// one port the first by name has it.
    package init(_ snapshot: ClusterSnapshot, choice: EndpointChoice) {
        let services = snapshot.services.values.filter(\.hasHealthCheckNodePort).sorted {
            ($0.name.namespace, $0.name.name) < ($1.name.namespace, $1.name.name)
        }
        for service in services {
            let port = service.healthCheckNodePort
            if let holder = answers[port] {
                unserved[service.name] = .some(holder.service)
                continue
            }
            guard answers.count < Self.maximumPorts else {
                unserved[service.name] = .some(nil)
                continue
            }
            let slices = snapshot.endpointSlices[service.name] ?? []
            var ready: Set<IPAddress> = []
            for servicePort in service.ports {
                for candidate in choice.candidates(for: servicePort, in: slices)
                where candidate.isLocal && candidate.standing == .ready {
                    ready.insert(candidate.address)
                }
            }
            // A Pod with an address of each family is one endpoint.
            let count = IPAddress.Family.allCases.map { family in
                ready.count { $0.family == family }
            }.max()
            answers[port] = Answer(service: service.name, localEndpoints: count ?? 0)
        }
    }
}
