import ClusterSource
import Kubernetes
import LoadBalancing
import NetworkTypes

extension ElectionInput {
    /// Where the usable endpoints of a Service are. An endpoint of an unknown node is local to the
    /// only node, where there is only one. The `dead` do not count, whatever their objects say.
    static func backing(
        of service: Service, slices: [EndpointSlice], onlyNode: String?,
        without dead: Set<IPAddress> = []
    ) -> AddressDemand.Backing {
        let usable = slices.lazy.flatMap(\.endpoints).filter {
            $0.isUsable && !dead.contains($0.address)
        }
        switch service.externalTrafficPolicy {
        case .cluster:
            return .cluster(hasUsableEndpoint: usable.contains { _ in true })
        case .local:
            return .local(nodes: Set(usable.compactMap { $0.nodeName ?? onlyNode }))
        }
    }
}

extension AddressDemand.Backing {
    /// Whether the endpoints are in the node's reach.
    func admits(_ node: String) -> Bool {
        switch self {
        case .cluster(let hasUsableEndpoint): hasUsableEndpoint
        case .local(let nodes): nodes.contains(node)
        }
    }

    /// What holds for Services that share an address: Local binds all of them, because a node
    /// without a local endpoint would drop what arrives for that one.
    func united(with other: Self) -> Self {
        switch (self, other) {
        case (.cluster(let left), .cluster(let right)):
            .cluster(hasUsableEndpoint: left || right)
        case (.local(let left), .local(let right)): .local(nodes: left.union(right))
        case (.local, .cluster): self
        case (.cluster, .local): other
        }
    }
}

/// Finds the pool around an address, in O(log n) of the number of ranges.
struct PoolLocator: Sendable {
    private let ranges: [(range: AddressRange, pool: IPAddressPool)]

    init(_ configuration: Configuration) {
        ranges = configuration.pools.values.flatMap { pool in
            pool.addresses.map { (range: $0, pool: pool) }
        }.sorted { $0.range.first < $1.range.first }
    }

    /// The pool that holds the address; pools never overlap, so there is one at most.
    func pool(of address: IPAddress) -> IPAddressPool? {
        index(of: address).map { ranges[$0].pool }
    }

    /// The name of that pool.
    func poolName(of address: IPAddress) -> String? {
        index(of: address).map { ranges[$0].pool.name }
    }

    private func index(of address: IPAddress) -> Int? {
        var low = 0
        var high = ranges.count
        while low < high {
            let middle = (low + high) / 2
            if ranges[middle].range.first <= address { low = middle + 1 } else { high = middle }
        }
        guard low > 0, ranges[low - 1].range.contains(address) else { return nil }
        return low - 1
    }
}
