import BGP
import LinuxNetwork

/// What happened to a peer, for the log.
package struct BGPEvent: Sendable {
    /// What.
    package enum Kind: Sendable {
        /// A session is up.
        case established(SessionParameters)
        /// A session is over.
        case lost(SessionEnd)
        /// Something that failed, with the remedy.
        case noted(PeerNote)
        /// An end of a connection came from an address that no peer has.
        case refused(String)
        /// The kernel refused something that concerns the peer, or the listening port.
        case trouble(String, remedy: String?)
    }

    /// The peer's name; empty for what concerns none.
    package var peer: String
    package var kind: Kind
}
