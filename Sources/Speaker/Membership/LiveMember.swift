import ClusterSource
import LoadBalancing
import Membership
import NetworkTypes

/// What one other node's speaker says of itself through the gossip, and whether it lives.
package struct LiveMember: Equatable, Sendable {
    /// Whether it lives; a suspect does.
    package var state: MemberState
    /// Why it does not.
    package var cause: DeathCause = .none
    /// Its interfaces, by name.
    package var interfaces: [String: SpeakerRecord.Interface] = [:]
    /// The addresses that it answers for, with the epochs of its claims.
    package var claims: [IPAddress: UInt64] = [:]
    /// Whether it hands over what it has.
    package var isDraining = false
    /// Addresses for which nobody answers, as it sees it: whose claim, and under which epoch.
    package var disputes: [IPAddress: DisputedClaim] = [:]
    /// Addresses for which it has no endpoint, by its own health checks.
    package var unserving: Set<IPAddress> = []
    /// What operators asked it to pass on.
    var requests: [UInt64: OperatorRequest] = [:]
    /// What it answered to requests.
    var answers: [UInt64: OperatorAnswer] = [:]

    /// A claim that nobody answers for.
    package struct DisputedClaim: Hashable, Sendable {
        /// Whose.
        package var node: String
        /// Under which epoch.
        package var epoch: UInt64
    }

    /// For the election.
    package var liveness: NodeFacts.Liveness { NodeFacts.Liveness(state, cause) }

    /// What matters to the facts of the cluster, other than liveness and claims.
    var facts: Facts {
        Facts(
            isAlive: liveness == .alive, isNodeDead: isNodeDead, interfaces: interfaces,
            isDraining: isDraining, disputes: disputes, unserving: unserving)
    }

    struct Facts: Equatable {
        var isAlive: Bool
        var isNodeDead: Bool
        var interfaces: [String: SpeakerRecord.Interface]
        var isDraining: Bool
        var disputes: [IPAddress: DisputedClaim]
        var unserving: Set<IPAddress>
    }

    /// Takes in an entry as it is now; `nil` when it was deleted. Returns false for entries of no
    /// meaning to this version.
    mutating func take(_ key: [UInt8], _ value: [UInt8]?) -> Bool {
        guard let subject = GossipSubject(key: key) else { return false }
        let statement = value.flatMap { GossipStatement(key: key, value: $0) }
        guard (value == nil) == (statement == nil) else { return false }
        switch (subject, statement) {
        case (.claim(let address), .claim(_, let epoch)?): claims[address] = epoch
        case (.claim(let address), _): claims[address] = nil
        case (.interface(let name), .interface(let interface)?): interfaces[name] = interface
        case (.interface(let name), _): interfaces[name] = nil
        case (.drain, let statement): isDraining = statement != nil
        case (.dispute(let address), .dispute(_, let node, let epoch)?):
            disputes[address] = DisputedClaim(node: node, epoch: epoch)
        case (.dispute(let address), _): disputes[address] = nil
        case (.unserving(let address), .unserving?): unserving.insert(address)
        case (.unserving(let address), _): unserving.remove(address)
        case (.request(let number), .request(_, let request)?): requests[number] = request
        case (.request(let number), _): requests[number] = nil
        case (.answer(let number), .answer(_, let answer)?): answers[number] = answer
        case (.answer(let number), _): answers[number] = nil
        }
        return true
    }
}

extension NodeFacts.Liveness {
    /// What the election makes of a member's state.
    package init(_ state: MemberState, _ cause: DeathCause) {
        switch state {
        case .alive, .suspect: self = .alive
        case .left: self = .dead(cause: "its speaker has stopped")
        case .dead: self = .dead(cause: cause.explanation)
        }
    }
}

extension DeathCause {
    /// Plain words for an operator.
    package var explanation: String {
        switch self {
        case .none: "for an unknown cause"
        case .silence: "nothing is heard of it"
        case .processGone: "its host answers, its speaker is gone"
        case .deaf: "it is heard but hears nobody"
        }
    }
}
