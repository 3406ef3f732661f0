import ClusterSource
import Kubernetes
import LoadBalancing
import NetworkTypes

extension RouteInput {
    /// The nodes, without what routes do not depend on.
    static func nodes(
        _ state: ClusterState, own: String, live: [String: LiveMember]?
    ) -> [String: NodeFacts] {
        var nodes = ElectionInput.nodes(state, own: own, live: live)
        for name in nodes.keys {
            nodes[name]?.interfaces = nil
            // Whoever asks is alive, whatever others make of it.
            guard name != own, let member = live?[name] else { continue }
            nodes[name]?.liveness = member.liveness
        }
        return nodes
    }

    static func offers(
        _ configuration: Configuration, among nodes: [String: Node]
    ) -> [String: RouteOffer] {
        configuration.bgpAdvertisements.compactMapValues { advertisement in
            let values = advertisement.communities.map(configuration.value(of:))
            // A route without a community that was asked for may go where it must not.
            guard values.allSatisfy({ $0 != nil }) else { return nil }
            return RouteOffer(
                nodes: ElectionInput.selection(advertisement.nodeSelectors, among: nodes),
                peers: advertisement.peers.isEmpty ? .all : .only(Set(advertisement.peers)),
                blockLengths: Dictionary(
                    uniqueKeysWithValues: IPAddress.Family.allCases.map {
                        ($0, advertisement.blockLength($0))
                    }),
                localPreference: advertisement.localPref,
                communities: Set(values.compactMap(\.self).map(RouteCommunity.init)))
        }
    }

    static func peers(
        _ configuration: Configuration, among nodes: [String: Node]
    ) -> [String: RoutePeer] {
        configuration.bgpPeers.mapValues { peer in
            RoutePeer(
                nodes: ElectionInput.selection(peer.nodeSelectors, among: nodes),
                families: peer.families)
        }
    }
}

extension RouteCommunity {
    fileprivate init(_ community: BGPCommunity) {
        switch community {
        case .standard(let high, let low): self = .standard(high, low)
        case .large(let administrator, let first, let second):
            self = .large(administrator, first, second)
        }
    }
}

/// Which advertisements match the addresses of which pool.
struct RoutePools: Sendable {
    private struct Match: Sendable {
        /// Those that match whatever the Service is.
        var ofAll: Set<String> = []
        /// Those that look at the Service.
        var choosy: [BGPAdvertisement] = []
    }

    private let locator: PoolLocator
    private let matches: [String: Match]

    init(_ configuration: Configuration) {
        locator = PoolLocator(configuration)
        matches = configuration.pools.mapValues { pool in
            var match = Match()
            for (name, advertisement) in configuration.bgpAdvertisements
            where advertisement.selects(pool) {
                if advertisement.serviceSelectors.isEmpty {
                    match.ofAll.insert(name)
                } else {
                    match.choosy.append(advertisement)
                }
            }
            return match
        }
    }

    /// The advertisements that match a Service's address; most Services of a pool share one set.
    func advertisements(for address: IPAddress, of service: Service) -> Set<String> {
        guard let pool = locator.poolName(of: address), let match = matches[pool] else {
            return []
        }
        let chosen = match.choosy.filter { advertisement in
            advertisement.serviceSelectors.contains { $0.matches(service.metadata.labels) }
        }
        return chosen.isEmpty ? match.ofAll : match.ofAll.union(chosen.map(\.metadata.name.name))
    }
}
