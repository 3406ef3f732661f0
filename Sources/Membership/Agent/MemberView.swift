public import NetworkTypes

/// What is known of another member, for people and metrics.
public struct MemberView: Hashable, Sendable {
    /// The node's name.
    public var name: String
    /// Where it is reached.
    public var endpoint: SocketAddress
    /// Whether it lives.
    public var state: MemberState
    /// Why not.
    public var cause: DeathCause
    /// Since when it is in that state, as seen from here.
    public var since: Instant
    /// Its incarnation.
    public var incarnation: UInt64
    /// The close exchange with it; `nil` when it is watched by others.
    public var session: Link?

    /// A close exchange of beats.
    public struct Link: Hashable, Sendable {
        /// Whether the rings make us neighbours; otherwise the session is about to end.
        public var isNeighbour: Bool
        /// Whether both hear each other.
        public var isUp: Bool
        /// Share of its beats that do not arrive, 0 to 1.
        public var loss: Double
        /// Share of our beats that do not arrive, as it tells, 0 to 1.
        public var reverseLoss: Double
        /// The longest recent time between two of its beats.
        public var worstGap: Duration
        /// When it was last heard; `nil`: never.
        public var lastHeard: Instant?
        /// When it last heard us, as it says; `nil`: never.
        public var lastHeardUs: Instant?
        /// Its own lateness, 0 to 8.
        public var localHealth: UInt8
        /// Whether only our link to it is bad: others hear it well.
        public var isBadLink: Bool
    }
}
