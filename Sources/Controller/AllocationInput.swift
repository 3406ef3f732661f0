import Kubernetes
import LoadBalancing
import NetworkTypes

/// Translates Services and pools into what the allocator works from: selectors become names,
/// annotations become typed wishes.
package struct AllocationInput: Sendable {
    private let pinningPools: [IPAddressPool]
    private let namespaces: [String: Namespace]
    private let hasIPv4: Bool

    package init(_ snapshot: ClusterSnapshot) {
        let pools = snapshot.configuration.pools.values
        pinningPools = pools.filter { $0.serviceAllocation != nil }
        namespaces = snapshot.namespaces
        hasIPv4 = pools.contains { $0.addresses.contains { $0.family == .ipv4 } }
    }

    /// The pools of a configuration.
    package static func pools(_ configuration: Configuration) -> [AddressPool] {
        configuration.pools.values.map { pool in
            AddressPool(
                name: pool.name, ranges: pool.addresses, autoAssign: pool.autoAssign,
                avoidBuggyIPs: pool.avoidBuggyIPs,
                priority: pool.serviceAllocation?.priority ?? 0,
                retention: .seconds(pool.retentionSeconds),
                isPinned: pool.serviceAllocation != nil)
        }
    }

    /// What a Service asks of the allocator.
    package func request(for service: Service) throws(AddressWish.Fault) -> AllocationRequest {
        let wished: [IPAddress]
        switch AddressWish(service) {
        case .addresses(let addresses): wished = addresses
        case .invalid(let fault): throw fault
        }
        var request = claim(of: service)
        request.families = families(of: service, or: wished)
        request.requestedAddresses = wished
        request.requestedPool = service.annotation(.addressPool)
        return request
    }

    /// What a Service has, and on which terms, whatever it wishes for beyond that.
    package func claim(of service: Service) -> AllocationRequest {
        AllocationRequest(
            service: ServiceName(service.name),
            families: families(of: service, or: service.ingress.map(\.address)),
            pinnedPools: Set(pinningPools.filter { matches($0, service) }.map(\.name)),
            sharing: sharing(of: service),
            ports: service.ports.map {
                ServicePort(ServicePort.Transport($0.protocol), $0.port)
            },
            held: service.ingress.map(\.address))
    }

    /// The families of the Service; where neither it nor its cluster addresses say, those of the
    /// addresses asked for, else IPv4 if any pool has such addresses, else IPv6.
    ///
    /// A Service that prefers two families but was given cluster addresses of one is in a cluster
    /// that has one: nothing would stand behind an address of the other.
    private func families(of service: Service, or addresses: [IPAddress]) -> FamilyWish {
        let policy: FamilyWish.Policy =
            switch service.ipFamilyPolicy {
            case .singleStack: .single
            case .preferDualStack: .prefer
            case .requireDualStack: .require
            }
        var families =
            service.ipFamilies.isEmpty ? service.clusterIPs.map(\.family) : service.ipFamilies
        if families.isEmpty {
            families = addresses.map(\.family)
            if families.isEmpty { families = [hasIPv4 ? .ipv4 : .ipv6] }
        }
        if policy == .require || (policy == .prefer && service.clusterIPs.isEmpty) {
            for family in IPAddress.Family.allCases where !families.contains(family) {
                families.append(family)
            }
        }
        return FamilyWish(families, policy: policy)
    }

    private func sharing(of service: Service) -> SharingKey? {
        guard let key = service.annotation(.allowSharedIP) else { return nil }
        switch service.externalTrafficPolicy {
        case .cluster:
            return SharingKey(key: key)
        case .local:
            let selector = service.selector.sorted { $0.key < $1.key }
                .map { "\($0.key)=\($0.value)" }.joined(separator: ",")
            return SharingKey(key: key, backends: .local(selector: selector))
        }
    }

    private func matches(_ pool: IPAddressPool, _ service: Service) -> Bool {
        guard let allocation = pool.serviceAllocation else { return false }
        let byNamespace =
            allocation.namespaces.isEmpty && allocation.namespaceSelectors.isEmpty
            || allocation.namespaces.contains(service.name.namespace)
            || allocation.namespaceSelectors.contains { selector in
                selector.matches(namespaces[service.name.namespace]?.metadata.labels ?? [:])
            }
        let byService =
            allocation.serviceSelectors.isEmpty
            || allocation.serviceSelectors.contains { $0.matches(service.metadata.labels) }
        return byNamespace && byService
    }
}

extension ServiceName {
    /// The same name in the allocator's words.
    package init(_ name: ObjectName) {
        self.init(namespace: name.namespace, name: name.name)
    }
}

extension ServicePort.Transport {
    fileprivate init(_ transport: TransportProtocol) {
        switch transport {
        case .tcp: self = .tcp
        case .udp: self = .udp
        case .sctp: self = .sctp
        }
    }
}
