import FoundationEssentials
import Kubernetes
import NetworkTypes

/// Everything that the leader writes, and how an update changes it.
struct StateTable: Equatable, Sendable {
    /// The most Services that hold something; more are refused.
    static let allocationLimit = 262_144
    /// The most conditions of one Service; more are refused.
    static let conditionLimit = 16
    /// The most pools with figures; more are refused.
    static let poolLimit = 4096

    /// Counts the writes of the allocations; the higher one is the younger.
    var generation: UInt64 = 0
    var allocations: [ObjectName: ServiceAllocation] = [:]
    var status = ClusterStatus()

    /// What the source's objects say about a Service.
    enum Presence: Sendable {
        /// There is no such Service.
        case absent
        /// It is there, and brought no ingress along.
        case plain
        /// It is there, with an ingress in its own status.
        case withIngress
    }

    /// Applies updates in order. The table is unchanged when an error is thrown.
    mutating func apply(
        _ updates: [StatusUpdate], at now: Date, presence: (ObjectName) -> Presence
    ) throws(SourceError) {
        var next = self
        // To the second: what is kept must be equal to what is read back.
        let now = Date(timeIntervalSince1970: now.timeIntervalSince1970.rounded(.down))
        for update in updates {
            switch update {
            case .allocation(let name, let allocation):
                next.set(allocation, of: name, at: now, presence: presence(name))
            case .condition(let name, let condition):
                guard presence(name) != .absent else { continue }
                try next.set(condition, of: name, at: now)
            case .conditionEnded(let name, let type):
                let left = (next.status.conditions[name] ?? []).filter { $0.type != type }
                next.status.conditions[name] = left.isEmpty ? nil : left
            case .pool(let name, let figures):
                next.status.pools[name] = figures
            case .event(var event):
                event.at = now
                next.status.events.append(event)
            }
        }
        guard next.allocations.count <= Self.allocationLimit else {
            throw .tooMany(what: "Services with an address", limit: Self.allocationLimit)
        }
        guard next.status.pools.count <= Self.poolLimit else {
            throw .tooMany(what: "pools", limit: Self.poolLimit)
        }
        let surplus = next.status.events.count - ClusterStatus.eventLimit
        if surplus > 0 { next.status.events.removeFirst(surplus) }
        self = next
    }

    private mutating func set(
        _ allocation: ServiceAllocation?, of name: ObjectName, at now: Date, presence: Presence
    ) {
        guard var allocation else {
            // An ingress in the manifest must not come back to life: the record says "none".
            let none = ServiceAllocation(addresses: [], pool: "")
            let record: ServiceAllocation? = presence == .withIngress ? none : nil
            if record == nil || allocations[name]?.addresses != [] { allocations[name] = record }
            if presence == .absent { status.conditions[name] = nil }
            return
        }
        let before = allocations[name]
        allocation.since = before?.addresses == allocation.addresses ? before?.since : now
        allocation.reservedUntil = allocation.reservedUntil.map {
            Date(timeIntervalSince1970: $0.timeIntervalSince1970.rounded(.down))
        }
        allocations[name] = allocation
    }

    private mutating func set(
        _ condition: StatusCondition, of name: ObjectName, at now: Date
    ) throws(SourceError) {
        var condition = condition
        var all = status.conditions[name] ?? []
        let before = all.first { $0.type == condition.type }
        condition.since = before?.status == condition.status ? before?.since : now
        all.removeAll { $0.type == condition.type }
        all.append(condition)
        guard all.count <= Self.conditionLimit else {
            throw .tooMany(what: "conditions of \(name)", limit: Self.conditionLimit)
        }
        status.conditions[name] = all.sorted { $0.type < $1.type }
    }

    /// Drops what is left of Services that are gone and hold nothing.
    mutating func prune(presence: (ObjectName) -> Presence) {
        // Where nothing is dropped the tables are left alone: as copies of what they were, they are
        // equal at a glance.
        let empty = allocations.filter { $0.value.addresses.isEmpty }.keys
        for name in empty where presence(name) == .absent { allocations[name] = nil }
        let orphans = status.conditions.keys.filter { presence($0) == .absent }
        for name in orphans { status.conditions[name] = nil }
    }
}
