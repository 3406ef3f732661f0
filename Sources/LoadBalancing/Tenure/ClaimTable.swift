import NetworkTypes

/// Who claims what, from three sources: what others were last said to claim altogether, what was
/// said since of single claims, and what this node claims itself.
///
/// News of a claim stays in force against what is said altogether, since that may have been put
/// together before the news came. The table is as large as what others claim, which the store that
/// spreads claims bounds.
struct ClaimTable: Sendable {
    private let node: String
    /// What this node claims.
    private(set) var own: [IPAddress: UInt64] = [:]
    /// What this node is about to claim, by an operator's wish or for balance.
    private var pledges: [IPAddress: UInt64] = [:]
    private var whole: [IPAddress: [Claim]] = [:]
    private var news: [String: [IPAddress: UInt64?]] = [:]
    /// All of it, with pledges counted as claims.
    private(set) var all: [IPAddress: [Claim]] = [:]

    init(node: String) {
        self.node = node
    }

    /// Takes what others claim altogether.
    mutating func replace(_ claims: [IPAddress: [Claim]]) {
        guard claims != whole else { return }
        whole = claims
        dropEndedNews()
        rebuild()
    }

    /// Takes the end or the epoch of one claim of another node.
    mutating func note(_ address: IPAddress, of other: String, epoch: UInt64?) {
        if epoch != nil || (whole[address] ?? []).contains(where: { $0.node == other }) {
            news[other, default: [:]].updateValue(epoch, forKey: address)
        } else {
            news[other]?[address] = .none
        }
        set(address, of: other, epoch)
    }

    /// Claims an address, or takes the claim back.
    mutating func claim(_ address: IPAddress, epoch: UInt64?) {
        own[address] = epoch
        pledges[address] = nil
        set(address, of: node, epoch)
    }

    /// Counts an address as claimed under an epoch, before it is; `nil` ends that.
    mutating func pledge(_ address: IPAddress, epoch: UInt64?) {
        pledges[address] = epoch
        set(address, of: node, epoch ?? own[address])
    }

    /// The highest epoch of other nodes' claims; 0 without any.
    func highestOfOthers(_ address: IPAddress) -> UInt64 {
        (all[address] ?? []).lazy.filter { $0.node != node }.map(\.epoch).max() ?? 0
    }

    /// The epoch to claim an address under: the present one while it is above all others, else the
    /// next. At the end of the numbers it stays there, and rank decides.
    func nextEpoch(_ address: IPAddress) -> UInt64 {
        let others = highestOfOthers(address)
        if let own = own[address], own > others { return own }
        return others == .max ? .max : others + 1
    }

    /// This node's epoch for an address, with pledges.
    func standing(_ address: IPAddress) -> UInt64? { pledges[address] ?? own[address] }

    private mutating func set(_ address: IPAddress, of name: String, _ epoch: UInt64?) {
        var claims = all[address] ?? []
        claims.removeAll { $0.node == name }
        if let epoch { claims.append(Claim(node: name, epoch: epoch)) }
        all[address] = claims.isEmpty ? nil : claims
    }

    private mutating func rebuild() {
        all = [:]
        all.reserveCapacity(whole.count)
        for (address, claims) in whole {
            let kept = claims.filter { $0.node != node && news[$0.node]?[address] == nil }
            if !kept.isEmpty { all[address] = kept }
        }
        for (name, claims) in news {
            for case (let address, .some(let epoch)) in claims {
                all[address, default: []].append(Claim(node: name, epoch: epoch))
            }
        }
        for (address, epoch) in own.merging(pledges, uniquingKeysWith: { $1 }) {
            all[address, default: []].append(Claim(node: node, epoch: epoch))
        }
    }

    /// An end that is no news any more is forgotten.
    private mutating func dropEndedNews() {
        for (name, claims) in news {
            let kept = claims.filter { address, epoch in
                epoch != nil || (whole[address] ?? []).contains { $0.node == name }
            }
            news[name] = kept.isEmpty ? nil : kept
        }
    }
}
