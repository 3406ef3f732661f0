public import NetworkTypes

/// All there is to say about an address: who uses it, where it came from, who answers for it, and
/// what became of every other node.
public struct Explanation: Hashable, Sendable {
    /// The address.
    public var address: IPAddress
    /// The Services that use it, ascending.
    public var services: [ServiceName]
    /// The pool that it came from.
    public var pool: String
    /// Why that pool, in the allocator's words; empty when unknown.
    public var poolReason: String
    /// Who owns it and why.
    public var decision: OwnershipDecision
    /// Every node: the owner first, then those that could, then the rest.
    public var nodes: [NodeVerdict]

    /// Explains an address of the election; `nil` when nobody asked for it.
    public init?(of address: IPAddress, in ownership: Ownership, poolReason: String = "") {
        guard let demand = ownership.demands[address],
            let decision = ownership.decision(for: address)
        else { return nil }
        self.address = address
        services = demand.services.sorted()
        pool = demand.pool
        self.poolReason = poolReason
        self.decision = decision
        nodes = ownership.verdicts(for: address)
    }
}

extension Explanation: CustomStringConvertible {
    /// Lines for people: the address, its pool, its owner, then one line a node.
    public var description: String {
        let users = services.map(\.description).joined(separator: ", ")
        let origin = poolReason.isEmpty ? "" : ": \(poolReason)"
        let owner = decision.owner.map { "\($0) \(decision.cause)" } ?? "\(decision.cause)"
        let lines = [
            "\(address), used by \(users.isEmpty ? "no Service" : users)",
            "  from pool \(pool)\(origin)",
            "  owner: \(owner)",
        ]
        return (lines + nodes.map { "    \($0)" }).joined(separator: "\n")
    }
}
