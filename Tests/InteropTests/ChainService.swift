/// A Pod of the scene.
struct ChainPod: Hashable, Sendable {
    static let a = ChainPod(letter: "a", number: 10)
    static let b = ChainPod(letter: "b", number: 10)
    static let a2 = ChainPod(letter: "a", number: 11)
    static let b2 = ChainPod(letter: "b", number: 11)

    /// Of its node.
    let letter: String
    /// Within its node.
    let number: Int
    /// What its EndpointSlice says.
    var conditions = "ready: true"

    /// The namespace that it is in.
    var host: String { "backend-\(letter)" }

    /// IPv4, IPv6.
    var addresses: [String] {
        ["198.51.100.\((letter == "a" ? 0 : 64) + number)", "2001:db8:\(letter)::\(number)"]
    }

    /// The same while it ends, and still serves.
    var terminating: ChainPod {
        with("ready: false, serving: true, terminating: true")
    }

    /// The same before it serves.
    var starting: ChainPod { with("ready: false, serving: false") }

    private func with(_ conditions: String) -> ChainPod {
        var pod = self
        pod.conditions = conditions
        return pod
    }
}

/// A Service of the scene, with its EndpointSlices.
///
/// Service `number` has 192.0.2.`number` and 2001:db8:2::`number`, the cluster addresses
/// 198.18.0.`number` and 2001:db8:c1::`number`, and the node ports from 30000 + 10 · `number` on.
struct ChainService {
    struct Port {
        var transport: String
        var port: Int
        /// At the endpoint.
        var target: Int
        /// Whether any endpoint has it.
        var isServed = true

        /// One of each protocol, at ports of the endpoints that have a server.
        static let allTransports = [
            Port(transport: "TCP", port: 80, target: 8080),
            Port(transport: "UDP", port: 80, target: 5353),
            Port(transport: "SCTP", port: 80, target: 9999),
        ]
    }

    /// Where traffic enters.
    enum Entrance {
        case loadBalancer
        case cluster
        /// The node port of a node.
        case node(String)
    }

    var name: String
    var number: Int
    var ports = [Port(transport: "TCP", port: 80, target: 8080)]
    var endpoints: [ChainPod]
    var policy = "Cluster"
    /// More lines of the Service's `spec`.
    var spec: [String] = []
    var annotations: [String] = []
    /// The number of its cluster addresses and node ports, where it shares its address.
    var cluster: Int?

    /// What a client asks to reach every port, by both families.
    func targets(_ entrances: Entrance..., from source: Int? = nil) -> [String] {
        entrances.flatMap { entrance in
            ports.indices.flatMap { index in
                (0..<2).map { family in
                    let transport = ports[index].transport.lowercased()
                    let place = place(entrance, family, index)
                    let client = source.map {
                        family == 0 ? "/192.0.2.\($0)" : "/2001:db8:2::\($0)"
                    }
                    return "\(transport)/\(place.address)/\(place.port)\(client ?? "")"
                }
            }
        }
    }

    /// IPv4, IPv6.
    var addresses: [String] { ["192.0.2.\(number)", "2001:db8:2::\(number)"] }
    var clusterAddresses: [String] { ["198.18.0.\(own)", "2001:db8:c1::\(own)"] }
    func nodePort(_ index: Int = 0) -> Int { 30000 + 10 * own + index }
    private var own: Int { cluster ?? number }

    private func place(
        _ entrance: Entrance, _ family: Int, _ index: Int
    ) -> (address: String, port: Int) {
        switch entrance {
        case .loadBalancer: (addresses[family], ports[index].port)
        case .cluster: (clusterAddresses[family], ports[index].port)
        case .node(let letter):
            (ChainNode.addresses(letter)[family], nodePort(index))
        }
    }

    var manifest: String {
        let lists = ports.enumerated().map { index, port in
            """
              - {name: p\(index), port: \(port.port), targetPort: \(port.target), \
            protocol: \(port.transport), nodePort: \(nodePort(index))}
            """
        }
        let more = spec.map { "  \($0)\n" }.joined()
        let notes = annotations.map { "    \($0)\n" }.joined()
        return """
            apiVersion: v1
            kind: Service
            metadata:
              name: \(name)
              namespace: default
              annotations:
                metallb.io/loadBalancerIPs: '\(addresses.joined(separator: ","))'
            \(notes)spec:
              type: LoadBalancer
              ipFamilies: [IPv4, IPv6]
              ipFamilyPolicy: RequireDualStack
              clusterIPs: [\(clusterAddresses[0]), '\(clusterAddresses[1])']
              externalTrafficPolicy: \(policy)
            \(more)  ports:
            \(lists.joined(separator: "\n"))
            \(slice(0))\(slice(1))
            """
    }

    private func slice(_ family: Int) -> String {
        let lists = ports.enumerated().filter(\.element.isServed).map { index, port in
            "- {name: p\(index), port: \(port.target), protocol: \(port.transport)}"
        }
        let lines = endpoints.map { pod in
            "- {addresses: ['\(pod.addresses[family])'], nodeName: node-\(pod.letter), "
                + "conditions: {\(pod.conditions)}}"
        }
        return """
            ---
            apiVersion: discovery.k8s.io/v1
            kind: EndpointSlice
            metadata:
              name: \(name)-\(family)
              namespace: default
              labels: {kubernetes.io/service-name: \(name)}
            addressType: \(family == 0 ? "IPv4" : "IPv6")
            ports:
            \(lists.joined(separator: "\n"))
            endpoints:\(lines.isEmpty ? " []" : "")
            \(lines.joined(separator: "\n"))

            """
    }
}

enum ChainNode {
    /// IPv4, IPv6.
    static func addresses(_ letter: String) -> [String] {
        let number = letter == "a" ? 11 : 12
        return ["192.0.2.\(number)", "2001:db8:2::\(number)"]
    }
}
