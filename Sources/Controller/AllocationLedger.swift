import ClusterSource
import FoundationEssentials
import Kubernetes
import LoadBalancing
import NetworkTypes

/// What was decided for every Service, brought up to date with one state of the cluster at a time.
///
/// This is the controller's mind without its hands: it calls the allocator and remembers outcomes;
/// ``ServiceController`` writes them. `martlet explain` runs the same code over a folder.
package struct AllocationLedger: Sendable {
    /// What became of a Service.
    package enum Outcome: Sendable, Hashable {
        /// The allocator decided.
        case decided(AllocationDecision)
        /// What it asks for makes no sense; it keeps what it has, so that a typing error takes
        /// no address away.
        case invalid(AddressWish.Fault, keeps: [IPAddress])
        /// It is not ours to serve.
        case excluded(ServiceScope.Exclusion)

        /// The addresses that the Service has.
        package var addresses: [IPAddress] {
            switch self {
            case .decided(let decision): decision.addresses
            case .invalid(_, let keeps): keeps
            case .excluded: []
            }
        }
    }

    private let scope: ServiceScope
    package private(set) var allocator = AddressAllocator()
    package private(set) var outcomes: [ObjectName: Outcome] = [:]
    private var services: [ObjectName: Service] = [:]
    private var pools: [String: IPAddressPool] = [:]
    private var namespaces: [String: Namespace] = [:]
    private var hasAdopted = false

    package init(scope: ServiceScope) {
        self.scope = scope
    }

    /// Decides anew for everything that is different from the last state, and returns the Services
    /// whose outcome changed, by name.
    ///
    /// In a state that is not complete nothing counts as deleted. `date` is the wall clock's word
    /// for `now`: reservations that another process wrote down end by it.
    package mutating func update(
        _ state: ClusterState, at now: Instant, date: Date
    ) -> [ObjectName] {
        let snapshot = state.snapshot
        let input = AllocationInput(snapshot)
        let before = outcomes
        var touched: Set<ObjectName> = []

        allocator.expireReservations(at: now)
        let rulesChanged =
            !hasAdopted || snapshot.configuration.pools != pools
            || snapshot.namespaces != namespaces
        if !hasAdopted || snapshot.configuration.pools != pools {
            allocator.replacePools(AllocationInput.pools(snapshot.configuration))
            pools = snapshot.configuration.pools
        }
        namespaces = snapshot.namespaces
        if !hasAdopted {
            allocator.adopt(held(state, input))
            readReservations(state, at: now, date: date)
            hasAdopted = true
        }

        for name in services.keys where snapshot.services[name] == nil {
            guard state.isComplete else { continue }
            allocator.release(ServiceName(name), cause: .deleted, at: now)
            services[name] = nil
            outcomes[name] = nil
            touched.insert(name)
        }
        let changed = snapshot.services.values.filter {
            rulesChanged || !Self.asksTheSame(services[$0.name], $0)
        }.sorted { $0.name < $1.name }
        // Those that give something back go first, so that it can be given on at once.
        for service in changed where scope.exclusion(of: service) != nil {
            decide(service, input, at: now)
        }
        for service in changed where scope.exclusion(of: service) == nil {
            decide(service, input, at: now)
        }
        for service in changed { touched.insert(service.name) }
        while let waiting = allocator.nextRetry() {
            let name = ObjectName(namespace: waiting.namespace, waiting.name)
            guard let service = services[name] else { continue }
            decide(service, input, at: now)
            touched.insert(name)
        }
        return touched.filter { outcomes[$0] != before[$0] }.sorted()
    }

    /// Keeps addresses back for Services that are gone, as the writer before us did.
    private mutating func readReservations(
        _ state: ClusterState, at now: Instant, date: Date
    ) {
        for (name, allocation) in state.allocations where state.snapshot.services[name] == nil {
            guard let until = allocation.reservedUntil, until > date else { continue }
            allocator.reserve(
                allocation.addresses, for: ServiceName(name),
                until: now + .seconds(until.timeIntervalSince(date)))
        }
    }

    /// What the status says the Services have, read before anything is given out.
    private func held(_ state: ClusterState, _ input: AllocationInput) -> [AllocationRequest] {
        state.snapshot.services.values.compactMap { service in
            guard scope.exclusion(of: service) == nil, !service.ingress.isEmpty else { return nil }
            // A Service whose wish is invalid keeps what it has: its addresses must not be given
            // to others.
            guard let request = try? input.request(for: service) else {
                return AllocationRequest(
                    service: ServiceName(service.name),
                    families: FamilyWish(service.ingress.map(\.address.family), policy: .prefer),
                    held: service.ingress.map(\.address))
            }
            return request
        }
    }

    private mutating func decide(
        _ service: Service, _ input: AllocationInput, at now: Instant
    ) {
        services[service.name] = service
        let name = ServiceName(service.name)
        if let exclusion = scope.exclusion(of: service) {
            allocator.release(
                name, cause: exclusion == .beingDeleted ? .deleted : .notWanted, at: now)
            outcomes[service.name] = .excluded(exclusion)
            return
        }
        do throws(AddressWish.Fault) {
            let request = try input.request(for: service)
            outcomes[service.name] = .decided(allocator.allocate(request, at: now))
        } catch {
            outcomes[service.name] = .invalid(error, keeps: allocator.addresses(of: name))
        }
    }

    /// Whether two versions of a Service mean the same to the allocator; endpoints and status are
    /// none of its business.
    private static func asksTheSame(_ old: Service?, _ new: Service) -> Bool {
        guard var old else { return false }
        old.ingress = new.ingress
        return old == new
    }
}
