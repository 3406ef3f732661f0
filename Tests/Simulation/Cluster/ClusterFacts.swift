import LoadBalancing
import NetworkTypes

/// What the API server says of the cluster, the same to every speaker.
package struct ClusterFacts: Sendable {
    /// The name of the one advertisement.
    package static let advertisement = "all"
    /// The name of the one pool.
    package static let pool = "simulated"

    /// The nodes, without what only gossip knows.
    package var nodes: [String: NodeFacts]
    /// The advertisements.
    package var offers: [String: Layer2Offer]
    /// The addresses in use.
    package var demands: [IPAddress: AddressDemand]

    /// Nodes that are ready, and one Service for each address with an endpoint somewhere.
    package init(
        nodes: [String], addresses: [IPAddress], detectsConflicts: Bool, preemption: Preemption
    ) {
        let facts = NodeFacts(
            interfaces: [InterfaceFacts(name: Cast.interface, prefixes: Cast.prefixes)])
        self.nodes = Dictionary(uniqueKeysWithValues: nodes.map { ($0, facts) })
        offers = [Self.advertisement: Layer2Offer(preemption: preemption)]
        demands = Dictionary(
            uniqueKeysWithValues: addresses.enumerated().map { number, address in
                (
                    address,
                    AddressDemand(
                        services: [ServiceName(namespace: "default", name: "service-\(number)")],
                        pool: Self.pool, advertisements: [Self.advertisement],
                        backing: .cluster(hasUsableEndpoint: true),
                        detectsConflicts: detectsConflicts)
                )
            })
    }
}
