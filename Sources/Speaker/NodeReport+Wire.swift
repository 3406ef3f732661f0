import ClusterSource
import Kubernetes
import LoadBalancing
import NetworkTypes

extension NodeReport {
    /// Takes in on which interfaces questions for the addresses of Services are answered.
    mutating func note(
        _ wire: [Layer2InterfaceState], services: [IPAddress: [ObjectName]]
    ) {
        for interface in wire where interface.isListening {
            for address in interface.addresses where address.answeringSince != nil {
                for service in services[address.address] ?? [] {
                    interfaces[service, default: []].insert(interface.interface)
                }
            }
        }
    }

    /// Takes in which routers have the routes of Services: those that were told one of the blocks
    /// that an address of the Service makes towards them.
    ///
    /// - Parameter told: what established peers have, by their names.
    mutating func note(
        told: [String: Set<Prefix>], plan: RoutePlan, services: [IPAddress: [ObjectName]]
    ) {
        for (address, names) in services {
            for case (let peer, .announced(let announcements)) in plan.verdicts(for: address)
            where announcements.contains(where: { told[peer]?.contains($0.prefix) == true }) {
                for service in names { peers[service, default: []].insert(peer) }
            }
        }
    }

    /// An Event for each Service that the node has begun to announce since another report.
    ///
    /// - Parameter wasHere: whether that the node answers for a Service is no news.
    func assignments(
        since before: NodeReport?, wasHere: (ObjectName) -> Bool
    ) -> [ClusterEvent] {
        var events: [ClusterEvent] = []
        for (service, names) in interfaces
        where before?.interfaces[service] == nil && !wasHere(service) {
            events.append(assignment(of: service, "layer2", "on", names.sorted()))
        }
        for (service, names) in peers where before?.peers[service] == nil {
            events.append(assignment(of: service, "bgp", "to", names.sorted()))
        }
        return events.sorted { ($0.service, $0.message) < ($1.service, $1.message) }
    }

    private func assignment(
        of service: ObjectName, _ protocolName: String, _ preposition: String, _ names: [String]
    ) -> ClusterEvent {
        let more = names.count > 8 ? " and \(names.count - 8) more" : ""
        return ClusterEvent(
            service: service, severity: .normal, reason: "nodeAssigned",
            message: "announcing from node \"\(node)\" with protocol \"\(protocolName)\" "
                + "\(preposition) \(names.prefix(8).joined(separator: ", "))\(more)")
    }
}
