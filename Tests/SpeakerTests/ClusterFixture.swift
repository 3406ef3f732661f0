import ClusterSource
import Kubernetes
import NetworkTypes

extension Service {
    /// A Service of type LoadBalancer in the namespace `shop` that has addresses and port 80.
    init(_ name: String, has addresses: String..., change: (inout Service) -> Void = { _ in }) {
        self.init(metadata: ObjectMeta(name: ObjectName(namespace: "shop", name)))
        kind = .loadBalancer
        ports = [Port(port: 80)]
        ingress = addresses.compactMap { IPAddress($0) }.map { Ingress(address: $0) }
        change(&self)
    }
}

extension ClusterState {
    /// A pool `main` around 192.0.2.0/24 and 2001:db8::/64, and one advertisement of everything.
    static var example: ClusterState {
        var state = ClusterState()
        let main = IPAddressPool(
            metadata: ObjectMeta(
                name: ObjectName(namespace: "metallb-system", "main"), labels: ["kind": "lan"]),
            addresses: ["192.0.2.0/24", "2001:db8::/64"].compactMap { AddressRange($0) })
        state.snapshot.configuration.pools["main"] = main
        state.advertise("all")
        return state
    }

    mutating func advertise(_ name: String, change: (inout L2Advertisement) -> Void = { _ in }) {
        var advertisement = L2Advertisement(
            metadata: ObjectMeta(name: ObjectName(namespace: "metallb-system", name)))
        change(&advertisement)
        snapshot.configuration.l2Advertisements[name] = advertisement
    }

    mutating func add(_ service: Service) { snapshot.services[service.name] = service }

    mutating func addNode(_ name: String, change: (inout Node) -> Void = { _ in }) {
        var node = Node(metadata: ObjectMeta(name: ObjectName(name)))
        change(&node)
        snapshot.nodes[name] = node
    }

    /// Endpoints of a Service of `shop`, all with one port.
    mutating func addEndpoints(
        of service: String, port: EndpointSlice.Port = .init(port: 8080),
        _ endpoints: EndpointSlice.Endpoint?...
    ) {
        let present = endpoints.compactMap(\.self)
        let name = ObjectName(namespace: "shop", service)
        let count = snapshot.endpointSlices[name]?.count ?? 0
        snapshot.endpointSlices[name, default: []].append(
            EndpointSlice(
                metadata: ObjectMeta(name: ObjectName(namespace: "shop", "\(service)-\(count)")),
                service: name, family: present.first?.address.family ?? .ipv4, endpoints: present,
                ports: [port]))
    }
}

extension EndpointSlice.Endpoint {
    /// An endpoint whose address is text.
    init?(_ text: String, on node: String? = nil, ready: Bool? = true, serving: Bool? = nil) {
        guard let address = IPAddress(text) else { return nil }
        self.init(address: address, ready: ready, serving: serving, nodeName: node)
    }
}
