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
    /// Who says in its record that it has them.
    package var claims: [IPAddress: [Claim]]
    /// Claims that nobody answers for, by living witnesses.
    package var disputes: [IPAddress: [Dispute]]
    /// Whether claims are memory that all nodes have.
    package var isMemoryCommon: Bool
    /// Whether everything could be read, so that what is missing is gone.
    package var isComplete: Bool

    /// Translates a state as the speaker of `node` sees it, from nothing.
    ///
    /// - Parameter live: what other speakers say through the gossip, by node; `nil` without gossip.
    ///   Who lives and who claims what is laid over by the thread that elects.
    package init(
        _ state: ClusterState, node: String, scope: ServiceScope,
        live: [String: LiveMember]? = nil
    ) {
        var memory = ElectionMemory(scope: scope)
        self.init(state, node: node, live: live, memory: &memory)
    }

    /// Translates a state, and takes what is as it was in the last one from the memory of it.
    ///
    /// - Parameter unserving: for which addresses `node` has no endpoint, by its own health checks.
    init(
        _ state: ClusterState, node: String, live: [String: LiveMember]?,
        unserving: Set<IPAddress> = [], memory: inout ElectionMemory
    ) {
        nodes = Self.nodes(state, own: node, live: live)
        offers = Self.offers(state)
        memory.demands.update(state.snapshot, onlyNode: Self.onlyNode(among: nodes.keys))
        var unservingNodes: [IPAddress: Set<String>] = [:]
        for address in unserving { unservingNodes[address] = [node] }
        for (name, member) in live ?? [:] where name != node {
            for address in member.unserving { unservingNodes[address, default: []].insert(name) }
        }
        memory.demands.update(unserving: unservingNodes)
        demands = memory.demands.demands
        isMemoryCommon = Self.isMemoryCommon(state, own: node)
        claims = isMemoryCommon ? memory.claims(of: state.speakers) : [:]
        disputes = Self.disputes(live ?? [:])
        isComplete = state.isComplete
    }

    /// Whether claims are memory that all nodes have. Where no other speaker's record can be read
    /// the others cannot read ours either, and a node that went by what only it remembers would
    /// answer beside the one that the others elect. A node alone remembers for all.
    static func isMemoryCommon(_ state: ClusterState, own: String) -> Bool {
        state.speakers.keys.contains { $0 != own }
            || nodeNames(state, own: own, live: nil).count <= 1
    }

    /// Elects.
    package func elect() -> Ownership {
        Ownership.elect(
            nodes: nodes, offers: offers, demands: demands, claims: claims, disputes: disputes)
    }

    /// What the tenure of `node` works from; its own claims it knows itself.
    package func facts(for node: String) -> Tenure.Facts {
        Tenure.Facts(
            nodes: nodes, offers: offers, demands: demands,
            claims: claims.mapValues { $0.filter { $0.node != node } }.filter { !$0.value.isEmpty },
            disputes: disputes, isMemoryCommon: isMemoryCommon, isComplete: isComplete,
            isIsolated: false)
    }

    /// The only one of the nodes, where there is only one.
    static func onlyNode(among names: some Collection<String>) -> String? {
        names.count == 1 ? names.first : nil
    }

    /// Node objects; where there are none, this node and those whose speakers are known.
    static func nodeNames(
        _ state: ClusterState, own: String, live: [String: LiveMember]? = nil
    ) -> Set<String> {
        guard state.snapshot.nodes.isEmpty else { return Set(state.snapshot.nodes.keys) }
        return Set(state.speakers.keys).union(live.map { Set($0.keys) } ?? []).union([own])
    }

    static func nodes(
        _ state: ClusterState, own: String, live: [String: LiveMember]?
    ) -> [String: NodeFacts] {
        var facts: [String: NodeFacts] = [:]
        for name in nodeNames(state, own: own, live: live) { facts[name] = NodeFacts() }
        for (name, node) in state.snapshot.nodes {
            facts[name] = NodeFacts(
                isReady: node.ready ?? true,
                isNetworkUnavailable: node.networkUnavailable ?? false,
                isCordoned: node.isUnschedulable,
                isDraining: node.isAskedToDrain,
                isExcludedByLabel: node.metadata.labels[Node.excludeLabel] != nil,
                isOutOfService: node.taints.contains(Node.outOfServiceTaint))
        }
        for (name, record) in state.speakers {
            // Of those that gossip more is known, and better.
            let counts = name == own || live?[name] == nil
            if counts { facts[name]?.hasSpeaker = record.isServing }
            if record.knowsAllInterfaces {
                facts[name]?.interfaces = record.interfaces.map(InterfaceFacts.init)
            }
            if record.handOver != nil, counts {
                facts[name]?.isDraining = true
            }
        }
        for (name, member) in live ?? [:] where name != own {
            if !member.interfaces.isEmpty {
                facts[name]?.interfaces = member.interfaces.values.map(InterfaceFacts.init)
                    .sorted { $0.name < $1.name }
            }
            if member.isDraining { facts[name]?.isDraining = true }
        }
        return facts
    }

    private static func disputes(_ live: [String: LiveMember]) -> [IPAddress: [Dispute]] {
        var disputes: [IPAddress: [Dispute]] = [:]
        // In order of witnesses, so that equal states give equal lists.
        for (witness, member) in live.sorted(by: { $0.key < $1.key })
        where member.liveness == .alive {
            for (address, claim) in member.disputes {
                disputes[address, default: []].append(
                    Dispute(node: claim.node, epoch: claim.epoch, witness: witness))
            }
        }
        return disputes
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
                weights: weights, preemption: Preemption(advertisement.preemption),
                reannounceInterval: .seconds(advertisement.reannounceIntervalSeconds))
        }
    }

    /// The names that selectors choose.
    static func selection(
        _ selectors: [LabelSelector], among nodes: [String: Node]
    ) -> Selection {
        guard !selectors.isEmpty else { return .all }
        return .only(
            Set(
                nodes.filter { entry in
                    selectors.contains { $0.matches(entry.value.metadata.labels) }
                }.keys))
    }
}

/// What an election input is translated from, as it was the last time, so that what did not change
/// is not translated again.
struct ElectionMemory: Sendable {
    /// The addresses in use.
    var demands: ElectionDemands
    private var records: [String: [IPAddress: UInt64]] = [:]
    private var claims: [IPAddress: [Claim]] = [:]

    /// Nothing seen yet.
    init(scope: ServiceScope) { demands = ElectionDemands(scope: scope) }

    /// Who says in its record that it has which addresses.
    mutating func claims(of speakers: [String: SpeakerRecord]) -> [IPAddress: [Claim]] {
        let records = speakers.mapValues(\.claims)
        guard records != self.records else { return claims }
        claims = [:]
        // In order of nodes, so that equal states give equal lists.
        for (node, record) in records.sorted(by: { $0.key < $1.key }) {
            for (address, epoch) in record {
                claims[address, default: []].append(Claim(node: node, epoch: epoch))
            }
        }
        self.records = records
        return claims
    }
}

extension InterfaceFacts {
    init(_ interface: SpeakerRecord.Interface) {
        self.init(
            name: interface.name, isUsable: interface.isUsable, prefixes: interface.prefixes)
    }
}

extension LoadBalancing.Preemption {
    fileprivate init(_ preemption: L2Advertisement.Preemption) {
        switch preemption {
        case .never: self = .never
        case .gradual: self = .gradual
        case .always: self = .always
        }
    }
}
