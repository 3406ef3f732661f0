import BGP
import Kubernetes
import LinuxNetwork
import NetworkTypes

extension BGPPeerPlan {
    /// What the configuration says of a peer.
    ///
    /// - Parameters:
    ///   - routerID: ours where the peer does not say.
    init(_ peer: Kubernetes.BGPPeer, profile: BFDProfile?, routerID: UInt32) {
        self.init(
            session: PeerSettings(peer, routerID: routerID), transport: PeerTransport(peer),
            bfd: profile)
    }
}

extension Kubernetes.BGPPeer {
    /// The family of the session's own addresses; `nil` for unnumbered peering, which is over
    /// IPv6 and carries both.
    fileprivate var family: IPAddress.Family? {
        switch endpoint {
        case .address(let address): address.family
        case .interface: nil
        }
    }
}

extension PeerSettings {
    /// The first wait after a failure where the configuration says nothing: routers that come
    /// back are wanted soon, and back-off protects those that do not.
    static let defaultConnectRetrySeconds: UInt16 = 2

    init(_ peer: Kubernetes.BGPPeer, routerID: UInt32) {
        let remote: RemoteAS =
            switch peer.remoteAS {
            case .number(let number): .number(number)
            case .sameAsOurs: .sameAsOurs
            case .anyOther: .anyOther
            }
        let own = peer.routerID.map { UInt32(truncatingIfNeeded: $0.bits) } ?? routerID
        self.init(localAS: peer.effectiveASN, remoteAS: remote, routerID: own)
        holdTime = UInt16(clamping: peer.holdTimeSeconds)
        keepaliveTime = UInt16(clamping: peer.keepaliveTimeSeconds)
        connectRetryTime =
            peer.connectTimeSeconds.map(UInt16.init(clamping:)) ?? Self.defaultConnectRetrySeconds
        isPassive = peer.passive
        let family = peer.family
        if peer.dualStackAddressFamily || family == nil {
            families = [.ipv4, .ipv6]
        } else if let family {
            families = [RouteFamily(family)]
        }
        // Without multiprotocol capabilities nothing but IPv4 can be said.
        offersMultiprotocol = !peer.disableMP || families.contains(.ipv6)
        offersExtendedNextHop = families.contains(.ipv4) && family != .ipv4
        if peer.enableGracefulRestart {
            // A process cannot know whether one before it had sessions; where there was none, the
            // peer has no stale routes and the bits mean nothing to it.
            gracefulRestart = GracefulRestart(
                time: UInt16(clamping: peer.gracefulRestartTimeSeconds), isRestarting: true)
        }
        role = peer.role.map(PeerRole.init)
        shutdownMessage = peer.shutdownMessage
        prefixLimit = peer.maximumPrefixes
    }
}

extension PeerRole {
    init(_ role: Kubernetes.BGPPeer.Role) {
        self =
            switch role {
            case .provider: .provider
            case .routeServer: .routeServer
            case .routeServerClient: .routeServerClient
            case .customer: .customer
            case .peer: .peer
            }
    }
}

extension PeerTransport {
    init(_ peer: Kubernetes.BGPPeer) {
        switch peer.endpoint {
        case .address(let address): self.init(place: .address(address))
        case .interface(let name): self.init(place: .interface(name))
        }
        port = peer.peerPort
        source = peer.sourceAddress
        vrf = peer.vrf
        key = StreamKey(bytes: peer.passwordBytes)
        if let hops = peer.ttlSecurityHops {
            distance = .secured(hops: hops)
        } else if peer.ebgpMultiHop || peer.isInternal {
            distance = .multihop
        }
    }
}
