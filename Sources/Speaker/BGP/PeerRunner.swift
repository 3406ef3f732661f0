import BGP
import LinuxNetwork
import NetworkTypes

/// A peer at run time: its machine, what it is told, its connections. Belongs to the BGP thread.
final class PeerRunner {
    let name: String
    var plan: BGPPeerPlan
    var machine: BGP.BGPPeer
    var rib = AdjRIBOut()
    /// The routes as planned; what is told may carry a mark more.
    var routes = RouteTable()
    /// Whether every route is marked as about to go.
    var isMarked = false
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
        for (prefix, route) in changes { routes[prefix] = route }
        // What ends is not to be told anything new.
        guard farewell == nil else { return }
        rib.want(changes.map { ($0.key, $0.value.map(marked)) })
    }

    /// Marks every route as about to go, or takes the marks away.
    func mark(_ isGoing: Bool) {
        guard isGoing != isMarked else { return }
        isMarked = isGoing
        guard farewell == nil else { return }
        rib.want(isGoing ? routes.mapRoutes(\.goingAway) : routes)
    }

    /// RFC 8326 §4.2: the community for everybody, and for our own AS the lowest preference.
    private func marked(_ route: Route) -> Route { isMarked ? route.goingAway : route }
}

extension Route {
    /// The route as one that is about to go.
    var goingAway: Route {
        var route = adding(.gracefulShutdown)
        route.localPreference = 0
        return route
    }
}
