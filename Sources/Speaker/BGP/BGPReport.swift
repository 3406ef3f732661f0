import BFD
import BGP
import LinuxNetwork
import NetworkTypes

/// What is so with the peers of this node.
package struct BGPReport: Sendable {
    /// One peer.
    package struct Peer: Sendable {
        /// The name of its BGPPeer.
        package var name: String
        /// How it is reached.
        package var transport: PeerTransport
        /// This end of the connection that is furthest on.
        package var local: StreamEnd?
        /// The other end.
        package var remote: StreamEnd?
        /// The session.
        package var status: PeerStatus
        /// What is wanted, was told, and waits.
        package var routes: OutboundCounts
        /// Where the routes point to.
        package var nextHops: [RouteFamily: NextHop]
        /// Why routes of a family are not told to this peer, though there are some.
        package var obstacles: [RouteFamily: RouteObstacle]
        /// What the path's BFD session last said; `nil` without BFD.
        package var path: BFDVerdict?
        /// What that session watches.
        package var watched: BFDPath?
        /// Of the prefixes asked for, those that the peer has, with their attributes.
        package var told: [Prefix: PathAttributes] = [:]
        /// Why no connection can even be tried.
        package var hindrance: String?

        /// Whether routes are exchanged.
        package var isEstablished: Bool { status.state == .established }
    }

    /// By name.
    package var peers: [Peer] = []
    /// Where peers can connect to us; empty when nothing listens.
    package var listening: [SocketAddress] = []
    /// Why nothing listens although something should.
    package var listeningTrouble: String?
    /// Whether every route is marked as about to go.
    package var marksShutdown = false

    package init() {}

    /// The peers with an established session.
    package var establishedCount: Int { peers.count(where: \.isEstablished) }
}
