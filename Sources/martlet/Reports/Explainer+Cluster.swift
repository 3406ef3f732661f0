import ClusterSource
import Kubernetes
import NetworkTypes

extension Explainer {
    /// What decides in the daemons, on what is written in an API server.
    init(_ reading: ClusterReading, node: String = "", scope: ServiceScope, now: Instant) {
        self.init(
            state: reading.state, node: node, scope: scope, statuses: reading,
            standpoint: .outside, now: now)
    }
}

extension ClusterReading {
    /// What speakers say of a Service, by node.
    func words(on service: ObjectName) -> [ServiceReport.SpeakerReport] {
        let answering = answers.filter { $0.service == service }.map {
            ServiceReport.SpeakerReport(node: $0.node, interfaces: $0.names, peers: nil)
        }
        let telling = routes.filter { $0.service == service }.map {
            ServiceReport.SpeakerReport(node: $0.node, interfaces: nil, peers: $0.names)
        }
        return answering.sorted { $0.node < $1.node } + telling.sorted { $0.node < $1.node }
    }
}

extension ServiceReport {
    /// What a speaker says in its ServiceL2Status or ServiceBGPStatus.
    struct SpeakerReport: Codable, Sendable, Equatable {
        var node: String
        /// Where it answers for an address of the Service.
        var interfaces: [String]?
        /// The routers that have a route from it.
        var peers: [String]?
    }
}

extension ServiceReport.SpeakerReport {
    /// One line.
    func line(_ terminal: Terminal) -> String {
        let node = terminal.styled(node, .good)
        if let peers { return "  \(node) says that it has told \(peers.joined(separator: ", "))" }
        return "  \(node) says that it answers on "
            + (interfaces ?? []).joined(separator: ", ")
    }
}
