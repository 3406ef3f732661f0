import LoadBalancing
import NetworkTypes

/// What the tenure of this node is now, for whoever asks.
package struct TenureReport: Sendable {
    /// The machine itself, as it stands.
    package var tenure: Tenure
    /// Addresses whose owner the gossip has lost while the wire still hears it, and who answers.
    package var held: [IPAddress: String] = [:]
    /// The last wishes of operators that were refused, for addresses that are in use.
    package var refusals: [IPAddress: Refusal] = [:]
    /// Whether the wish to end has been worked off.
    var isStopping = false
    /// How many addresses came to this node, by cause, and how many left it.
    package var moveCounts: [String: UInt64] = [:]

    /// A wish of an operator for an address that was refused.
    package struct Refusal: Sendable, Equatable {
        /// The number of the wish.
        package var wish: UInt64
        /// Why.
        package var reason: LossReason
    }

    init(node: String) { tenure = Tenure(node: node) }

    /// What is announced and what not, and why; put together for each call.
    package var plan: AnnouncementPlan { tenure.plan }
    /// The last election; `nil` before the first.
    package var ownership: Ownership? { tenure.ownership }
    /// What the node claims, with the epochs.
    package var claims: [IPAddress: UInt64] { tenure.claims }
    /// Whether nothing is left that another node could take over.
    package var isHandedOver: Bool { tenure.isHandedOver }
    /// The same of a process that is to end; false as long as its thread has not taken that in.
    var hasHandedOverAll: Bool { isStopping && isHandedOver }
    /// Whether a first election has been applied.
    package var hasApplied: Bool { tenure.ownership != nil }
}

extension ArrivalCause {
    /// One word for a label.
    package var kind: String {
        switch self {
        case .firstUse: "firstUse"
        case .resumed: "resumed"
        case .tookOver: "takeover"
        case .handedOver: "handover"
        case .preempted: "preemption"
        case .balanced: "balance"
        case .movedByHand: "byHand"
        }
    }
}
