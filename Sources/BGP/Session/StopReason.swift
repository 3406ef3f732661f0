/// Why we end the session with a peer.
public enum StopReason: Hashable, Sendable {
    /// Ended for good, until ``BGPPeer/Event/start``: Cease/Administrative Shutdown with
    /// ``PeerSettings/shutdownMessage``. With `keepRoutes`, as before a restart of this process, in
    /// the way that lets a peer with graceful restart keep our routes; without such a peer it is
    /// the same as without.
    case shutdown(keepRoutes: Bool)
    /// Ended for good: the peer is no longer configured. Cease/Peer De-configured.
    case deconfigured
    /// Ended, and started again after a second: Cease/Administrative Reset.
    case reset(keepRoutes: Bool)
}
