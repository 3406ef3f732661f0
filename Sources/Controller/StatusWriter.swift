import ClusterSource
import FoundationEssentials
import Kubernetes
import LoadBalancing
import NetworkTypes

/// Finds what must be written so that the status says what the ledger decided, and words it.
struct StatusWriter {
    /// A log line: what happened to a Service.
    struct Line {
        enum Kind { case assigned, moved, cleared, refused }
        let kind: Kind
        let service: ObjectName
        let metadata: [String: String]
    }

    /// What the comparison of what was decided with what is written depends on, but for the
    /// Services themselves.
    struct Basis {
        private let allocations: [ObjectName: ServiceAllocation]
        private let conditions: [ObjectName: [StatusCondition]]
        private let pools: [String: IPAddressPool]
        private let isComplete: Bool

        init(_ state: ClusterState) {
            allocations = state.allocations
            conditions = state.status.conditions
            pools = state.snapshot.configuration.pools
            isComplete = state.isComplete
        }

        /// The Services of which something else is written than it was; `nil` when the rules are
        /// others.
        func differences(from last: Basis) -> Set<ObjectName>? {
            guard isComplete == last.isComplete, pools == last.pools else { return nil }
            return allocations.differences(from: last.allocations)
                .union(conditions.differences(from: last.conditions))
        }
    }

    private let state: ClusterState
    private let ledger: AllocationLedger
    private let now: Instant
    private let date: Date
    private let conditions: [ObjectName: StatusCondition]
    /// What makes the status say what was decided; none when it does already.
    private(set) var updates: [StatusUpdate] = []
    /// Those that are gone while a record of them is left.
    private var outlived: Set<ObjectName> = []
    /// What is to be told once, in order.
    private(set) var tidings: [Tiding] = []

    /// The Services that are to be compared again whatever happens: those to be updated, and those
    /// of which a record is left that ends with time.
    var unsettled: Set<ObjectName> {
        updates.reduce(into: outlived) { names, update in
            switch update {
            case .allocation(let name, _), .condition(let name, _), .conditionEnded(let name, _):
                names.insert(name)
            case .pool, .event: break
            }
        }
    }

    /// Something that happened to a Service: the Event and the log line.
    struct Tiding {
        let event: ClusterEvent
        let line: Line
    }

    /// - Parameter conditions: what ``condition(_:)`` says of every outcome of the ledger. It is
    ///   the caller's to keep, because wording all of them anew takes longer than all the rest.
    init(
        state: ClusterState, ledger: AllocationLedger,
        conditions: [ObjectName: StatusCondition], now: Instant, date: Date
    ) {
        self.state = state
        self.ledger = ledger
        self.conditions = conditions
        self.now = now
        self.date = date
    }

    /// Allocations that differ from what is recorded, among these Services, or among all.
    mutating func compareAllocations(of names: Set<ObjectName>? = nil) {
        if let names {
            for name in names {
                if let outcome = ledger.outcomes[name] { compareAllocation(of: name, outcome) }
            }
        } else {
            for (name, outcome) in ledger.outcomes { compareAllocation(of: name, outcome) }
        }
        if state.isComplete { compareReservations(of: names ?? Set(state.allocations.keys)) }
    }

    /// What is kept back for Services that are gone. Where their records went with them, they are
    /// made anew.
    private mutating func compareReservations(of names: Set<ObjectName>) {
        let services = state.snapshot.services
        let reserved = ledger.allocator.reservedAddresses
        for name in names where state.allocations[name] != nil && !services.contains(name) {
            outlived.insert(name)
            if reserved[ServiceName(name)] == nil { updates.append(.allocation(name, nil)) }
        }
        for (service, reservation) in reserved {
            let name = ObjectName(namespace: service.namespace, service.name)
            guard !services.contains(name), let first = reservation.addresses.first else {
                continue
            }
            let record = state.allocations[name]
            guard record?.reservedUntil == nil || record?.addresses != reservation.addresses else {
                continue
            }
            let left = (reservation.until - now).wholeNanoseconds
            updates.append(
                .allocation(
                    name,
                    ServiceAllocation(
                        addresses: reservation.addresses,
                        pool: record?.pool ?? ledger.allocator.pool(of: first) ?? "",
                        reservedUntil: date.addingTimeInterval(Double(left) / 1e9))))
        }
    }

    private mutating func compareAllocation(
        of name: ObjectName, _ outcome: AllocationLedger.Outcome
    ) {
        let record = state.allocations[name]
        let addresses = outcome.addresses
        if addresses.isEmpty {
            switch outcome {
            case .undecided: break
            case .excluded:
                // An empty record stays: it outweighs what the object's own status may claim. One
                // that still names a pool is a mark on a Service that lost its address otherwise.
                if record.map({ !$0.addresses.isEmpty || !$0.pool.isEmpty }) == true {
                    updates.append(.allocation(name, nil))
                }
            case .decided, .invalid:
                // A record without addresses outweighs what the object's own status may claim.
                let shows =
                    state.snapshot.services.withValue(of: name) { !$0.ingress.isEmpty } ?? false
                let isMarked = record.map { !$0.addresses.isEmpty || !$0.pool.isEmpty } ?? shows
                if isMarked {
                    updates.append(.allocation(name, ServiceAllocation(addresses: [], pool: "")))
                }
            }
            return
        }
        if case .undecided = outcome { return }
        let pool = ledger.allocator.pool(of: addresses[0]) ?? ""
        let isRecorded =
            record?.addresses == addresses && record?.pool == pool && record?.reservedUntil == nil
        if !isRecorded {
            updates.append(
                .allocation(name, ServiceAllocation(addresses: addresses, pool: pool)))
        }
    }

    /// The condition AddressAssigned of these Services, or of every one that is ours, or was.
    mutating func compareConditions(of names: Set<ObjectName>? = nil) {
        if let names {
            for name in names {
                if let condition = conditions[name] { compare(condition, of: name) }
                endCondition(of: name)
            }
        } else {
            for (name, condition) in conditions { compare(condition, of: name) }
            for name in state.status.conditions.keys { endCondition(of: name) }
        }
    }

    private mutating func compare(_ condition: StatusCondition, of name: ObjectName) {
        if !Self.says(recordedCondition(of: name), condition) {
            updates.append(.condition(name, condition))
        }
    }

    /// A Service that is not ours bears no word of us.
    private mutating func endCondition(of name: ObjectName) {
        guard case .excluded = ledger.outcomes[name], recordedCondition(of: name) != nil else {
            return
        }
        updates.append(.conditionEnded(name, type: Self.addressAssigned))
    }

    private func recordedCondition(of name: ObjectName) -> StatusCondition? {
        state.status.conditions[name]?.first { $0.type == Self.addressAssigned }
    }

    /// Whether a recorded condition says the same; since when is not ours to compare.
    private static func says(_ recorded: StatusCondition?, _ condition: StatusCondition) -> Bool {
        recorded?.status == condition.status && recorded?.reason == condition.reason
            && recorded?.message == condition.message
    }

    private static let addressAssigned = "AddressAssigned"

    /// What the status is to say of an outcome; `nil`: what it says already, or nothing of a
    /// Service that is not ours.
    static func condition(_ outcome: AllocationLedger.Outcome) -> StatusCondition? {
        switch outcome {
        case .decided(let decision): condition(decision)
        case .undecided, .excluded: nil
        case .invalid(let fault, let keeps):
            StatusCondition(
                type: addressAssigned, status: !keeps.isEmpty, reason: "InvalidRequest",
                message: fault.description)
        }
    }

    private static func condition(_ decision: AllocationDecision) -> StatusCondition {
        guard let assignment = decision.assignment else {
            return StatusCondition(
                type: addressAssigned, status: false, reason: "AllocationFailed",
                message: decision.unmet?.description ?? "")
        }
        let place = assignment.addresses.map { "\($0.address) from pool \($0.pool)" }
            .joined(separator: ", ")
        guard let unmet = assignment.unmet else {
            return StatusCondition(
                type: addressAssigned, status: true, reason: "IPAllocated", message: place)
        }
        return StatusCondition(
            type: addressAssigned, status: true, reason: "WishWaits",
            message: "\(place); waiting: \(unmet.description)")
    }

    /// The figures of every pool.
    mutating func comparePools() {
        for name in ledger.allocator.poolNames {
            guard let status = ledger.allocator.status(ofPool: name) else { continue }
            let figures = PoolFigures(
                assignedIPv4: status.assignedIPv4, assignedIPv6: status.assignedIPv6,
                availableIPv4: status.availableIPv4, availableIPv6: status.availableIPv6)
            if state.status.pools[name] != figures { updates.append(.pool(name, figures)) }
        }
        let known = Set(ledger.allocator.poolNames)
        for name in state.status.pools.keys where !known.contains(name) {
            updates.append(.pool(name, nil))
        }
    }

    /// Events and log lines for the Services whose outcome changed. What a Service simply keeps,
    /// or still lacks for the reason that its condition gives, as after a restart, is no event.
    mutating func tell(_ changed: [ObjectName]) {
        for name in changed {
            let had = state.allocations[name]?.addresses ?? []
            switch ledger.outcomes[name] {
            case .undecided: continue
            case nil, .excluded:
                guard !had.isEmpty else { continue }
                let text = had.map(\.description).joined(separator: ", ")
                say(
                    name, .cleared, "ClearAssignment", .normal, "\(text) is given back",
                    ["address": text, "cause": Self.clearingCause(ledger.outcomes[name])])
            case .invalid(let fault, _):
                guard !isKnown(name) else { continue }
                say(
                    name, .refused, "AllocationFailed", .warning, fault.description,
                    ["reason": fault.description])
            case .decided(let decision):
                tell(name, decision)
            }
        }
    }

    /// Whether the status gives the reason already.
    private func isKnown(_ name: ObjectName) -> Bool {
        conditions[name].map { Self.says(recordedCondition(of: name), $0) } ?? false
    }

    private static func clearingCause(_ outcome: AllocationLedger.Outcome?) -> String {
        if case .excluded(let exclusion) = outcome {
            "the Service \(exclusion)"
        } else {
            "the Service was deleted"
        }
    }

    private mutating func tell(_ name: ObjectName, _ decision: AllocationDecision) {
        let addresses = decision.addresses.map(\.description).joined(separator: ", ")
        switch decision {
        case .kept:
            break
        case .assigned(let assignment):
            say(
                name, .assigned, "IPAllocated", .normal,
                "assigned \(addresses) from pool \(assignment.pool) (\(assignment.rule))",
                [
                    "address": addresses, "pool": assignment.pool,
                    "rule": assignment.rule.description,
                ])
        case .moved(let from, let assignment, let causes):
            let old = from.map(\.description).joined(separator: ", ")
            let cause = causes.map(\.description).joined(separator: "; ")
            say(
                name, .moved, "AddressMoved", .warning,
                "moved from \(old) to \(addresses): \(cause)",
                ["from": old, "address": addresses, "pool": assignment.pool, "cause": cause])
        case .refused(let refusal) where !refusal.lost.isEmpty:
            let old = refusal.lost.map(\.description).joined(separator: ", ")
            let cause = refusal.causes.map(\.description).joined(separator: "; ")
            say(
                name, .refused, "AddressLost", .warning,
                "lost \(old): \(cause); no other: \(refusal.description)",
                ["lost": old, "cause": cause, "reason": refusal.description])
        case .refused(let refusal):
            guard !isKnown(name) else { return }
            say(
                name, .refused, "AllocationFailed", .warning, refusal.description,
                ["reason": refusal.description])
        }
        if let unmet = decision.assignment?.unmet, !unmet.isMissingFamily, !isKnown(name) {
            say(
                name, .refused, "AllocationFailed", .warning,
                "keeps \(addresses); waiting: \(unmet.description)",
                ["keeps": addresses, "reason": unmet.description])
        }
    }

    private mutating func say(
        _ name: ObjectName, _ kind: Line.Kind, _ reason: String, _ severity: ClusterEvent.Severity,
        _ message: String, _ metadata: [String: String]
    ) {
        tidings.append(
            Tiding(
                event: ClusterEvent(
                    service: name, severity: severity, reason: reason, message: message),
                line: Line(kind: kind, service: name, metadata: metadata)))
    }
}

extension Refusal {
    /// The second family of a Service that prefers two: a wish, no failure.
    fileprivate var isMissingFamily: Bool {
        if case .familyMissing = reason { true } else { false }
    }
}
