import ClusterSource
import Dataplane
import Kubernetes
import NetworkTypes

/// Resolves Services and their endpoints into the chains that the data plane installs.
package struct ServiceChains: Sendable {
    private let snapshot: ClusterSnapshot
    private let node: String
    private let scope: ServiceScope
    private let isOnlyNode: Bool

    /// Resolves for the speaker of `node`.
    package init(_ state: ClusterState, node: String, scope: ServiceScope) {
        snapshot = state.snapshot
        self.node = node
        isOnlyNode = ElectionInput.nodeNames(state, own: node) == [node]
        self.scope = scope
    }

    /// The chains of every Service that has a data path, in no order.
    package func all() -> [ServiceChain] {
        snapshot.services.values.flatMap { chains(of: $0) }
    }

    /// The chains of those Services whose chains may differ from what they were; `nil` when so many
    /// do that it is less work to look at all.
    func changes(since last: ServiceChains) -> [Ruleset.ServiceKey: [ServiceChain]]? {
        guard node == last.node, scope == last.scope, isOnlyNode == last.isOnlyNode else {
            return nil
        }
        let names = snapshot.services.differences(from: last.snapshot.services)
            .union(snapshot.endpointSlices.differences(from: last.snapshot.endpointSlices))
        guard names.count <= Self.fewServices else { return nil }
        var changes: [Ruleset.ServiceKey: [ServiceChain]] = [:]
        for name in names {
            let key = Ruleset.ServiceKey(namespace: name.namespace, service: name.name)
            changes[key] = snapshot.services[name].map { chains(of: $0) } ?? []
        }
        return changes
    }

    /// So many Services are looked at one by one.
    private static let fewServices = 64

    /// One chain a port; none for ExternalName and headless Services, and for ports that no
    /// traffic can enter.
    package func chains(of service: Service) -> [ServiceChain] {
        guard service.kind != .externalName, !service.isHeadless else { return [] }
        let slices = snapshot.endpointSlices[service.name] ?? []
        return service.ports.compactMap { port in
            let frontends = frontends(of: port, service: service, slices: slices)
            guard !frontends.isEmpty else { return nil }
            return ServiceChain(
                identity: ServiceChain.Identity(
                    namespace: service.name.namespace, service: service.name.name,
                    port: port.name.isEmpty ? String(port.port) : port.name,
                    transport: ServiceChain.Transport(port.protocol)),
                frontends: frontends,
                endpoints: endpoints(of: port, slices: slices),
                externalPolicy: ServiceChain.Policy(service.externalTrafficPolicy),
                internalPolicy: ServiceChain.Policy(service.internalTrafficPolicy),
                affinity: service.sessionAffinity == .none ? .none : .clientAddress,
                sourceRanges: service.sourceRanges)
        }
    }

    private func frontends(
        of port: Service.Port, service: Service, slices: [EndpointSlice]
    ) -> [ServiceChain.Frontend] {
        var frontends = service.clusterIPs.map {
            ServiceChain.Frontend.clusterIP($0, port: port.port)
        }
        if scope.exclusion(of: service) == nil {
            frontends += service.ingress.map { .loadBalancer($0.address, port: port.port) }
        }
        if port.nodePort != 0, service.kind != .clusterIP {
            frontends += families(of: service, slices: slices).map {
                .nodePort($0, port: port.nodePort)
            }
        }
        return frontends
    }

    /// The families that a node port serves: those of the Service, or where it does not say, those
    /// that its endpoints have.
    private func families(of service: Service, slices: [EndpointSlice]) -> [IPAddress.Family] {
        if !service.ipFamilies.isEmpty { return service.ipFamilies }
        let known = Set(
            service.clusterIPs.map(\.family) + service.ingress.map(\.address.family)
                + slices.map(\.family))
        return known.isEmpty ? [.ipv4] : known.sorted { $0.rawValue < $1.rawValue }
    }

    private func endpoints(
        of port: Service.Port, slices: [EndpointSlice]
    ) -> [ServiceChain.Endpoint] {
        var seen: Set<ServiceChain.Endpoint> = []
        var endpoints: [ServiceChain.Endpoint] = []
        for slice in slices {
            for slicePort in slice.ports
            where slicePort.name == port.name && slicePort.protocol == port.protocol {
                for endpoint in slice.endpoints where endpoint.isUsable {
                    let isLocal = endpoint.nodeName.map { $0 == node } ?? isOnlyNode
                    let resolved = ServiceChain.Endpoint(
                        endpoint.address, port: slicePort.port, isLocal: isLocal)
                    if seen.insert(resolved).inserted { endpoints.append(resolved) }
                }
            }
        }
        return endpoints.sorted { ($0.address, $0.port) < ($1.address, $1.port) }
    }
}

extension ServiceChain.Transport {
    package init(_ transport: TransportProtocol) {
        switch transport {
        case .tcp: self = .tcp
        case .udp: self = .udp
        case .sctp: self = .sctp
        }
    }
}

extension ServiceChain.Policy {
    fileprivate init(_ policy: Service.TrafficPolicy) {
        self = policy == .local ? .local : .cluster
    }
}
