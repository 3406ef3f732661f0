import Kubernetes
import NetworkTypes

/// What a command found that looked at a cluster once.
package struct ClusterReading: Sendable {
    /// The server and how it was found, for people.
    package var server: String
    /// The cluster, with what speakers say of themselves (``speakers(_:_:)``).
    package var state = ClusterState()
    /// The kinds that could not be read, and why.
    package var unread: [Problem] = []
    /// How many objects there are of the kinds that decisions are made from.
    package var objects = 0
    /// The Lease of the controller that gives addresses; `nil` when there is none, or it cannot be
    /// read.
    package var lease: LeaseRecord?
    /// Which nodes say that they answer for which Services.
    package var answers: [ServiceStatusReading.Record] = []
    /// Which nodes say that routers have routes to which Services from them.
    package var routes: [ServiceStatusReading.Record] = []
    /// How the processes find the configuration.
    package var verdicts: [ConfigurationStateReading.Verdict] = []

    init(server: String) { self.server = server }

    /// The speakers as far as their status objects tell of them.
    ///
    /// A status names a Service and not its addresses, so a node counts as having all addresses of
    /// the Services that it answers for; where several nodes answer for one Service the election
    /// gives each address to one of them. All claims are of one age. The interfaces are those that
    /// are answered on, which need not be all.
    static func speakers(
        _ answers: [ServiceStatusReading.Record], _ snapshot: ClusterSnapshot
    ) -> [String: SpeakerRecord] {
        var speakers: [String: SpeakerRecord] = [:]
        for answer in answers {
            // What is left over of a Service that is gone claims nothing.
            guard let service = snapshot.services[answer.service], !service.ingress.isEmpty else {
                continue
            }
            var record = speakers[answer.node] ?? SpeakerRecord(node: answer.node)
            record.knowsAllInterfaces = false
            for name in answer.names where !record.interfaces.contains(where: { $0.name == name }) {
                record.interfaces.append(
                    SpeakerRecord.Interface(name: name, mac: .zero, prefixes: [], isUsable: true))
            }
            for ingress in service.ingress { record.claims[ingress.address] = 1 }
            speakers[answer.node] = record
        }
        return speakers
    }
}
