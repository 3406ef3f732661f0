import NetworkTypes

extension Tenure {
    /// What Leases say, where a node may not answer without one.
    public struct Fence: Hashable, Sendable {
        /// The session of this node's own Lease; `nil` while the Lease is not fresh. Between two
        /// sessions others may have taken this node for gone.
        public var session: UInt64?
        /// The nodes that surely answer for nothing.
        public var silent: Set<String>

        /// Makes a fence; left out, closed.
        public init(session: UInt64? = nil, silent: Set<String> = []) {
            self.session = session
            self.silent = silent
        }
    }

    /// An address that this node is elected for and does not begin with yet.
    struct FenceWait: Sendable {
        /// Nodes that may still answer; this one while its own Lease is not fresh.
        var blockers: Set<String>
        /// How it came, as it was decided before the address was claimed.
        var manner: Manner
        var from: String?
        var cause: ArrivalCause
    }

    /// The nodes whose silence addresses wait for, to be found out.
    public var awaitedSilence: Set<String> {
        guard let fence, fence.session != nil else { return [] }
        var nodes: Set<String> = []
        for wait in waits.values { nodes.formUnion(wait.blockers) }
        return nodes.filter { !isHeard($0) }
    }

    /// How many addresses wait for Leases.
    public var waitingCount: Int { waits.count }

    mutating func take(_ news: Fence, _ now: Instant, _ actions: inout [Action]) {
        guard fence != nil, news != fence else { return }
        let isNewSession = fence?.session != news.session
        fence = news
        if isNewSession {
            // Claims stay: they say who has the address as soon as anybody may answer.
            for address in holdings.keys.sorted() { withdraw(address, &actions) }
            waits = [:]
        }
        if isNewSession || !waits.isEmpty { elect(now, &actions) }
    }

    /// Whether the address must not be begun with; then it waits. Where only nodes that hear this
    /// one are in the way, the address is claimed: they see that, stop, and take their claims back.
    mutating func mustWait(
        for address: IPAddress, _ manner: Manner, _ from: String?, _ cause: ArrivalCause,
        _ actions: inout [Action]
    ) -> Bool {
        guard let fence else { return false }
        let blockers = fence.session == nil ? [node] : blockers(of: address)
        guard !blockers.isEmpty else { return false }
        waits[address, default: FenceWait(blockers: [], manner: manner, from: from, cause: cause)]
            .blockers = blockers
        if fence.session != nil, blockers.allSatisfy(isHeard) { claimAhead(address, &actions) }
        return true
    }

    private mutating func claimAhead(_ address: IPAddress, _ actions: inout [Action]) {
        let epoch = max(pledges[address]?.epoch ?? 0, table.nextEpoch(address))
        guard table.own[address] != epoch else { return }
        pledges[address] = nil
        table.claim(address, epoch: epoch)
        actions.append(.claim(address, epoch: epoch))
    }

    /// Who else may answer for the address: whoever claims it, and whoever is not heard, because
    /// what such a node claims may not have come here.
    private func blockers(of address: IPAddress) -> Set<String> {
        var blockers = unheard
        for claim in table.all[address] ?? [] where mayAnswer(claim.node) {
            blockers.insert(claim.node)
        }
        return blockers
    }

    private func mayAnswer(_ name: String) -> Bool {
        name != node && fence?.silent.contains(name) == false
            && nodes[name]?.isOutOfService != true
    }

    /// Finds out, once an election, who is not heard and may answer for whatever it likes.
    mutating func noteUnheard() {
        unheard =
            fence?.session == nil ? [] : Set(nodes.keys.filter { !isHeard($0) && mayAnswer($0) })
    }

    func isHeard(_ name: String) -> Bool {
        name == node || nodes[name]?.liveness == .alive && nodes[name]?.isReachable == true
    }

    /// Claims that ended may have been what addresses wait for.
    func endsWaits(_ changes: [IPAddress: UInt64?]) -> Bool {
        !waits.isEmpty && changes.contains { $0.value == nil && waits[$0.key] != nil }
    }
}
