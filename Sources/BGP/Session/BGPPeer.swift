public import NetworkTypes

/// A configured peer: attempts to connect, the sessions on the connections that come of it, and
/// which of two is kept.
///
/// ```
///                          start                     connected
///   idle ─────────────────────────────────► connect ───────────► openSent ─► openConfirm
///    ▲ │                                   │    ▲                   ▲             │
///    │ │ start, passive             failed │    │ the wait          │ accepted    │
///    │ ▼                                   ▼    │ is over           │             ▼
///    │ active ◄─────────────────────── active ──┘───────────────────┘        established
///    │                                   ▲                                        │
///    │            the session ends       └────────────────────────────────────────┤
///    └────────────────────────────────────────────────────────────────────────────┘
///       stop; BFD loses the path, until it is found or for 30 s; too many prefixes, for 120 s
/// ```
///
/// **Two connections** come about when both ends connect at once. The one that the end with the
/// higher BGP Identifier opened is kept (RFC 4271 §6.8), or with the same Identifier that of the
/// higher AS (RFC 6286 §2.3). The RFC judges when an OPEN comes, by what the other connection has
/// got to by then. Its two ends may see that differently, and each close what the other keeps.
/// Therefore an OPEN on the connection that is going to lose is not answered with a KEEPALIVE while
/// the other still waits for its OPEN: without our KEEPALIVE the peer cannot be Established on it.
/// The other has five seconds to prove itself. An attempt that is still under way when the peer's
/// OPEN comes on an incoming connection is given up.
///
/// **While Established**, another connection from the peer is refused, unless the peer has graceful
/// restart: then its OPEN there says that it has started again, and takes the place of the old one
/// (RFC 4724 §5). We wait for that OPEN, so that a mere connect does no harm, and within the first
/// seconds of a session such a connection is a late collision.
///
/// **Back-off.** An attempt that gets no answer is repeated at once, after a wait for the answer
/// that is as long as the back-off. Everything else that fails waits for it. It begins at
/// ConnectRetryTime, doubles to two minutes, and starts anew only by a session that was Established
/// for ten seconds: one that ends over its first UPDATEs, every time, is a failure like others.
/// What the peer opens never waits.
///
/// **Holds.** For a while after BFD lost the path, or the peer announced too many prefixes,
/// nothing is attempted, and an incoming connection is kept unanswered: a NOTIFICATION for it would
/// only feed the peer's back-off.
///
/// Standards: RFC 4271 §6.8, §8 (ManualStart, ManualStop, ConnectRetryTimer, passive; DelayOpen and
/// the optional idle hold timer are not used), §10; RFC 4724 §4, §5; RFC 4486; RFC 5492 §3; RFC
/// 5882 §3.2, §4.1, §4.2; RFC 6286; RFC 8538 §3; RFC 9003; RFC 9384.
///
/// Bounds: two sessions, and one connection that is kept unanswered; a second incoming connection
/// takes the place of the first, as a peer opens one at a time. Prefixes: ``InboundPrefixes``.
public struct BGPPeer: Sendable {
    /// Something that happened.
    public enum Event: Equatable, Sendable {
        /// Sessions are wanted. Connects at once, unless the peer is passive.
        case start
        /// We end it.
        case stop(StopReason)
        /// The connection that ``Action/connect(_:)`` asked for exists.
        case connected(ConnectionID)
        /// It does not come about; the system's words for why.
        case connectFailed(ConnectionID, String)
        /// The peer has opened a connection; named by ``ConnectionID/incoming(_:)``.
        case accepted(ConnectionID)
        /// A message came.
        case received(ConnectionID, BGPMessage)
        /// What came is no message.
        case faulted(ConnectionID, MessageFault)
        /// The peer or the system closed the connection; the system's words for why. Everything
        /// that came before it has been told before.
        case closed(ConnectionID, String)
        /// Bytes wait that the peer does not take: the send hold time runs unless it does already
        /// (RFC 9687).
        case stalled(ConnectionID)
        /// Some of the bytes that waited have gone out, or none wait.
        case progressed(ConnectionID)
        /// BFD has lost the path. Counts only after ``pathUp``: a BFD session that never came up
        /// says nothing against the path (RFC 5882 §4.1).
        case pathDown
        /// BFD sees the peer.
        case pathUp
        /// BFD says nothing: administratively down, or no session. Never ends anything.
        case pathUnknown
        /// ``nextDeadline`` has come. What sockets hold is to be read and told before, so that a
        /// late wake-up of ours is not taken for silence of the peer.
        case deadlineReached
    }

    /// Something the caller is to do, in this order.
    public enum Action: Equatable, Sendable {
        /// Open a connection to the peer, and tell how it went.
        case connect(ConnectionID)
        /// Send this message.
        case send(ConnectionID, BGPMessage)
        /// Close the connection, or give the attempt up. What was sent before goes out as far as it
        /// does at once. Nothing needs to be told of the connection any more.
        case close(ConnectionID)
        /// Routes can be sent on the connection. Never for two at a time.
        case established(ConnectionID, SessionParameters)
        /// They cannot any more.
        case lost(ConnectionID, SessionEnd)
        /// The peer wants all routes of an agreed family again (RFC 2918).
        case refreshRequested(RouteFamily)
        /// The peer sent an UPDATE in an Established session; for those who watch.
        case inbound(ConnectionID, UpdateMessage)
        /// Something for the log.
        case noted(PeerNote)
    }

    /// How long an attempt waits for an answer at least.
    static let minimumPatience: Duration = .seconds(5)
    /// How long the winner of a collision has for its OPEN.
    static let collisionPatience: Duration = .seconds(5)
    /// From then on a second connection is no late collision.
    static let collisionTime: Duration = .seconds(5)
    /// How long a session has to be Established for the back-off to start anew.
    static let lastingTime: Duration = .seconds(10)
    /// How long nothing is begun after BFD lost the path.
    static let pathHoldTime: Duration = .seconds(30)
    /// How long nothing is begun after the peer announced too many prefixes.
    static let prefixHoldTime = BackOff.bound
    /// The wait after an end of our own, for the peer to be ready again.
    static let promptTime: Duration = .seconds(1)

    /// A time in which nothing is begun.
    struct Hold: Sendable {
        enum Cause: Sendable { case path, prefixes }

        let cause: Cause
        let until: Instant
    }

    struct Attempt: Sendable {
        let connection: ConnectionID
        let deadline: Instant
    }

    /// An incoming connection that is kept unanswered, and the OPEN that came on it.
    struct Parked: Sendable {
        let connection: ConnectionID
        var open: OpenMessage?
    }

    /// How the session is to be held; see ``update(settings:at:)``.
    public internal(set) var settings: PeerSettings
    /// Whether sessions are wanted.
    public internal(set) var isRunning = false
    /// On different connections; at most one past OPEN, apart from a deferred one.
    var sessions: [BGPSession] = []
    var attempt: Attempt?
    /// When to attempt again.
    var retry: Instant?
    var backOff: BackOff
    var path = PeerStatus.Path.unknown
    /// Nothing is begun before.
    var hold: Hold?
    var parked: Parked?
    /// When the session that waits for another's OPEN goes on without.
    var deferral: Instant?
    /// The peer does not take optional parameters: the next OPEN has none.
    var offersNothing = false
    var hasBeenEstablished = false
    var jitter: Jitter
    var serial: UInt64 = 0
    var record = PeerStatus()
    /// The last warning, not to be repeated.
    var lastNote: PeerNote?

    /// Makes a peer that is not started. The seed is for jitter: different peers, different seeds.
    public init(settings: PeerSettings, seed: UInt64) {
        self.settings = settings
        jitter = Jitter(seed: seed)
        backOff = BackOff(first: .seconds(Int(settings.connectRetryTime)))
    }

    /// When ``Event/deadlineReached`` is due; `nil` for never.
    public var nextDeadline: Instant? {
        let own = [attempt?.deadline, retry, hold?.until, deferral]
        return (own + sessions.map(\.nextDeadline)).compactMap(\.self).min()
    }

    /// Takes one event. Those of connections that are closed already are passed over.
    public mutating func handle(_ event: Event, at now: Instant) -> [Action] {
        var actions: [Action] = []
        switch event {
        case .start: start(at: now, &actions)
        case .stop(let reason): stop(reason, at: now, &actions)
        case .connected(let connection): connected(connection, at: now, &actions)
        case .connectFailed(let connection, let reason):
            connectFailed(connection, reason, at: now, &actions)
        case .accepted(let connection): accept(connection, at: now, &actions)
        case .received(let connection, let message):
            receive(message, on: connection, at: now, &actions)
        case .faulted(let connection, let fault):
            end(connection, .fault(fault), at: now, &actions)
        case .closed(let connection, let reason):
            connectFailed(connection, reason, at: now, &actions)
            end(connection, .transport(reason), at: now, &actions)
        case .stalled(let connection):
            if let index = index(of: connection) { sessions[index].stall(at: now) }
        case .progressed(let connection):
            if let index = index(of: connection) { sessions[index].progress() }
        case .pathUp: pathChanged(to: .up, at: now, &actions)
        case .pathDown: pathChanged(to: .down, at: now, &actions)
        case .pathUnknown: pathChanged(to: .unknown, at: now, &actions)
        case .deadlineReached: runDue(at: now, &actions)
        }
        noteState(at: now)
        return actions
    }

    /// How the next message of the connection is to be understood.
    public func decodingContext(_ connection: ConnectionID) -> DecodingContext {
        guard let index = index(of: connection), let agreed = sessions[index].parameters else {
            return DecodingContext()
        }
        return DecodingContext(
            hasFourOctetAS: agreed.hasFourOctetAS, families: agreed.families,
            isInternal: agreed.isInternal, maximumLength: agreed.maximumLength,
            extendedNextHop: agreed.extendedNextHop,
            role: agreed.isInternal ? nil : settings.role, remoteAS: agreed.remoteAS)
    }

    func index(of connection: ConnectionID) -> Int? {
        sessions.firstIndex { $0.connection == connection }
    }
}
