public import NetworkTypes

/// A router that speakers hold a BGP session with (`metallb.io/v1beta2 BGPPeer`).
public struct BGPPeer: Hashable, Sendable {
    /// Which autonomous system the peer belongs to.
    public enum RemoteAS: Hashable, Sendable {
        /// `spec.peerASN`, not 0.
        case number(UInt32)
        /// `spec.dynamicASN: internal`: the peer's OPEN must name our own.
        case sameAsOurs
        /// `spec.dynamicASN: external`: the peer's OPEN may name any but our own.
        case anyOther
    }

    /// Where the peer is found.
    public enum Endpoint: Hashable, Sendable {
        /// `spec.peerAddress`.
        case address(IPAddress)
        /// `spec.interface`: the router that is heard on this interface (unnumbered peering).
        case interface(String)
    }

    /// The key of the session's TCP MD5 signatures (RFC 2385).
    public enum Password: Hashable, Sendable {
        /// `spec.password`, in the object itself.
        case text(String)
        /// `spec.passwordSecret`: a Secret of type basic-auth with the key `password`.
        case secret(ObjectName)
    }

    /// **+** Who we are to the peer (RFC 9234 §3.1).
    public enum Role: String, Hashable, Sendable, CaseIterable {
        /// We sell transit to the peer.
        case provider
        /// We are a route server, the peer its client.
        case routeServer = "rs"
        /// The peer is a route server, we its client.
        case routeServerClient = "rs-client"
        /// The peer sells transit to us.
        case customer
        /// Neither sells to the other.
        case peer
    }

    /// The most bytes that a TCP MD5 key may have on Linux.
    public static let passwordLimit = 80
    static let passwordLimitReason = "which is what Linux signs with"

    /// Metadata; advertisements refer to its name.
    public var metadata: ObjectMeta
    /// `spec.myASN`, not 0.
    public var myASN: UInt32
    /// `spec.peerASN` or `spec.dynamicASN`.
    public var remoteAS: RemoteAS
    /// `spec.localASN`: the number shown to this peer in place of `myASN`, `nil` when absent.
    public var localASN: UInt32?
    /// `spec.peerAddress` or `spec.interface`.
    public var endpoint: Endpoint
    /// `spec.sourceAddress`: the address that the session is made from, `nil` for any.
    public var sourceAddress: IPAddress?
    /// `spec.peerPort`.
    public var peerPort: UInt16 = 179
    /// `spec.holdTime` in seconds: 0 (never expires) or 3–65535 (RFC 4271 §4.2).
    public var holdTimeSeconds = 90
    /// `spec.keepaliveTime` in seconds, not above the hold time; 0 when the hold time is 0.
    public var keepaliveTimeSeconds = 30
    /// `spec.connectTime` in seconds, 1–65535; `nil` when absent.
    public var connectTimeSeconds: Int?
    /// `spec.routerID`, an IPv4 address other than 0.0.0.0; `nil` when absent.
    public var routerID: IPAddress?
    /// `spec.nodeSelectors`; empty: all nodes.
    public var nodeSelectors: [LabelSelector] = []
    /// `spec.vrf`; empty: the default one.
    public var vrf = ""
    /// `spec.password` or `spec.passwordSecret`.
    public var password: Password?
    /// The bytes of the password; of a Secret's once the configuration has been put together.
    public var passwordBytes: [UInt8] = []
    /// `spec.bfdProfile`; empty: no BFD.
    public var bfdProfile = ""
    /// `spec.enableGracefulRestart` (RFC 4724).
    public var enableGracefulRestart = false
    /// `spec.ebgpMultiHop`: the peer may be more than one hop away.
    public var ebgpMultiHop = false
    /// `spec.disableMP`: only routes of the session's own family, without RFC 4760.
    public var disableMP = false
    /// `spec.dualStackAddressFamily`: routes of both families over this session.
    public var dualStackAddressFamily = false
    /// **+** `spec.passive`: wait for the peer to connect.
    public var passive = false
    /// **+** `spec.ttlSecurity`: the peer is at most so many hops away (RFC 5082), 1–254.
    public var ttlSecurityHops: Int?
    /// **+** `spec.role`.
    public var role: Role?
    /// **+** `spec.gracefulRestartTime` in seconds, 1–4095 (RFC 4724 §3 gives it 12 bits).
    public var gracefulRestartTimeSeconds = 120
    /// **+** `spec.maximumPrefixes`: the session ends when the peer announces more, 1–1000000;
    /// `nil` for any number.
    public var maximumPrefixes: Int?
    /// **+** `spec.shutdownMessage`: told to the peer when we end the session (RFC 9003).
    public var shutdownMessage = ""

    /// Makes a peer with the defaults.
    public init(metadata: ObjectMeta, myASN: UInt32, remoteAS: RemoteAS, endpoint: Endpoint) {
        self.metadata = metadata
        self.myASN = myASN
        self.remoteAS = remoteAS
        self.endpoint = endpoint
    }

    /// The most that ``maximumPrefixes`` may be: each is remembered, to be counted once.
    public static let prefixLimit = 1_000_000

    /// The families of the routes that the session carries: its own, and both over an unnumbered
    /// one, which has no family of its own to speak of (RFC 8950).
    public var families: Set<IPAddress.Family> {
        switch endpoint {
        case .address(let address) where !dualStackAddressFamily: [address.family]
        case .address, .interface: Set(IPAddress.Family.allCases)
        }
    }

    /// The AS number that the peer sees: `localASN`, else `myASN`.
    public var effectiveASN: UInt32 { localASN ?? myASN }

    /// Whether the session is inside one autonomous system (iBGP).
    public var isInternal: Bool {
        switch remoteAS {
        case .number(let number): number == effectiveASN
        case .sameAsOurs: true
        case .anyOther: false
        }
    }
}

extension BGPPeer.Password: CustomStringConvertible, CustomDebugStringConvertible {
    /// Never the password itself, so that no log line shows it.
    public var description: String {
        switch self {
        case .text: "(password)"
        case .secret(let name): "Secret \(name)"
        }
    }

    /// The same as ``description``.
    public var debugDescription: String { description }
}
