import Layer2
import LinuxNetwork
import NetworkTypes

/// Something worth a log line that happened on a LAN.
package struct Layer2Event: Equatable, Sendable {
    /// What happened.
    package enum Kind: Equatable, Sendable {
        /// The speaker listens on the interface from now on.
        case bound
        /// The speaker has left the interface: it is gone, a port of another, or not wanted.
        case released
        /// The link is down; nothing is answered until it is back.
        case linkLost
        /// The link is back, or was away for a moment; everything is announced again.
        case linkRestored
        /// Questions for the address are answered from now on.
        case answering(IPAddress)
        /// An address of another node is answered from now on, so long after this node was told
        /// to take it over. Comes right after `answering`.
        case addressTaken(IPAddress, after: Duration)
        /// The address was to be taken over, but this speaker still answers for it.
        case heldByPeer(IPAddress, MACAddress)
        /// The address, perhaps with others, is not taken over before anybody is heard on this LAN:
        /// this node is isolated.
        case waitingToHear(IPAddress)
        /// Whether the node address of the owner that an address is taken over from is answered:
        /// if so its process is gone, otherwise the node.
        case formerOwnerAnswers(IPAddress, Bool)
        /// What is to be thought of an address that this node watches has changed.
        case watched(IPAddress, AnswerWatch.Verdict)
        /// A stranger has or claims an address.
        case conflict(Announcer.Conflict)
        /// Another speaker answers for the address, as happens while it changes hands.
        case peerAnnounces(IPAddress, MACAddress)
        /// The address cannot be announced: not unicast, or the table is full.
        case refused(IPAddress)
        /// Something failed; it is tried again.
        case failed(SystemError)
    }

    /// The interface.
    package let interface: String
    /// What happened.
    package let kind: Kind
    /// When.
    package let at: Instant
}
