import ClusterSource
import Dataplane
import Kubernetes
import NetworkTypes

/// Resolves Services and their endpoints into the chains that the data plane installs.
package struct ServiceChains: Sendable {
    /// What objects do not say.
    package struct Options: Hashable, Sendable {
        /// Whether `externalIPs` are served. Whoever may write a Service can take any address by
        /// it, so that is for the operator of the nodes to say.
        package var allowsExternalIPs: Bool
        /// Nodes whose endpoints get no new connections, because they are known to be dead.
        package var deadNodes: Set<String>

        package init(allowsExternalIPs: Bool = false, deadNodes: Set<String> = []) {
            self.allowsExternalIPs = allowsExternalIPs
            self.deadNodes = deadNodes
        }
    }

    private let snapshot: ClusterSnapshot
    private let scope: ServiceScope
    private let allowsExternalIPs: Bool
    /// Which endpoints serve, seen from here.
    package let choice: EndpointChoice
    private let podSubnets: [Prefix]

    /// Resolves for the speaker of `node`.
    package init(
        _ state: ClusterState, node: String, scope: ServiceScope, options: Options = Options()
    ) {
        snapshot = state.snapshot
        self.scope = scope
        allowsExternalIPs = options.allowsExternalIPs
        // Who taints a node so vouches that it is off, whoever else still counts it as alive.
        let vouched = state.snapshot.nodes.values.lazy
            .filter { $0.taints.contains(Node.outOfServiceTaint) }.map(\.metadata.name.name)
        choice = EndpointChoice(
            node: node, isOnlyNode: ElectionInput.nodeNames(state, own: node) == [node],
            deadNodes: options.deadNodes.union(vouched).subtracting([node]))
        podSubnets = state.snapshot.nodes[node]?.podCIDRs ?? []
    }

    /// The chains of every Service that has a data path, in no order.
    package func all() -> [ServiceChain] {
        snapshot.services.values.flatMap { chains(of: $0) }
    }

    /// The chains of those Services whose chains may differ from what they were; `nil` when so many
    /// do that it is less work to look at all.
    func changes(since last: ServiceChains) -> [Ruleset.ServiceKey: [ServiceChain]]? {
        guard choice.node == last.choice.node, choice.isOnlyNode == last.choice.isOnlyNode,
            scope == last.scope, allowsExternalIPs == last.allowsExternalIPs,
            podSubnets == last.podSubnets
        else { return nil }
        let nodes = choice.deadNodes.symmetricDifference(last.choice.deadNodes)
        let names = snapshot.services.differences(from: last.snapshot.services)
            .union(snapshot.endpointSlices.differences(from: last.snapshot.endpointSlices))
            .union(nodes.isEmpty ? [] : services(withEndpointsOn: nodes))
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

    private func services(withEndpointsOn nodes: Set<String>) -> Set<ObjectName> {
        var names: Set<ObjectName> = []
        for (name, slices) in snapshot.endpointSlices
        where slices.contains(where: { slice in
            slice.endpoints.contains { $0.nodeName.map(nodes.contains) ?? false }
        }) {
            names.insert(name)
        }
        return names
    }

    /// One chain a port; none for ExternalName and headless Services, and for ports that no
    /// traffic can enter.
    package func chains(of service: Service) -> [ServiceChain] {
        guard service.kind != .externalName, !service.isHeadless else { return [] }
        let slices = snapshot.endpointSlices[service.name] ?? []
        return service.ports.compactMap { port in
            let frontends = frontends(of: port, service: service, slices: slices)
            guard !frontends.isEmpty else { return nil }
            return ServiceChain(
                identity: ServiceChain.Identity(port, of: service.name), frontends: frontends,
                endpoints: choice.candidates(for: port, in: slices)
                    .compactMap(ServiceChain.Endpoint.init),
                externalPolicy: ServiceChain.Policy(service.externalTrafficPolicy),
                internalPolicy: ServiceChain.Policy(service.internalTrafficPolicy),
                affinity: ServiceChain.Affinity(service.sessionAffinity),
                choice: ServiceChain.Choice(service.endpointSelection),
                sourceRanges: service.sourceRanges,
                podSubnets: service.externalTrafficPolicy == .local ? podSubnets : [])
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
        if allowsExternalIPs {
            frontends += service.externalIPs.filter(\.isServiceable)
                .map { .externalIP($0, port: port.port) }
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
}

extension ServiceChain.Identity {
    /// A port without a name is known by its number.
    package init(_ port: Service.Port, of service: ObjectName) {
        self.init(
            namespace: service.namespace, service: service.name,
            port: port.name.isEmpty ? String(port.port) : port.name,
            transport: ServiceChain.Transport(port.protocol))
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

extension ServiceChain.Endpoint {
    /// `nil` for one that gets no new connections.
    fileprivate init?(_ candidate: EndpointChoice.Candidate) {
        guard !candidate.policies.isEmpty else { return nil }
        self.init(
            candidate.address, port: candidate.port,
            isLocal: candidate.policies.contains(.local),
            servesCluster: candidate.policies.contains(.cluster))
    }
}

extension ServiceChain.Policy {
    fileprivate init(_ policy: Service.TrafficPolicy) {
        self = policy == .local ? .local : .cluster
    }
}

extension ServiceChain.Affinity {
    fileprivate init(_ affinity: Service.SessionAffinity) {
        self =
            switch affinity {
            case .none: .none
            case .clientIP(let seconds): .clientAddress(seconds: UInt32(clamping: max(1, seconds)))
            }
    }
}

extension ServiceChain.Choice {
    fileprivate init(_ selection: Service.EndpointSelection?) {
        self =
            switch selection {
            case .random, nil: .random
            case .sourceHash: .sourceHash
            case .consistent: .consistent
            }
    }
}

extension IPAddress {
    /// Whether a Service may have it at all.
    fileprivate var isServiceable: Bool {
        !isUnspecified && !isLoopback && !isLinkLocal && !isMulticast
    }
}
