import ClusterSource
import Kubernetes
import LoadBalancing
import NetworkTypes

/// Translates states of the cluster for the plan of routes, one after the other: selectors become
/// names, objects become facts, and only what is different from the state before is passed on.
///
/// Equal states give equal facts on every node. What it takes to see that most Services are as
/// they were is little, because values that were not touched share their storage.
package struct RouteInput: Sendable {
    /// The node whose routes are planned.
    package let node: String
    /// The Services to serve.
    package let scope: ServiceScope

    private var nodes: [String: NodeFacts] = [:]
    private var configuration = Configuration()
    private var clusterNodes: [String: Node] = [:]
    private var offers: [String: RouteOffer] = [:]
    private var peers: [String: RoutePeer] = [:]
    /// Of the last state.
    private var services = ObjectTable<Service>()
    private var slices = ObjectTable<[EndpointSlice]>()
    private var pools = RoutePools(Configuration())
    /// What each Service asks for.
    private var wishes: [ObjectName: [IPAddress: RouteDemand]] = [:]
    /// The Services that have each address.
    private var users: [IPAddress: Set<ObjectName>] = [:]

    /// An input that has seen no state yet.
    package init(node: String, scope: ServiceScope) {
        self.node = node
        self.scope = scope
    }

    /// Takes in a state. Returns what it changes for the plan.
    ///
    /// - Parameters:
    ///   - state: with this node's own record as it is now.
    ///   - live: what other speakers say through the gossip, by node; `nil` without gossip.
    package mutating func update(
        _ state: ClusterState, live: [String: LiveMember]? = nil
    ) -> RouteFacts.Change {
        var change = RouteFacts.Change()
        let nodes = Self.nodes(state, own: node, live: live)
        // Where there is one node, endpoints of an unknown one are taken for local to it.
        var isAnew = Self.only(nodes) != Self.only(self.nodes)
        if nodes != self.nodes { change.nodes = nodes }
        self.nodes = nodes

        let configuration = state.snapshot.configuration
        if configuration != self.configuration || state.snapshot.nodes != clusterNodes {
            let offers = Self.offers(configuration, among: state.snapshot.nodes)
            if offers != self.offers { change.offers = offers }
            self.offers = offers
            let peers = Self.peers(configuration, among: state.snapshot.nodes)
            if peers != self.peers { change.peers = peers }
            self.peers = peers
            isAnew =
                isAnew || configuration.pools != self.configuration.pools
                || configuration.bgpAdvertisements != self.configuration.bgpAdvertisements
            if isAnew { pools = RoutePools(configuration) }
            self.configuration = configuration
            clusterNodes = state.snapshot.nodes
        }

        let changed =
            isAnew
            ? Set(services.keys).union(state.snapshot.services.keys)
            : differences(from: state.snapshot)
        services = state.snapshot.services
        slices = state.snapshot.endpointSlices
        change.demands = demands(of: changed)
        return change
    }

    private static func only(_ nodes: [String: NodeFacts]) -> String? {
        nodes.count == 1 ? nodes.keys.first : nil
    }

    // MARK: Services

    /// The Services that may ask for something else than before.
    private func differences(from snapshot: ClusterSnapshot) -> Set<ObjectName> {
        snapshot.services.differences(from: services)
            .union(snapshot.endpointSlices.differences(from: slices))
    }

    /// Works out anew what these Services ask for, and what that makes of their addresses.
    private mutating func demands(of changed: Set<ObjectName>) -> [IPAddress: RouteDemand?] {
        var before: [IPAddress: RouteDemand?] = [:]
        let only = Self.only(nodes)
        for name in changed {
            let old = wishes[name] ?? [:]
            let new = wishes(of: name, onlyNode: only)
            guard old != new else { continue }
            for address in old.keys where before[address] == nil {
                before[address] = .some(demand(for: address))
            }
            for address in new.keys where before[address] == nil {
                before[address] = .some(demand(for: address))
            }
            for address in old.keys where new[address] == nil { leave(address, name) }
            for address in new.keys { users[address, default: []].insert(name) }
            wishes[name] = new.isEmpty ? nil : new
        }
        var changes: [IPAddress: RouteDemand?] = [:]
        for (address, old) in before {
            let demand = demand(for: address)
            if demand != old { changes[address] = .some(demand) }
        }
        return changes
    }

    private mutating func leave(_ address: IPAddress, _ name: ObjectName) {
        users[address]?.remove(name)
        if users[address]?.isEmpty == true { users[address] = nil }
    }

    /// What all Services that share the address ask for it.
    private func demand(for address: IPAddress) -> RouteDemand? {
        var united: RouteDemand?
        for name in users[address] ?? [] {
            guard let wish = wishes[name]?[address] else { continue }
            guard var demand = united else {
                united = wish
                continue
            }
            demand.advertisements.formUnion(wish.advertisements)
            demand.backing = demand.backing.united(with: wish.backing)
            united = demand
        }
        return united
    }

    private func wishes(
        of name: ObjectName, onlyNode: String?
    ) -> [IPAddress: RouteDemand] {
        guard let service = services[name], !service.ingress.isEmpty,
            scope.exclusion(of: service) == nil
        else { return [:] }
        let backing = ElectionInput.backing(
            of: service, slices: slices[name] ?? [], onlyNode: onlyNode)
        var wishes: [IPAddress: RouteDemand] = [:]
        for ingress in service.ingress {
            wishes[ingress.address] = RouteDemand(
                advertisements: pools.advertisements(for: ingress.address, of: service),
                backing: backing)
        }
        return wishes
    }
}
