import Layer2
import LoadBalancing
import NetworkTypes

/// What others tell the thread that decides what this node announces. Everything merges, so its
/// size is bounded by the number of nodes and addresses.
struct TenureMail: Sendable {
    /// Nodes, advertisements and demands as the cluster's objects have them; liveness and claims of
    /// nodes that gossip come below.
    var facts: Tenure.Facts?
    /// Our own claims from before a restart.
    var restored: [IPAddress: UInt64]?
    /// Liveness that changed.
    var liveness: [String: NodeFacts.Liveness] = [:]
    /// Claims of other nodes that changed.
    var claims: [String: [IPAddress: UInt64?]] = [:]
    /// Nodes that the gossip has forgotten; what is said of them above came later.
    var forgotten: Set<String> = []
    /// Whose interfaces have which link-layer address.
    var stations: [MACAddress: String]?
    /// The addresses of other nodes themselves.
    var nodeAddresses: [String: [IPAddress]]?
    /// Whether every other node is out of hearing.
    var isIsolated: Bool?
    /// Whether the gossip has found out who lives; until then nothing is decided.
    var isAssessed: Bool?
    /// What happened on the wire to addresses, oldest first.
    var wire: [IPAddress: WireNews] = [:]
    /// The suspension of the permit that ends once this mail has been worked off: then nothing is
    /// wished for any more that others have taken.
    var suspension: UInt64?
    /// What the Leases say.
    var fence: Tenure.Fence?
    /// The suspension of the fence that ends once this mail has been worked off.
    var fenceSuspension: UInt64?
    /// Addresses that an operator wants here, each with the number of the last such wish.
    var moves: [IPAddress: UInt64] = [:]
    /// Whether the node is to hand over everything and end.
    var isStopping = false
    /// Whether the thread is to end.
    var isEnding = false

    /// The last word of the wire about one address.
    struct WireNews: Sendable {
        /// Questions are answered from now on.
        var isAnswering = false
        /// Another speaker still answers, so the address was not taken.
        var heldBy: MACAddress?
        /// Another speaker announced the address.
        var announcedBy: MACAddress?
    }
}
