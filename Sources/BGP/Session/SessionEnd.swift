/// How an Established session came to its end.
public struct SessionEnd: Hashable, Sendable {
    /// Who ended it, and by what.
    public enum Cause: Hashable, Sendable {
        /// We did, with this NOTIFICATION.
        case sent(NotificationMessage)
        /// The peer did, with this NOTIFICATION.
        case received(NotificationMessage)
        /// The connection broke, or the peer closed it without a word; the system's words for it.
        case transport(String)
        /// We closed it without a word, so that the peer keeps our routes (RFC 4724 §4.2).
        case closedSilently
        /// The peer has started again and opened another connection (RFC 4724 §5).
        case replaced(by: ConnectionID)
    }

    /// Who ended it, and by what.
    public var cause: Cause
    /// The same in words, for a log.
    public var text: String
    /// Whether the peer is to be expected to keep our routes until we are back: graceful restart is
    /// agreed, and the session ended in a way that it covers.
    public var peerKeepsRoutes: Bool

    /// Describes an end.
    public init(cause: Cause, text: String, peerKeepsRoutes: Bool) {
        self.cause = cause
        self.text = text
        self.peerKeepsRoutes = peerKeepsRoutes
    }
}
