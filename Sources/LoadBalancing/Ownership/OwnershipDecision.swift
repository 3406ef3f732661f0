public import NetworkTypes

/// Why the owner of an address owns it.
public enum OwnershipCause: Hashable, Sendable {
    /// No node can own the address; there is no owner.
    case noCandidate
    /// It had the address before and still may; there is no cause to move it.
    case holdsClaim
    /// No other node can.
    case onlyCandidate
    /// It is to give the address up, cordoned or draining, and nobody else can own it.
    case nobodyElse
    /// It is not ready, and neither is any other node that could own the address: that says more
    /// about who asked than about the nodes.
    case noneReady
    /// It gives the address up and still answers, until the node named does.
    case yieldsTo(node: String)
    /// The Services of the address ask for it.
    case askedFor
    /// It alone has the highest preference weight.
    case preferred(weight: Int)
    /// It ranks first among the nodes that compete.
    case highestRank
    /// The nodes that rank before it carry their share already.
    case nextWithRoom
    /// Every node that competes is past its share, by addresses that stay there; it is the
    /// least so.
    case leastLoaded
}

extension OwnershipCause: CustomStringConvertible {
    /// Plain words, to be read after the owner's name.
    public var description: String {
        switch self {
        case .noCandidate: "no node can own it"
        case .holdsClaim: "holds it, and there is no cause to move it"
        case .onlyCandidate: "is the only node that can own it"
        case .nobodyElse: "keeps it while it is to give it up: no other node can own it"
        case .noneReady: "has it although not ready: no node that could own it is ready"
        case .yieldsTo(let node): "still answers, until \(node) does"
        case .askedFor: "is the node that the Service asks for"
        case .preferred(let weight): "is preferred, with weight \(weight)"
        case .highestRank: "ranks first for this address"
        case .nextWithRoom: "ranks first of those whose share is not used up"
        case .leastLoaded: "is the least loaded where all are past their share"
        }
    }
}

/// Who owns an address, and why.
public struct OwnershipDecision: Hashable, Sendable {
    /// The address.
    public let address: IPAddress
    /// The node that answers for it; `nil` when none can.
    public let owner: String?
    /// Why that one.
    public let cause: OwnershipCause
    /// The epoch to claim it under: the one it is held under, or one above all claims known.
    public let epoch: UInt64
}

/// What the election says of one node for one address.
public struct NodeVerdict: Hashable, Sendable, CustomStringConvertible {
    /// Owner or not.
    public enum Verdict: Hashable, Sendable {
        /// The node owns the address.
        case owns(OwnershipCause)
        /// Another does, or nobody.
        case loses(LossReason)
    }

    /// The node's name.
    public let node: String
    /// Owner or not, and why.
    public let verdict: Verdict

    /// One line: the node, the reason, and the way out where there is one.
    public var description: String {
        switch verdict {
        case .owns(let cause): "\(node): owner, \(cause)"
        case .loses(let reason):
            "\(node): no, \(reason)" + (reason.remedy.map { "; \($0)" } ?? "")
        }
    }
}
