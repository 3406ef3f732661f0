import FoundationEssentials
import Kubernetes
import LoadBalancing
import NetworkTypes
import Testing

@testable import ClusterSource
@testable import Controller

/// A cluster with a controller that decides and writes, on a clock of its own. What is written is
/// merged by the very table that sources use.
struct World {
    /// Services as their objects say, with the status that these bring along.
    var services: [ObjectName: Service] = [:]
    var configuration = Configuration()
    var namespaces: [String: Namespace] = [:]
    var isComplete = true
    var table = StateTable()
    var ledger = AllocationLedger(scope: ServiceScope())
    var conditions: [ObjectName: StatusCondition] = [:]
    /// Seconds since the start.
    var seconds: Int64 = 0

    /// What was recorded when it was last compared with what is decided.
    private var compared: StatusWriter.Basis?
    private var unsettled: Set<ObjectName> = []

    private let start = Date(timeIntervalSince1970: 1_700_000_000)

    init(_ pools: IPAddressPool...) { set(pools) }

    mutating func set(_ pools: [IPAddressPool]) {
        configuration.pools = Dictionary(uniqueKeysWithValues: pools.map { ($0.name, $0) })
    }

    mutating func add(_ all: Service...) { for service in all { services[service.name] = service } }

    mutating func remove(_ name: String) { services[ObjectName(namespace: "shop", name)] = nil }

    /// Changes a Service that is there.
    mutating func edit(_ name: String, _ change: (inout Service) -> Void) {
        guard var service = services[ObjectName(namespace: "shop", name)] else { return }
        change(&service)
        services[service.name] = service
    }

    var state: ClusterState {
        var state = ClusterState()
        state.snapshot.services = ObjectTable(services)
        state.snapshot.configuration = configuration
        state.snapshot.namespaces = namespaces
        for (name, allocation) in table.allocations {
            state.snapshot.services[name]?.ingress = allocation.addresses.map {
                Service.Ingress(address: $0)
            }
        }
        state.allocations = table.allocations
        state.status = table.status
        state.isLeader = true
        state.isComplete = isComplete
        return state
    }

    /// What one look at the state comes to; nothing is written yet.
    mutating func decide() -> (updates: [StatusUpdate], events: [ClusterEvent]) {
        let now = Instant(nanoseconds: seconds * 1_000_000_000)
        let date = start.addingTimeInterval(Double(seconds))
        let changed = ledger.update(state, at: now, date: date)
        for name in changed {
            conditions[name] = ledger.outcomes[name].flatMap(StatusWriter.condition)
        }
        var writer = StatusWriter(
            state: state, ledger: ledger, conditions: conditions, now: now, date: date)
        writer.compareAllocations()
        writer.compareConditions()
        writer.comparePools()
        let basis = StatusWriter.Basis(state)
        if let edited = compared.flatMap({ basis.differences(from: $0) }) {
            // As the controller does it: only what may have changed is compared.
            var part = StatusWriter(
                state: state, ledger: ledger, conditions: conditions, now: now, date: date)
            let names = edited.union(unsettled).union(ledger.touched).union(changed)
            part.compareAllocations(of: names)
            part.compareConditions(of: names)
            part.comparePools()
            #expect(
                part.updates.count == writer.updates.count
                    && part.updates.allSatisfy(writer.updates.contains))
        }
        compared = basis
        unsettled = writer.unsettled
        writer.tell(changed)
        return (writer.updates, writer.tidings.map(\.event))
    }

    /// Decides and writes; returns the Events told.
    @discardableResult
    mutating func round() throws -> [ClusterEvent] {
        let (updates, events) = decide()
        let known = services
        let presence: (ObjectName) -> StateTable.Presence = { name in
            guard let service = known[name] else { return .absent }
            return service.ingress.isEmpty ? .plain : .withIngress
        }
        try table.apply(
            updates + events.map(StatusUpdate.event),
            at: start.addingTimeInterval(Double(seconds)), presence: presence)
        if isComplete { table.prune(presence: presence) }
        return events
    }

    /// The process ends, and another one begins with what is recorded.
    mutating func restart() {
        ledger = AllocationLedger(scope: ServiceScope())
        conditions = [:]
        compared = nil
        unsettled = []
    }

    /// The recorded addresses of a Service as text.
    func recorded(_ name: String) -> [String] {
        table.allocations[ObjectName(namespace: "shop", name)]?.addresses.map(\.description) ?? []
    }

    /// What the ledger decided.
    func outcome(_ name: String) -> AllocationLedger.Outcome? {
        ledger.outcomes[ObjectName(namespace: "shop", name)]
    }

    func condition(_ name: String) -> StatusCondition? {
        table.status.conditions[ObjectName(namespace: "shop", name)]?.first
    }
}

extension IPAddressPool {
    /// A pool of ranges given as text.
    init(_ name: String, _ ranges: String..., change: (inout IPAddressPool) -> Void = { _ in }) {
        self.init(
            metadata: ObjectMeta(name: ObjectName(namespace: "metallb-system", name)),
            addresses: ranges.compactMap { AddressRange($0) })
        change(&self)
    }
}

extension Service {
    /// A Service of type LoadBalancer in the namespace `shop`, with port 80.
    init(_ name: String, change: (inout Service) -> Void = { _ in }) {
        self.init(metadata: ObjectMeta(name: ObjectName(namespace: "shop", name)))
        kind = .loadBalancer
        ports = [Port(port: 80)]
        change(&self)
    }

    mutating func annotate(_ key: String, _ value: String) {
        metadata.annotations[key] = value
    }

    /// The status that the object brings along.
    mutating func shows(_ addresses: String...) {
        ingress = addresses.compactMap { IPAddress($0) }.map { Ingress(address: $0) }
    }
}
