import ClusterSource
import Kubernetes
import NetworkTypes
import Speaker

/// A cluster of Services with a cluster address, a load balancer address, a node port and two
/// endpoints each.
struct Cluster {
    static let node = "n1"

    private(set) var state = ClusterState()

    init(count: Int) {
        state.snapshot.nodes[Self.node] = Node(
            metadata: ObjectMeta(name: ObjectName(Self.node)))
        for number in 0..<count {
            var service = Service(metadata: Self.metadata(number))
            service.kind = .loadBalancer
            service.clusterIPs = [IPAddress(ipv4: 0xc613_0000 + UInt32(number))]
            service.ingress = [
                Service.Ingress(address: IPAddress(ipv4: 0xc612_0000 + UInt32(number)))
            ]
            service.ports = [
                Service.Port(
                    port: 80, targetPort: .number(8080), nodePort: UInt16(30_000 + number % 20_000))
            ]
            state.snapshot.services[service.name] = service
            state.snapshot.endpointSlices[service.name] = [Self.slice(of: number, turn: 0)]
        }
    }

    /// What the data plane is told of it.
    var chains: ServiceChains {
        ServiceChains(state, node: Self.node, scope: ServiceScope())
    }

    /// One of a Service's two endpoints gives way to another.
    mutating func change(_ number: Int, turn: Int) {
        state.snapshot.endpointSlices[Self.metadata(number).name] = [
            Self.slice(of: number, turn: turn)
        ]
    }

    private static func slice(of number: Int, turn: Int) -> EndpointSlice {
        let name = metadata(number).name
        let host = UInt32(number % 120)
        let addresses = [0xc000_0201 + host, 0xc633_6401 + (host + UInt32(turn)) % 250]
        return EndpointSlice(
            metadata: ObjectMeta(name: name), service: name, family: .ipv4,
            endpoints: addresses.map {
                EndpointSlice.Endpoint(
                    address: IPAddress(ipv4: $0), ready: true, nodeName: node)
            },
            ports: [EndpointSlice.Port(port: 8080)])
    }

    private static func metadata(_ number: Int) -> ObjectMeta {
        ObjectMeta(name: ObjectName(namespace: "default", "s\(number)"))
    }
}
