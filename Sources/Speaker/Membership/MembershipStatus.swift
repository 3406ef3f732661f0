import Membership
import NetworkTypes
import SealedDatagrams

/// How the gossip does, as its thread sees it.
package struct MembershipStatus: Sendable {
    /// Every other member that is known.
    package var members: [MemberView] = []
    /// What was sent, received and dropped.
    package var counters = Counters()
    /// Datagrams that were not let in, by reason.
    package var refused: [String: Int] = [:]
    /// Whether this node may answer for its addresses now.
    package var isAuthorized = false
    /// Whether it is finding out what happened while it did not run.
    package var isReassessing = false
    /// Since when no other node is heard; `nil` while one is.
    package var isolatedSince: Instant?
    /// How the thread is scheduled, where that is worth knowing.
    package var scheduling: String?
    /// Whether datagrams are sealed.
    package var isSealed = true
}

/// Something worth a log line that happened to the gossip.
package enum GossipEvent: Sendable {
    /// A member came, went, or is doubted.
    case memberChanged(MemberChange)
    /// Something is wrong with what was received.
    case trouble(String, remedy: String)
    /// Another speaker uses a node name that is in use: two that take themselves for one.
    case nameTaken(String, remedy: String)
    /// The process did not run for so long that others may have taken its addresses; it answers
    /// nothing until it knows.
    case paused
    /// It knows, after such a pause or its start, and answers for what it has.
    case resumed
    /// No other node is heard any more, or one is again.
    case isolated(Bool)
    /// The keys were read again.
    case keysChanged
    /// Something failed; it is tried again.
    case failed(String)
}
