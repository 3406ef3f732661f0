public import NetworkTypes

/// What an operator should know.
public enum Trouble: Hashable, Sendable {
    /// Two node names have the same identifier; the second is not let in.
    case nameCollision(String, String)
    /// Somebody at this address uses our node's name.
    case nameTaken(SocketAddress)
    /// There are ``Roster/maximumMembers`` members; this one is not let in.
    case tooManyMembers(String)
    /// An entry of ours is not published.
    case entryRefused(key: [UInt8], StoreRefusal)
    /// Entries of another member are not taken.
    case copyRefused(NodeID, StoreRefusal)
    /// Others hear this member well and we do not, or not it us.
    case badLink(String)
    /// Others knew a later boot of ours than this one: the clock was set back. Our numbers have
    /// been raised, nothing else is to be done.
    case clockBehind
    /// Stores did not become equal in time after a pause; the permit to answer was taken up anyway.
    case reassessmentUnfinished
}
