public import NetworkTypes

/// What the allocator decided for one request, with the reasons.
public enum AllocationDecision: Hashable, Sendable {
    /// The Service has what it had. `Assignment.unmet` tells of a wish that waits.
    case kept(Assignment)
    /// The Service got an address, or a second one; it lost none.
    case assigned(Assignment)
    /// The Service lost one or more of the addresses `from`; now it has those of `to`.
    case moved(from: [IPAddress], to: Assignment, causes: [MoveCause])
    /// The Service has no address. If it had one, `Refusal.lost` and `.causes` say so.
    case refused(Refusal)

    /// What the Service has now; `nil` when it was refused.
    public var assignment: Assignment? {
        switch self {
        case .kept(let assignment), .assigned(let assignment), .moved(_, let assignment, _):
            assignment
        case .refused: nil
        }
    }

    /// The addresses the Service has now, in the order of its families.
    public var addresses: [IPAddress] { assignment?.addresses.map(\.address) ?? [] }

    /// Why the Service does not have all it asked for; `nil` when it does.
    public var unmet: Refusal? {
        switch self {
        case .kept(let assignment), .assigned(let assignment), .moved(_, let assignment, _):
            assignment.unmet
        case .refused(let refusal): refusal
        }
    }
}

/// An address and the pool it is from.
public struct AssignedAddress: Hashable, Sendable {
    /// The address.
    public let address: IPAddress
    /// The name of the pool that holds it now.
    public let pool: String
}

/// The addresses of a Service, and why these.
public struct Assignment: Hashable, Sendable {
    /// One or two addresses, in the order of the Service's families. They are from one pool,
    /// unless that pool was split after they were given.
    public let addresses: [AssignedAddress]
    /// The rule that chose the pool of the first address.
    public let rule: PoolRule
    /// The pools that came first and could not serve, and why. Empty when nothing was searched.
    public let passedOver: [PassedOverPool]
    /// A wish that waits: what is asked for beyond these addresses, and why it cannot be had now.
    public let unmet: Refusal?

    /// The pool of the first address.
    public var pool: String { addresses.first?.pool ?? "" }
}

/// Why a Service does not get what it asks for.
public struct Refusal: Error, Hashable, Sendable {
    /// What stands in the way.
    public let reason: RefusalReason
    /// Every pool that was considered, with the reason why it could not serve.
    public let passedOver: [PassedOverPool]
    /// The addresses the Service had until now.
    public internal(set) var lost: [IPAddress] = []
    /// Why it lost them.
    public internal(set) var causes: [MoveCause] = []
}

/// A pool that could not serve a request.
public struct PassedOverPool: Hashable, Sendable {
    /// The pool's name.
    public let pool: String
    /// Why not.
    public let reason: PassOverReason
}
