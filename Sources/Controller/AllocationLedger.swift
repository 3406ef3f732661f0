import ClusterSource
import FoundationEssentials
import Kubernetes
import LoadBalancing
import NetworkTypes

/// What was decided for every Service, brought up to date with one state of the cluster at a time.
///
/// This is the controller's mind without its hands: it calls the allocator and remembers outcomes;
/// ``ServiceController`` writes them. `martlet explain` runs the same code over a folder.
///
/// An update costs a decision for each Service that differs from the state before. It keeps a rule
/// through restarts: what is recorded as given stays given. Services that have something are read
/// before anything is given out, also those that cannot be read now (they are expected back), and
/// those whose pool cannot be read now keep what they have until it can.
package struct AllocationLedger: Sendable {
    /// What became of a Service.
    package enum Outcome: Sendable, Hashable {
        /// The allocator decided.
        case decided(AllocationDecision)
        /// What it asks for makes no sense; it keeps what it has, so that a typing error takes
        /// no address away.
        case invalid(AddressWish.Fault, keeps: [IPAddress])
        /// The pool of its addresses is missing from a state that is not complete; it keeps them
        /// until the pool can be read, or is known to be gone.
        case undecided(keeps: [IPAddress])
        /// It is not ours to serve.
        case excluded(ServiceScope.Exclusion)

        /// The addresses that the Service has.
        package var addresses: [IPAddress] {
            switch self {
            case .decided(let decision): decision.addresses
            case .invalid(_, let keeps), .undecided(let keeps): keeps
            case .excluded: []
            }
        }
    }

    private let scope: ServiceScope
    package private(set) var allocator = AddressAllocator()
    package private(set) var outcomes: [ObjectName: Outcome] = [:]
    /// The Services that the last update looked at.
    package private(set) var touched: Set<ObjectName> = []
    /// The Services as they were decided on, those included that are gone from a state that is not
    /// complete.
    private var services = ObjectTable<Service>()
    /// Those of the last state.
    private var seen = ObjectTable<Service>()
    /// Those that are gone from it, and not yet dealt with as deleted.
    private var missing: Set<ObjectName> = []
    private var pools: [String: IPAddressPool] = [:]
    private var namespaces: [String: Namespace] = [:]
    /// What was recorded, when the ledger began, for Services that were not there.
    private var absent: [ObjectName: ServiceAllocation] = [:]
    private var hasBegun = false
    private var wasComplete = true
    /// The outcomes before the present update, of the Services that it touched.
    private var before: [ObjectName: Outcome?] = [:]

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
        before = [:]

        allocator.expireReservations(at: now)
        let rulesChanged = adoptRules(of: state)
        if !hasBegun {
            absent = state.allocations.filter {
                snapshot.services[$0.key] == nil && !$0.value.addresses.isEmpty
            }
            hasBegun = true
        }
        let changed = look(at: snapshot.services, isAnew: rulesChanged)
        let ours = changed.filter { scope.exclusion(of: $0) == nil }

        allocator.adopt(newlyHeld(ours, input))
        if rulesChanged { keepBackForAbsent(state, at: now, date: date) }
        if state.isComplete { releaseDeleted(at: now) }
        // Those that give something back go first, so that it can be given on at once.
        for service in changed {
            if let exclusion = scope.exclusion(of: service) { exclude(service, exclusion, at: now) }
        }
        for service in ours { decide(service, input, state, at: now) }
        if state.isComplete { settleAbsent(snapshot, at: now) }
        while let waiting = allocator.nextRetry() {
            let name = ObjectName(namespace: waiting.namespace, waiting.name)
            guard let service = services[name] else { continue }
            decide(service, input, state, at: now)
        }
        return before.filter { outcomes[$0.key] != $0.value }.keys.sorted()
    }

    /// Takes over pools and whatever else every decision depends on; true when it is different.
    private mutating func adoptRules(of state: ClusterState) -> Bool {
        let snapshot = state.snapshot
        let poolsChanged = !hasBegun || snapshot.configuration.pools != pools
        defer {
            namespaces = snapshot.namespaces
            wasComplete = state.isComplete
        }
        if poolsChanged {
            allocator.replacePools(AllocationInput.pools(snapshot.configuration))
            pools = snapshot.configuration.pools
        }
        return poolsChanged || snapshot.namespaces != namespaces
            || state.isComplete != wasComplete
    }

    // MARK: What is recorded

    /// What the status says of Services that the allocator does not know: after a start all of
    /// them, later those that come with a status, or whose pool comes back.
    private func newlyHeld(_ services: [Service], _ input: AllocationInput) -> [AllocationRequest] {
        services.compactMap { service in
            guard !service.ingress.isEmpty,
                allocator.addresses(of: ServiceName(service.name)).isEmpty
            else { return nil }
            // A Service whose wish is invalid has what it has on the same terms as any other.
            return (try? input.request(for: service)) ?? input.claim(of: service)
        }
    }

    /// Keeps addresses back for Services that are not there: until the time that the writer before
    /// us wrote down; while the state is not complete, for good; and for those that were deleted
    /// while nobody looked, as long as their pool says.
    private mutating func keepBackForAbsent(
        _ state: ClusterState, at now: Instant, date: Date
    ) {
        for (name, allocation) in absent where state.snapshot.services[name] == nil {
            var addresses = allocation.addresses
            var until = Instant(nanoseconds: .max)
            if let end = allocation.reservedUntil {
                until = now + .seconds(end.timeIntervalSince(date))
            } else if state.isComplete {
                addresses = addresses.filter { retention(of: $0) > .zero }
                until = now + (addresses.map { retention(of: $0) }.max() ?? .zero)
            }
            allocator.reserve(until > now ? addresses : [], for: ServiceName(name), until: until)
        }
    }

    private func retention(of address: IPAddress) -> Duration {
        let pool = allocator.pool(of: address).flatMap { pools[$0] }
        return .seconds(pool?.retentionSeconds ?? 0)
    }

    /// In a complete state everything is known: who has come back holds its addresses again, or
    /// does without; the rest has been dealt with as deleted.
    private mutating func settleAbsent(_ snapshot: ClusterSnapshot, at now: Instant) {
        for name in absent.keys where snapshot.services[name] != nil {
            allocator.reserve([], for: ServiceName(name), until: now)
        }
        absent = [:]
    }

    private mutating func releaseDeleted(at now: Instant) {
        for name in missing.sorted() {
            remember(name)
            allocator.release(ServiceName(name), cause: .deleted, at: now)
            services[name] = nil
            outcomes[name] = nil
        }
        missing = []
    }

    // MARK: Decisions

    /// The Services to decide on, by name: those that ask for something else than before, or all.
    private mutating func look(
        at present: ObjectTable<Service>, isAnew: Bool
    ) -> [Service] {
        touched = present.differences(from: seen)
        seen = present
        for name in touched {
            if present.contains(name) { missing.remove(name) } else { missing.insert(name) }
        }
        if isAnew { touched.formUnion(present.keys) }
        var changed: [Service] = []
        for name in touched {
            guard let service = present[name], isAnew || !asksTheSame(name, service) else {
                continue
            }
            changed.append(service)
        }
        return changed.sorted { $0.name < $1.name }
    }

    private mutating func exclude(
        _ service: Service, _ exclusion: ServiceScope.Exclusion, at now: Instant
    ) {
        remember(service.name)
        services[service.name] = service
        allocator.release(
            ServiceName(service.name), cause: exclusion == .beingDeleted ? .deleted : .notWanted,
            at: now)
        outcomes[service.name] = .excluded(exclusion)
    }

    private mutating func decide(
        _ service: Service, _ input: AllocationInput, _ state: ClusterState, at now: Instant
    ) {
        remember(service.name)
        services[service.name] = service
        if let kept = awaitingPool(service, state) {
            outcomes[service.name] = .undecided(keeps: kept)
            return
        }
        do throws(AddressWish.Fault) {
            let request = try input.request(for: service)
            outcomes[service.name] = .decided(allocator.allocate(request, at: now))
        } catch {
            let keeps = allocator.addresses(of: ServiceName(service.name))
            outcomes[service.name] = .invalid(error, keeps: keeps)
        }
    }

    /// The recorded addresses of a Service whose pool is missing and may exist all the same.
    private func awaitingPool(_ service: Service, _ state: ClusterState) -> [IPAddress]? {
        guard !state.isComplete, let record = state.allocations[service.name],
            pools[record.pool] == nil,
            record.addresses.contains(where: { allocator.pool(of: $0) == nil })
        else { return nil }
        return record.addresses
    }

    private mutating func remember(_ name: ObjectName) {
        if before[name] == nil { before[name] = .some(outcomes[name]) }
    }

    /// Whether a version of a Service means the same to the allocator as the one known; endpoints
    /// and status are none of its business. Then it is the known one from here on, so that the next
    /// look at it needs no copy.
    private mutating func asksTheSame(_ name: ObjectName, _ service: Service) -> Bool {
        guard var known = services[name] else { return false }
        if known == service { return true }
        guard known.ingress != service.ingress else { return false }
        known.ingress = service.ingress
        guard known == service else { return false }
        services[name] = service
        return true
    }
}
