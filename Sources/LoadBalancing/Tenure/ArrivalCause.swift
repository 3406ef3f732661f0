/// Why an address came to a node.
public enum ArrivalCause: Hashable, Sendable {
    /// Nobody had it before.
    case firstUse
    /// The node had it before, and nobody has had it since.
    case resumed
    /// The node that had it is gone, or does not answer.
    case tookOver(from: String, reason: LossReason)
    /// The node that had it lives and is not to own it any more.
    case handedOver(by: String, reason: LossReason)
    /// Preference, where the advertisement says `preemption: Always`.
    case preempted(from: String)
    /// Preference or an even spread, where the advertisement says `preemption: Gradual`.
    case balanced(from: String)
    /// An operator asked for it.
    case movedByHand(from: String?)
}

extension ArrivalCause: CustomStringConvertible {
    /// Plain words, to be read after the name of the node that has the address now.
    public var description: String {
        switch self {
        case .firstUse: "uses it first"
        case .resumed: "had it before, and nobody has had it since"
        case .tookOver(let node, let reason): "took over from \(node), which \(reason)"
        case .handedOver(let node, let reason): "was handed it by \(node), which \(reason)"
        case .preempted(let node): "takes it back from \(node) (preemption: Always)"
        case .balanced(let node): "takes it from \(node) for balance (preemption: Gradual)"
        case .movedByHand(let node):
            "was given it by hand" + (node.map { "; \($0) had it" } ?? "")
        }
    }
}
