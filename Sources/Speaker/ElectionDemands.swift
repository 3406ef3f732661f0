import Kubernetes
import LoadBalancing
import NetworkTypes

/// The addresses that Services have, each with what it takes to announce it, kept up with one
/// state of the cluster at a time: only Services that changed are looked at.
struct ElectionDemands: Sendable {
    /// By address.
    private(set) var demands: [IPAddress: AddressDemand] = [:]

    private let scope: ServiceScope
    /// Of the last state.
    private var services = ObjectTable<Service>()
    private var slices = ObjectTable<[EndpointSlice]>()
    private var pools: [String: IPAddressPool] = [:]
    private var advertisements: [String: L2Advertisement] = [:]
    private var locator = PoolLocator(Configuration())
    /// The only node, where there is only one: endpoints of an unknown node are local to it.
    private var onlyNode: String?
    /// The Services that have each address.
    private var users: [IPAddress: Set<ObjectName>] = [:]
    /// The nodes that have no endpoint by their own health checks.
    private var unserving: [IPAddress: Set<String>] = [:]

    /// No state seen yet.
    init(scope: ServiceScope) { self.scope = scope }

    /// Takes in a state, with the names of the nodes that it is about.
    mutating func update(_ snapshot: ClusterSnapshot, onlyNode: String?) {
        let configuration = snapshot.configuration
        let isAnew =
            onlyNode != self.onlyNode || configuration.pools != pools
            || configuration.l2Advertisements != advertisements
        var changed = snapshot.services.differences(from: services)
        if isAnew {
            self.onlyNode = onlyNode
            pools = configuration.pools
            advertisements = configuration.l2Advertisements
            locator = PoolLocator(configuration)
            changed.formUnion(snapshot.services.keys)
        } else {
            changed.formUnion(snapshot.endpointSlices.differences(from: slices))
        }
        var touched: Set<IPAddress> = []
        for name in changed {
            let (before, now) = (
                addresses(of: services[name]), addresses(of: snapshot.services[name])
            )
            for address in before.subtracting(now) {
                users[address]?.remove(name)
                if users[address]?.isEmpty == true { users[address] = nil }
            }
            for address in now { users[address, default: []].insert(name) }
            touched.formUnion(before)
            touched.formUnion(now)
        }
        services = snapshot.services
        slices = snapshot.endpointSlices
        renew(touched)
    }

    /// Takes in which nodes say that they have no endpoint for which addresses.
    mutating func update(unserving: [IPAddress: Set<String>]) {
        let before = self.unserving
        self.unserving = unserving
        renew(Set(unserving.keys).union(before.keys).filter { unserving[$0] != before[$0] })
    }

    /// The addresses that `node` could serve if it were not for the `dead` endpoints.
    func unserving(
        at node: String, without dead: [ObjectName: Set<IPAddress>]
    ) -> Set<IPAddress> {
        let concerned = dead.keys.reduce(into: Set<IPAddress>()) {
            $0.formUnion(addresses(of: services[$1]))
        }
        return concerned.filter { address in
            demands[address]?.backing.admits(node) == true
                && backing(for: address, without: dead)?.admits(node) == false
        }
    }

    private mutating func renew(_ touched: Set<IPAddress>) {
        for address in touched {
            let demand = demand(for: address)
            // What stays as it is remains shared with whoever was told of it.
            if demands[address] != demand { demands[address] = demand }
        }
    }

    /// Where the endpoints of all Services that share the address are, but for the dead.
    private func backing(
        for address: IPAddress, without dead: [ObjectName: Set<IPAddress>]
    ) -> AddressDemand.Backing? {
        var united: AddressDemand.Backing?
        for name in users[address] ?? [] {
            guard let service = services[name] else { continue }
            let backing = ElectionInput.backing(
                of: service, slices: slices[name] ?? [], onlyNode: onlyNode,
                without: dead[name] ?? [])
            united = united?.united(with: backing) ?? backing
        }
        return united
    }

    /// The addresses of a Service that is ours to serve.
    private func addresses(of service: Service?) -> Set<IPAddress> {
        guard let service, !service.ingress.isEmpty, scope.exclusion(of: service) == nil else {
            return []
        }
        return Set(service.ingress.map(\.address))
    }

    /// What all Services that share the address ask for it.
    private func demand(for address: IPAddress) -> AddressDemand? {
        let pool = locator.pool(of: address)
        var united: AddressDemand?
        for name in users[address] ?? [] {
            guard let service = services[name] else { continue }
            let backing = ElectionInput.backing(
                of: service, slices: slices[name] ?? [], onlyNode: onlyNode)
            let user = ServiceName(namespace: name.namespace, name: name.name)
            guard var demand = united else {
                united = AddressDemand(
                    services: [user], pool: pool?.name ?? "",
                    advertisements: advertisements(for: service, pool: pool), backing: backing,
                    detectsConflicts: pool?.conflictDetection ?? true,
                    preferredNode: service.preferredNode,
                    unservingNodes: unserving[address] ?? [])
                continue
            }
            demand.services.insert(user)
            demand.advertisements.formUnion(advertisements(for: service, pool: pool))
            demand.backing = demand.backing.united(with: backing)
            // Of several wishes for one address the first by name counts, on every node.
            demand.preferredNode = [demand.preferredNode, service.preferredNode]
                .compactMap(\.self).min()
            united = demand
        }
        return united
    }

    private func advertisements(for service: Service, pool: IPAddressPool?) -> Set<String> {
        guard let pool else { return [] }
        return Set(
            advertisements.values.filter { advertisement in
                advertisement.selects(pool)
                    && (advertisement.serviceSelectors.isEmpty
                        || advertisement.serviceSelectors.contains {
                            $0.matches(service.metadata.labels)
                        })
            }.map(\.metadata.name.name))
    }
}
