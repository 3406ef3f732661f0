import BGP
import LinuxNetwork
import NetworkTypes

/// A peer at run time: its machine, what it is told, its connections. Belongs to the BGP thread.
final class PeerRunner {
    let name: String
    var plan: BGPPeerPlan
    var machine: BGP.BGPPeer
    var rib = AdjRIBOut()
    var connections: [ConnectionID: PeerConnection] = [:]
    /// The connection of the Established session.
    var established: ConnectionID?
    var nextHops: [RouteFamily: NextHop] = [:]
    /// The router that is heard on the interface of an unnumbered peer.
    var neighbour: IPAddress?
    /// What BFD watches for it.
    var watched: BFDPath?
    var verdict: BFDVerdict?
    /// Whether routers lie between, as far as BFD is concerned; `nil` before it was found out.
    var isFar: Bool?
    /// The last reason for which no connection could be tried.
    var hindrance: String?
    /// When the withdrawals of a session that ends have had time enough.
    var farewell: Instant?
    var incomingCount: UInt64 = 0

    init(name: String, plan: BGPPeerPlan, seed: UInt64) {
        self.name = name
        self.plan = plan
        machine = BGP.BGPPeer(settings: plan.session, seed: seed)
    }

    /// Where connections go to; `nil` while no router is heard.
    var remote: IPAddress? {
        switch plan.transport.place {
        case .address(let address): address
        case .interface: neighbour
        }
    }

    /// The interface of an unnumbered peer.
    var interface: String? {
        switch plan.transport.place {
        case .address: nil
        case .interface(let name): name
        }
    }

    /// What connections are bound to: the interface, else the VRF.
    var device: String? {
        interface ?? (plan.transport.vrf.isEmpty ? nil : plan.transport.vrf)
    }

    var streamOptions: StreamOptions {
        StreamOptions(
            source: plan.transport.source, interface: device,
            reach: plan.transport.distance.reach, key: plan.transport.key)
    }

    /// The connection of the Established session, as long as it is there.
    var session: PeerConnection? { established.flatMap { connections[$0] } }

    // MARK: Routes

    /// Takes in changes of the plan.
    func change(_ changes: [Prefix: Route?]) {
        // What ends is not to be told anything new.
        guard farewell == nil else { return }
        rib.want(changes.lazy.map { ($0.key, $0.value) })
    }

    /// Marks every route as about to go, or takes the marks away.
    func mark(_ isGoing: Bool) {
        guard farewell == nil else { return }
        rib.mark(goingAway: isGoing)
    }
}
