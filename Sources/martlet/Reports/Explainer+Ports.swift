import ClusterSource
import Controller
import Dataplane
import Kubernetes
import LoadBalancing
import NetworkTypes
import Speaker

extension Explainer {
    /// The way down from each port of a Service.
    func ports(of service: Service) -> [ServiceReport.PortReport] {
        guard service.kind != .externalName else { return [] }
        let resolved = chains.chains(of: service)
        let slices = state.snapshot.endpointSlices[service.name] ?? []
        return service.ports.map { port in
            let identity = ServiceChain.Identity(port, of: service.name)
            let chain = resolved.first { $0.identity == identity }
            let candidates = chains.choice.candidates(for: port, in: slices)
            let policy = EndpointChoice.Policies(service.externalTrafficPolicy)
            let open = families(failingOpenOf: service)
            return ServiceReport.PortReport(
                port: (port.name.isEmpty ? "" : port.name + " ")
                    + "\(port.port)/\(port.protocol.rawValue)",
                number: port.port, transport: port.protocol.rawValue,
                entrances: chain?.frontends.map(\.reportText) ?? [],
                externalTrafficPolicy: service.externalTrafficPolicy.rawValue,
                endpoints: candidates.map { candidate in
                    ServiceReport.EndpointReport(
                        address: "\(SocketAddress(candidate.address, port: candidate.port))",
                        node: candidate.node, target: candidate.target,
                        usable: candidate.standing != .unusable,
                        chosen: !candidate.policies.isEmpty,
                        condition: condition(of: candidate, service, open))
                },
                outcome: outcome(of: service, candidates, policy, open))
        }
    }

    /// The endpoints of a Service that fail their health checks here, and are out.
    private func failing(of service: Service) -> Set<IPAddress> {
        health?.excluded[ServiceName(service.name)] ?? []
    }

    /// The families of which every endpoint failed its health check, so that all stay in.
    private func families(failingOpenOf service: Service) -> Set<IPAddress.Family> {
        let name = ServiceName(service.name)
        return Set((health?.failingOpen ?? []).filter { $0.service == name }.map(\.family))
    }

    private func condition(
        of candidate: EndpointChoice.Candidate, _ service: Service, _ open: Set<IPAddress.Family>
    ) -> String {
        if failing(of: service).contains(candidate.address) {
            return "ready, but fails its health check here"
        }
        guard open.contains(candidate.address.family), !candidate.policies.isEmpty else {
            return candidate.reportText
        }
        return candidate.reportText + "; in use whatever its health check says"
    }

    /// What happens to a connection from outside.
    private func outcome(
        of service: Service, _ candidates: [EndpointChoice.Candidate],
        _ policy: EndpointChoice.Policies, _ open: Set<IPAddress.Family>
    ) -> String {
        if service.isHeadless {
            return "is headless: the DNS gives the endpoints' addresses, and clients go there "
                + "themselves"
        }
        guard ways.known.covers(service) else {
            return "is not told: this daemon does not ask for the Service's endpoints; ask a "
                + "speaker that takes traffic on, or use --kubeconfig"
        }
        let word = service.externalTrafficPolicy.rawValue
        let chosen = candidates.filter { $0.policies.contains(policy) }
        if let first = chosen.first {
            let number = chosen.count == 1 ? "one endpoint" : "one of \(chosen.count) endpoints"
            return "goes to \(number), policy \(word)" + (first.standing.outcomeText ?? "")
                + failingOpenText(open)
        }
        let elsewhere = candidates.filter { $0.standing != .unusable }
        if !elsewhere.isEmpty, node.isEmpty {
            return "goes to one of \(elsewhere.count) endpoints on the node that it comes to, "
                + "policy \(word)"
        }
        if !elsewhere.isEmpty {
            let nodes = Set(elsewhere.compactMap(\.node)).sorted().joined(separator: ", ")
            return "is dropped here, policy \(word): the endpoints are on "
                + (nodes.isEmpty ? "nodes that are not known" : nodes)
        }
        if !candidates.isEmpty {
            let failing = failing(of: service)
            return candidates.contains { failing.contains($0.address) }
                ? "is refused: no endpoint is ready and passes its health check here"
                : "is refused: no endpoint is ready"
        }
        let slices = state.snapshot.endpointSlices[service.name] ?? []
        if slices.contains(where: { !$0.endpoints.isEmpty }) {
            return "is refused: there are endpoints, but none has the port"
        }
        return service.selector.isEmpty
            ? "is refused: the Service has no selector and no EndpointSlice names it"
            : "is refused: no Pod matches the selector "
                + service.selector.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
                .joined(separator: ",") + ", or none has the port"
    }

    private func failingOpenText(_ open: Set<IPAddress.Family>) -> String {
        guard !open.isEmpty else { return "" }
        let names = open.map { $0 == .ipv4 ? "IPv4" : "IPv6" }.sorted().joined(separator: " and ")
        return "; every \(names) endpoint has failed its health check, so all of them stay in use"
    }
}

extension EndpointChoice.Candidate {
    /// `ready`, `not ready`, `serving`, with why it gets nothing where it could.
    fileprivate var reportText: String {
        let isLeftOut = policies.isEmpty && standing != .unusable
        switch standing {
        case .ready: return "ready"
        case .serving:
            return "not ready, serving" + (isLeftOut ? "; not used while others are ready" : "")
        case .readyOnDeadNode, .servingOnDeadNode:
            return "on a node that is dead"
                + (isLeftOut ? "; not used" : "; used because nothing else is left")
        case .unusable: return "not ready"
        }
    }
}

extension EndpointChoice.Standing {
    /// What is to be said when nothing better is there.
    fileprivate var outcomeText: String? {
        switch self {
        case .ready, .unusable: nil
        case .serving: "; none is ready, so those serve that terminate"
        case .readyOnDeadNode, .servingOnDeadNode:
            "; its node is taken for dead, and nothing else is left"
        }
    }
}
