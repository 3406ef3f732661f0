/// What a speaker can do, as told in its OPEN (RFC 5492).
public enum Capability: Hashable, Sendable {
    /// Code 1: routes of this family (RFC 4760 §8).
    case multiprotocol(RouteFamily)
    /// Code 2: ROUTE-REFRESH is understood (RFC 2918 §2).
    case routeRefresh
    /// Code 5: routes of a family with a next hop of another (RFC 8950 §4).
    case extendedNextHop([ExtendedNextHop])
    /// Code 6: messages of up to 65,535 bytes (RFC 8654 §3).
    case extendedMessage
    /// Code 9: who the speaker is to the other (RFC 9234 §4.1).
    case role(PeerRole)
    /// Code 64: routes are kept while the speaker restarts (RFC 4724 §3, RFC 8538 §2).
    case gracefulRestart(GracefulRestart)
    /// Code 65: AS numbers of four octets, and the speaker's own (RFC 6793 §3).
    case fourOctetAS(UInt32)
    /// Code 70: the beginning and end of a refresh are marked (RFC 7313 §3.1).
    case enhancedRouteRefresh
    /// Any other, and one above whose value cannot be read; it is ignored (RFC 5492 §3).
    case unknown(code: UInt8, value: [UInt8])

    /// Routes of `family` may have next hops of the address family `nextHopAFI`.
    public struct ExtendedNextHop: Hashable, Sendable {
        /// The routes' family.
        public var family: RouteFamily
        /// The next hop's: 2 is IPv6.
        public var nextHopAFI: UInt16

        /// Makes an entry.
        public init(family: RouteFamily, nextHopAFI: UInt16) {
            self.family = family
            self.nextHopAFI = nextHopAFI
        }
    }

    /// The value of the Graceful Restart capability.
    public struct GracefulRestart: Hashable, Sendable {
        /// One family that the speaker keeps forwarding state of.
        public struct Family: Hashable, Sendable {
            /// Which.
            public var family: RouteFamily
            /// F bit: the state has been kept through the restart that is under way.
            public var isForwardingPreserved: Bool

            /// Makes an entry.
            public init(_ family: RouteFamily, isForwardingPreserved: Bool) {
                self.family = family
                self.isForwardingPreserved = isForwardingPreserved
            }
        }

        /// R bit: the speaker has just restarted.
        public var isRestarting: Bool
        /// N bit: NOTIFICATIONs and an expired hold time keep routes, too (RFC 8538 §2).
        public var keepsOnNotification: Bool
        /// How long the other is to wait for the session to come back, 0–4095 seconds.
        public var restartTime: UInt16
        /// The families it is about.
        public var families: [Family]

        /// Makes a value.
        public init(
            isRestarting: Bool, keepsOnNotification: Bool, restartTime: UInt16, families: [Family]
        ) {
            self.isRestarting = isRestarting
            self.keepsOnNotification = keepsOnNotification
            self.restartTime = restartTime
            self.families = families
        }
    }
}

/// Who a speaker is to its peer (RFC 9234 §4.1); the raw value is that of the wire.
public enum PeerRole: UInt8, Hashable, Sendable, CaseIterable {
    /// Sells transit to the peer.
    case provider = 0
    /// A route server; the peer is its client.
    case routeServer = 1
    /// A client of the peer's route server.
    case routeServerClient = 2
    /// Buys transit from the peer.
    case customer = 3
    /// Neither sells to the other.
    case peer = 4
}
