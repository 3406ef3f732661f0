import LinuxNetwork
import LoadBalancing
import NetworkTypes

/// Something worth a log line that happened to addresses of this node.
package enum TenureEvent: Sendable {
    /// An address came to this node.
    case moved(Tenure.Move)
    /// This node fell silent for an address: who has it now, and why not this node; without a
    /// reason nobody wants it any more.
    case left(IPAddress, to: String?, LossReason?)
    /// An operator's wish could not be met.
    case refusedMove(IPAddress, LossReason)
    /// The gossip has lost the owner of an address while another speaker answers for it: the gossip
    /// is broken and not the node, so nobody moves.
    case held(IPAddress, by: String)
    /// Addresses are not begun with before these nodes are found silent; with none, they are not
    /// any more.
    case awaits(Set<String>, addresses: Int)
    /// The thread cannot go on; nothing is announced any more.
    case failed(SystemError)
}
