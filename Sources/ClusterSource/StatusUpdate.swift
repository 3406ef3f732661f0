import FoundationEssentials
import Kubernetes

/// One thing that the leader writes.
package enum StatusUpdate: Sendable, Equatable {
    /// What a Service has been given; `nil`: nothing any more.
    case allocation(ObjectName, ServiceAllocation?)
    /// A condition of a Service, in place of the one of the same type.
    case condition(ObjectName, StatusCondition)
    /// A Service has no condition of this type any more.
    case conditionEnded(ObjectName, type: String)
    /// The figures of a pool; `nil`: the pool is gone.
    case pool(String, PoolFigures?)
    /// Something that happened to a Service, in words.
    case event(ClusterEvent)
}

/// A condition in the sense of `metav1.Condition`.
package struct StatusCondition: Hashable, Sendable, Codable {
    /// What the condition is about, in one word (`AddressAssigned`).
    package var type: String
    /// Whether it holds.
    package var status: Bool
    /// Why, in one word (`PoolExhausted`).
    package var reason: String
    /// Why, in a sentence with the way out.
    package var message: String
    /// When `status` last changed; the source fills it in, to the second.
    package var since: Date?

    /// Makes a condition.
    package init(type: String, status: Bool, reason: String, message: String) {
        self.type = type
        self.status = status
        self.reason = reason
        self.message = message
    }
}

/// How full a pool is (`IPAddressPool.status`).
package struct PoolFigures: Hashable, Sendable, Codable {
    /// IPv4 addresses in use.
    package var assignedIPv4: Int64
    /// IPv6 addresses in use.
    package var assignedIPv6: Int64
    /// IPv4 addresses left.
    package var availableIPv4: Int64
    /// IPv6 addresses left, saturating.
    package var availableIPv6: Int64

    /// Makes figures; whatever is left out is 0.
    package init(
        assignedIPv4: Int64 = 0, assignedIPv6: Int64 = 0, availableIPv4: Int64 = 0,
        availableIPv6: Int64 = 0
    ) {
        self.assignedIPv4 = assignedIPv4
        self.assignedIPv6 = assignedIPv6
        self.availableIPv4 = availableIPv4
        self.availableIPv6 = availableIPv6
    }
}

/// Something that happened to a Service, told once (`core/v1 Event`).
package struct ClusterEvent: Hashable, Sendable {
    /// Whether somebody should look at it.
    package enum Severity: String, Hashable, Sendable, Codable {
        /// All is well.
        case normal = "Normal"
        /// Somebody should look.
        case warning = "Warning"
    }

    /// The Service.
    package var service: ObjectName
    /// Whether somebody should look at it.
    package var severity: Severity
    /// What happened, in one word (`IPAllocated`).
    package var reason: String
    /// What happened, in a sentence.
    package var message: String
    /// When; the source fills it in, to the second.
    package var at: Date?

    /// Makes an event.
    package init(service: ObjectName, severity: Severity, reason: String, message: String) {
        self.service = service
        self.severity = severity
        self.reason = reason
        self.message = message
    }
}

/// What the leader wrote beside the allocations.
package struct ClusterStatus: Hashable, Sendable {
    /// The most events that are kept; the oldest go first.
    package static let eventLimit = 256

    /// Conditions by Service, ordered by type.
    package var conditions: [ObjectName: [StatusCondition]] = [:]
    /// Figures by pool.
    package var pools: [String: PoolFigures] = [:]
    /// Events, oldest first.
    package var events: [ClusterEvent] = []

    /// Nothing written.
    package init() {}
}
