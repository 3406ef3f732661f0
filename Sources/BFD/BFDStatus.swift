public import NetworkTypes

/// What a session can tell of itself.
public struct BFDStatus: Hashable, Sendable {
    /// The Echo function on our side.
    public enum Echo: Hashable, Sendable {
        /// No echo packets are sent: not wanted, not offered by the other end, or not up.
        case off
        /// They are sent, but none has come back yet.
        case trying
        /// They come back, and their loss takes the session down.
        case active
    }

    /// What happened since the session was made.
    public struct Counters: Hashable, Sendable {
        /// Control packets sent.
        public internal(set) var sent: UInt64 = 0
        /// Control packets received and not discarded.
        public internal(set) var received: UInt64 = 0
        /// Control packets discarded by the session, by reason.
        public internal(set) var discards = BFDDiscardCounters()
        /// Echo packets sent.
        public internal(set) var echoesSent: UInt64 = 0
        /// Echo packets that came back.
        public internal(set) var echoesReturned: UInt64 = 0
        /// How often the session came up.
        public internal(set) var ups: UInt64 = 0
        /// How often it was up no longer.
        public internal(set) var downs: UInt64 = 0

        init() {}
    }

    /// What the other end says of itself.
    public struct Remote: Hashable, Sendable {
        /// Its name for the session.
        public let discriminator: UInt32
        /// Its state.
        public let state: BFDState
        /// Its detection multiplier.
        public let detectMultiplier: UInt8
        /// The least interval at which it wants to send, microseconds.
        public let desiredMinTransmit: UInt32
        /// The least interval at which it can receive, microseconds.
        public let requiredMinReceive: UInt32
        /// The least interval of echo packets it sends back, microseconds; 0 for none.
        public let requiredMinEchoReceive: UInt32
        /// Whether it wants packets only on demand.
        public let isDemand: Bool
        /// Whether its BFD goes on when its control plane restarts.
        public let isControlPlaneIndependent: Bool
    }

    /// Our state.
    public let state: BFDState
    /// Why it changed the last time.
    public let diagnostic: BFDDiagnostic
    /// When it changed the last time.
    public let since: Instant
    /// What the session says about the path.
    public let reachability: BFDReachability
    /// Our name for the session.
    public let discriminator: UInt32
    /// The other end; `nil` while nothing is heard of it.
    public let remote: Remote?
    /// Why the other end's state changed the last time, as it last said.
    public let remoteDiagnostic: BFDDiagnostic
    /// When the last valid packet came.
    public let lastReceived: Instant?
    /// The agreed interval of our packets, before jitter.
    public let transmitInterval: Duration
    /// The agreed interval of the other end's packets, before jitter; `nil` while it is unknown.
    public let receiveInterval: Duration?
    /// Silence after which the other end counts as lost; `nil` while it is unknown.
    public let detectionTime: Duration?
    /// Whether a change of intervals waits for the other end.
    public let isPolling: Bool
    /// The Echo function on our side.
    public let echo: Echo
    /// What happened since the session was made.
    public let counters: Counters
}

extension BFDSession {
    /// What the session can tell of itself now.
    public var status: BFDStatus {
        BFDStatus(
            state: state, diagnostic: diagnostic, since: since, reachability: reachability,
            discriminator: discriminator, remote: remote.isKnown ? describe(remote) : nil,
            remoteDiagnostic: remoteDiagnostic, lastReceived: lastReceived,
            transmitInterval: transmitInterval,
            receiveInterval: remote.isKnown
                ? .microseconds(Int64(max(inForce.receive, remote.desiredMinTransmit))) : nil,
            detectionTime: detectionTime, isPolling: poll != nil,
            echo: echo.isActive ? .active : echo.interval == nil ? .off : .trying,
            counters: counters)
    }

    private func describe(_ remote: Remote) -> BFDStatus.Remote {
        BFDStatus.Remote(
            discriminator: remote.discriminator, state: remote.state,
            detectMultiplier: remote.detectMultiplier,
            desiredMinTransmit: remote.desiredMinTransmit,
            requiredMinReceive: remote.requiredMinReceive,
            requiredMinEchoReceive: remote.requiredMinEchoReceive, isDemand: remote.isDemand,
            isControlPlaneIndependent: remote.isControlPlaneIndependent)
    }
}
