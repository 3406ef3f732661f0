import BGP
import Kubernetes
import LinuxNetwork
import NetworkTypes

/// How to reach and to talk to one peer of this node; what it is to be told comes beside.
package struct BGPPeerPlan: Sendable, Equatable {
    /// How the session is to be held.
    package var session: PeerSettings
    /// How the peer is reached.
    package var transport: PeerTransport
    /// How BFD is to watch the path to it; `nil` for not at all.
    package var bfd: BFDProfile?

    package init(session: PeerSettings, transport: PeerTransport, bfd: BFDProfile? = nil) {
        self.session = session
        self.transport = transport
        self.bfd = bfd
    }
}

/// How a peer is reached: everything that belongs to TCP and IP rather than to BGP.
package struct PeerTransport: Hashable, Sendable {
    /// Where the peer is.
    package enum Place: Hashable, Sendable {
        /// At this address.
        case address(IPAddress)
        /// The router that sends advertisements on this interface (unnumbered peering).
        case interface(String)
    }

    /// How far away the peer may be.
    package enum Distance: Hashable, Sendable {
        /// On the same subnet: TTL 1 out, anything in (RFC 4271 §5.1.3 for eBGP).
        case direct
        /// Anywhere.
        case multihop
        /// At most so many hops, 1–254, which packets have to prove (RFC 5082).
        case secured(hops: Int)
    }

    package var place: Place
    /// The port that connections are made to.
    package var port: UInt16 = 179
    /// The address that connections are made from.
    package var source: IPAddress?
    /// The VRF device that connections are bound to; empty for none.
    package var vrf = ""
    package var distance: Distance = .direct
    /// The key of TCP MD5 signatures (RFC 2385); `nil` for none.
    package var key: StreamKey?

    package init(place: Place) { self.place = place }
}

extension PeerTransport: CustomStringConvertible {
    /// The address or the interface.
    package var description: String {
        switch place {
        case .address(let address): "\(address)"
        case .interface(let name): name
        }
    }
}

extension PeerTransport.Distance {
    /// What the socket is told.
    var reach: StreamReach {
        switch self {
        case .direct: .adjacent
        case .multihop: .routed(64)
        case .secured(let hops): .secured(hops: UInt8(clamping: hops))
        }
    }
}
