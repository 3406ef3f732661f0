public import NetworkTypes

/// What is to be known of a peer from outside.
public struct PeerStatus: Equatable, Sendable {
    /// The states of RFC 4271 §8.2.2; the raw value is the RFC's name.
    public enum State: String, Hashable, Sendable, CaseIterable {
        /// Not started, ended for good, or held back for a while: BFD lost the path, or the
        /// peer announced too many prefixes.
        case idle = "Idle"
        /// A connection is being opened.
        case connect = "Connect"
        /// Between two attempts, or waiting for the peer to connect.
        case active = "Active"
        /// Connected; our OPEN is sent.
        case openSent = "OpenSent"
        /// The peer's OPEN is accepted.
        case openConfirm = "OpenConfirm"
        /// Routes are exchanged.
        case established = "Established"
    }

    /// What BFD says of the path to the peer.
    public enum Path: Hashable, Sendable {
        /// No session, or one that says nothing.
        case unknown
        /// Up.
        case up
        /// Down.
        case down
    }

    /// A NOTIFICATION that went one way or the other.
    public struct Error: Hashable, Sendable {
        /// The message.
        public var notification: NotificationMessage
        /// What it means and, for our own, which rule was broken.
        public var text: String
        /// When.
        public var at: Instant
    }

    /// A failure without a NOTIFICATION.
    public struct Failure: Hashable, Sendable {
        /// What failed, in the system's words.
        public var text: String
        /// When.
        public var at: Instant
    }

    /// The state.
    public var state = State.idle
    /// Since when; `nil` before the first event.
    public var since: Instant?
    /// The connection that is furthest on.
    public var connection: ConnectionID?
    /// What is agreed on; `nil` before the OPENs are exchanged.
    public var parameters: SessionParameters?
    /// The last NOTIFICATION that we sent.
    public var lastSent: Error?
    /// The last NOTIFICATION that the peer sent.
    public var lastReceived: Error?
    /// The last connection that failed, broke, or was closed without a word.
    public var lastFailure: Failure?
    /// When the next connection will be attempted, if one is waited for.
    public var nextAttempt: Instant?
    /// The wait before jitter that the next failure will bring.
    public var backOff = Duration.zero
    /// When the hold time expires unless something is heard.
    public var holdDeadline: Instant?
    /// When the next KEEPALIVE is due.
    public var keepaliveDeadline: Instant?
    /// When the session ends unless the peer takes bytes that wait (RFC 9687).
    public var sendHoldDeadline: Instant?
    /// What BFD says.
    public var path = Path.unknown
    /// Prefixes that the peer has announced and not withdrawn, by family.
    public var prefixesIn: [RouteFamily: Int] = [:]
    /// Whether ``prefixesIn`` is exact; else there are at least as many.
    public var arePrefixesExact = true
    /// Sums since the peer was made.
    public var counters = PeerCounters()

    /// The status of a peer that nothing has happened to.
    public init() {}
}

/// Sums since a peer was made; never set back.
public struct PeerCounters: Hashable, Sendable {
    /// Messages by type.
    public struct Messages: Hashable, Sendable {
        /// OPEN.
        public var opens: UInt64 = 0
        /// UPDATE.
        public var updates: UInt64 = 0
        /// NOTIFICATION.
        public var notifications: UInt64 = 0
        /// KEEPALIVE.
        public var keepalives: UInt64 = 0
        /// ROUTE-REFRESH.
        public var refreshes: UInt64 = 0

        /// No messages.
        public init() {}

        /// All of them.
        public var total: UInt64 { opens + updates + notifications + keepalives + refreshes }

        mutating func count(_ message: BGPMessage) {
            switch message {
            case .open: opens += 1
            case .update: updates += 1
            case .notification: notifications += 1
            case .keepalive: keepalives += 1
            case .routeRefresh: refreshes += 1
            }
        }
    }

    /// Messages from the peer, on all connections.
    public var received = Messages()
    /// Messages to the peer as far as ``BGPPeer`` sends them: the UPDATEs and the marks of a
    /// refresh are counted where they are made, in the adjacency-out.
    public var sent = Messages()
    /// How often Established was reached.
    public var established: UInt64 = 0
    /// Connections attempted.
    public var attempts: UInt64 = 0
    /// Connections accepted.
    public var accepted: UInt64 = 0
    /// Collisions of two connections that were resolved (RFC 4271 §6.8).
    public var collisions: UInt64 = 0
    /// UPDATEs with faults that did not end the session (RFC 7606).
    public var faultyUpdates: UInt64 = 0

    /// All zero.
    public init() {}
}
