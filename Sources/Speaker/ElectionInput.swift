import ClusterSource
import Kubernetes
import LoadBalancing
import NetworkTypes

/// What the election works from, translated from a state of the cluster: selectors become names,
/// objects become facts. Equal states give equal inputs on every node.
package struct ElectionInput: Sendable, Equatable {
    /// The nodes, by name.
    package var nodes: [String: NodeFacts]
    /// The layer 2 advertisements, by name.
    package var offers: [String: Layer2Offer]
    /// The addresses in use.
    package var demands: [IPAddress: AddressDemand]
    /// Who says that it has them.
    package var claims: [IPAddress: [Claim]]

    /// Translates a state as the speaker of `node` sees it.
    package init(_ state: ClusterState, node: String, scope: ServiceScope) {
        nodes = Self.nodes(state, own: node)
        offers = Self.offers(state)
        demands = Self.demands(state, nodeNames: Set(nodes.keys), scope: scope)
        claims = Self.isMemoryCommon(state, own: node) ? Self.claims(state.speakers) : [:]
    }

    /// Whether claims are memory that all nodes have. Where no other speaker's record can be read
    /// the others cannot read ours either, and a node that went by what only it remembers would
    /// answer beside the one that the others elect. A node alone remembers for all.
    static func isMemoryCommon(_ state: ClusterState, own: String) -> Bool {
        state.speakers.keys.contains { $0 != own } || nodeNames(state, own: own).count <= 1
    }

    /// Elects.
    package func elect() -> Ownership {
        Ownership.elect(nodes: nodes, offers: offers, demands: demands, claims: claims)
    }

    /// Node objects; where there are none, this node and those whose speakers have published.
    static func nodeNames(_ state: ClusterState, own: String) -> Set<String> {
        guard state.snapshot.nodes.isEmpty else { return Set(state.snapshot.nodes.keys) }
        return Set(state.speakers.keys).union([own])
    }

    private static func nodes(_ state: ClusterState, own: String) -> [String: NodeFacts] {
        var facts: [String: NodeFacts] = [:]
        for name in nodeNames(state, own: own) { facts[name] = NodeFacts() }
        for (name, node) in state.snapshot.nodes {
            facts[name] = NodeFacts(
                isReady: node.ready ?? true,
                isNetworkUnavailable: node.networkUnavailable ?? false,
                isCordoned: node.isUnschedulable,
                isExcludedByLabel: node.metadata.labels[Node.excludeLabel] != nil)
        }
        for (name, record) in state.speakers {
            facts[name]?.hasSpeaker = record.isServing
            facts[name]?.interfaces = record.interfaces.map {
                InterfaceFacts(name: $0.name, isUsable: $0.isUsable, prefixes: $0.prefixes)
            }
        }
        return facts
    }

    private static func offers(_ state: ClusterState) -> [String: Layer2Offer] {
        let nodes = state.snapshot.nodes
        return state.snapshot.configuration.l2Advertisements.mapValues { advertisement in
            var weights: [String: Int] = [:]
            for preference in advertisement.preferredNodeSelectors {
                for (name, node) in nodes
                where preference.preference.matches(node.metadata.labels) {
                    weights[name, default: 0] += preference.weight
                }
            }
            return Layer2Offer(
                nodes: selection(advertisement.nodeSelectors, among: nodes),
                interfaces: advertisement.interfaces.isEmpty
                    ? .all : .only(Set(advertisement.interfaces)),
                weights: weights,
                reannounceInterval: .seconds(advertisement.reannounceIntervalSeconds))
        }
    }

    private static func selection(
        _ selectors: [LabelSelector], among nodes: [String: Node]
    ) -> Selection {
        guard !selectors.isEmpty else { return .all }
        return .only(
            Set(
                nodes.filter { entry in
                    selectors.contains { $0.matches(entry.value.metadata.labels) }
                }.keys))
    }

    private static func claims(_ speakers: [String: SpeakerRecord]) -> [IPAddress: [Claim]] {
        var claims: [IPAddress: [Claim]] = [:]
        // In order of nodes, so that equal states give equal lists.
        for (node, record) in speakers.sorted(by: { $0.key < $1.key }) {
            for (address, epoch) in record.claims {
                claims[address, default: []].append(Claim(node: node, epoch: epoch))
            }
        }
        return claims
    }
}
