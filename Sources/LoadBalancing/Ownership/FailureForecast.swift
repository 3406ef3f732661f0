public import NetworkTypes

/// Where addresses would go if some nodes failed together: two elections, before and after.
public struct FailureForecast: Hashable, Sendable {
    /// What becomes of one address.
    public struct Outcome: Hashable, Sendable {
        /// The address.
        public var address: IPAddress
        /// Who owns it now; `nil` for nobody.
        public var before: String?
        /// Who would own it; `nil` for nobody.
        public var after: String?
        /// Why that one.
        public var cause: OwnershipCause
        /// Where it would have no owner: why not, for each node that does not fail, by name.
        public var reasons: [String: LossReason]

        /// Whether the owner would be another, or nobody.
        public var isMoved: Bool { before != after }
    }

    /// How many addresses a node carries.
    public struct Load: Hashable, Sendable {
        /// The node's name.
        public var node: String
        /// Now.
        public var before: Int
        /// Afterwards.
        public var after: Int
    }

    /// The nodes that fail, ascending.
    public let failing: [String]
    /// Names to fail that are no nodes, ascending.
    public let unknown: [String]
    /// Every address in use, ascending.
    public let outcomes: [Outcome]
    /// Every node, ascending by name.
    public let loads: [Load]

    /// The outcomes that are a move.
    public var moved: [Outcome] { outcomes.filter(\.isMoved) }
    /// The addresses that would be without an owner.
    public var unowned: [Outcome] { outcomes.filter { $0.after == nil } }

    /// Forecasts from what elections are held on. What is owned now counts as claimed, as it would
    /// by the time that a node fails.
    public init(_ facts: Tenure.Facts, failing: [String]) {
        let claims = facts.isMemoryCommon ? facts.claims : [:]
        let before = Ownership.elect(
            nodes: facts.nodes, offers: facts.offers, demands: facts.demands, claims: claims,
            disputes: facts.disputes)
        var nodes = facts.nodes
        for name in failing {
            nodes[name]?.liveness = .dead(cause: "as the forecast supposes")
        }
        let after = Ownership.elect(
            nodes: nodes, offers: facts.offers, demands: facts.demands,
            claims: facts.isMemoryCommon ? before.claimsAsOwned : [:], disputes: facts.disputes)
        let names = Set(failing)
        self.failing = names.filter { facts.nodes[$0] != nil }.sorted()
        unknown = names.filter { facts.nodes[$0] == nil }.sorted()
        outcomes = after.addresses.map { address in
            let owner = after.owner(of: address)
            return Outcome(
                address: address, before: before.owner(of: address), after: owner,
                cause: after.decision(for: address)?.cause ?? .noCandidate,
                reasons: owner == nil ? after.reasons(for: address, except: names) : [:])
        }
        loads = after.nodes.map {
            Load(
                node: $0, before: before.load(of: $0)?.carried ?? 0,
                after: after.load(of: $0)?.carried ?? 0)
        }
    }
}

extension Ownership {
    /// The claims as they are once every owner has claimed what it owns.
    fileprivate var claimsAsOwned: [IPAddress: [Claim]] {
        var all = claims
        for index in owners.indices where owners[index] >= 0 {
            let decision = decision(at: index)
            let owner = candidacy.names[owners[index]]
            var others = (all[decision.address] ?? []).filter { $0.node != owner }
            others.append(Claim(node: owner, epoch: decision.epoch))
            all[decision.address] = others
        }
        return all
    }

    fileprivate func reasons(
        for address: IPAddress, except failing: Set<String>
    ) -> [String: LossReason] {
        var reasons: [String: LossReason] = [:]
        for node in nodes where !failing.contains(node) {
            reasons[node] = lossReason(of: node, for: address)
        }
        return reasons
    }
}

extension FailureForecast: CustomStringConvertible {
    /// Lines for people: what fails, what moves and why, what is left without an owner and why,
    /// then the loads.
    public var description: String {
        var lines = [
            failing.isEmpty ? "no node fails" : "if \(failing.joined(separator: ", ")) failed:"
        ]
        lines += unknown.map { "  \($0) is not a node of this cluster" }
        if moved.isEmpty { lines.append("  no address would move") }
        for outcome in moved {
            let old = outcome.before ?? "nobody"
            guard let new = outcome.after else {
                lines.append("  \(outcome.address): \(old) -> nobody, \(outcome.cause)")
                lines += outcome.reasons.sorted { $0.key < $1.key }.map { "    \($0) \($1)" }
                continue
            }
            lines.append("  \(outcome.address): \(old) -> \(new), which \(outcome.cause)")
        }
        let names = Set(failing)
        for load in loads where !names.contains(load.node) {
            lines.append("  \(load.node): \(load.before) -> \(load.after) addresses")
        }
        return lines.joined(separator: "\n")
    }
}
