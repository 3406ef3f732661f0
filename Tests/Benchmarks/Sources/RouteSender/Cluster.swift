import BGP
import ClusterSource
import Kubernetes
import LoadBalancing
import NetworkTypes
import Speaker

/// A cluster of Services with an endpoint each on the node that plans, all of them with the policy
/// Local: moving an endpoint away takes a route away, and moving it back brings the route back.
struct Cluster {
    static let peer = "receiver"
    private static let node = "n1"

    private var state = ClusterState()
    private var input = RouteInput(node: node, scope: ServiceScope())
    private var planner = RoutePlanner(node: node)

    init(count: Int) {
        guard let pool = AddressRange("198.18.0.0/15"), let router = IPAddress("192.0.2.1") else {
            return
        }
        state.snapshot.configuration.pools["main"] = IPAddressPool(
            metadata: Self.metadata("main"), addresses: [pool])
        state.snapshot.configuration.bgpAdvertisements["all"] = BGPAdvertisement(
            metadata: Self.metadata("all"))
        state.snapshot.configuration.bgpPeers[Self.peer] = Kubernetes.BGPPeer(
            metadata: Self.metadata(Self.peer), myASN: 64_500, remoteAS: .anyOther,
            endpoint: .address(router))
        for node in [Self.node, "n2"] {
            state.snapshot.nodes[node] = Node(metadata: ObjectMeta(name: ObjectName(node)))
            state.speakers[node] = SpeakerRecord(node: node, interfaces: [])
        }
        for number in 0..<count {
            var service = Service(metadata: Self.metadata("s\(number)"))
            service.kind = .loadBalancer
            service.externalTrafficPolicy = .local
            service.ports = [Service.Port(port: 80)]
            service.ingress = [Service.Ingress(address: Self.prefix(number).network)]
            state.snapshot.services[service.name] = service
            state.snapshot.endpointSlices[service.name] = [slice(of: service.name, on: Self.node)]
        }
    }

    /// The prefix of a Service.
    static func prefix(_ number: Int) -> Prefix {
        let address = IPAddress(ipv4: 0xc612_0000 + UInt32(number))
        guard let prefix = Prefix(address, length: 32) else {
            preconditionFailure("every IPv4 address is a block")
        }
        return prefix
    }

    mutating func moveEndpoint(of number: Int) {
        let name = Self.metadata("s\(number)").name
        let isHere = state.snapshot.endpointSlices[name]?.first?.endpoints.first?.nodeName
        state.snapshot.endpointSlices[name] = [
            slice(of: name, on: isHere == Self.node ? "n2" : Self.node)
        ]
    }

    /// What the state as it is now changes for the peer.
    mutating func changes() -> [String: [Prefix: Route?]] {
        planner.update(input.update(state)).mapValues { routes in
            routes.mapValues { planned in
                planned.map { Route(localPreference: $0.localPreference) }
            }
        }
    }

    private func slice(of name: ObjectName, on node: String) -> EndpointSlice {
        let endpoints = [IPAddress("203.0.113.1")].compactMap(\.self).map {
            EndpointSlice.Endpoint(address: $0, ready: true, nodeName: node)
        }
        return EndpointSlice(
            metadata: ObjectMeta(name: name), service: name, family: .ipv4,
            endpoints: endpoints, ports: [EndpointSlice.Port(port: 8080)])
    }

    private static func metadata(_ name: String) -> ObjectMeta {
        ObjectMeta(name: ObjectName(namespace: "default", name))
    }
}
