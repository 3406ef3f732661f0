import ScriptedAPIServer

/// Objects as users write them.
enum Sample {
    /// A Service of type LoadBalancer; everything else as `spec` says.
    static func service(
        _ name: String, namespace: String = Scene.shop, annotations: [String: String] = [:],
        labels: [String: String] = [:], ports: [(protocol: String, port: Int)] = [("TCP", 80)],
        spec: [String: JSONValue] = [:]
    ) -> JSONValue {
        let ports = ports.map { port -> JSONValue in
            [
                "name": .string("\(port.protocol.lowercased())-\(port.port)"),
                "protocol": .string(port.protocol), "port": .integer(Int64(port.port)),
            ]
        }
        var service: JSONValue = [
            "apiVersion": "v1", "kind": "Service",
            "metadata": [
                "name": .string(name), "namespace": .string(namespace),
                "annotations": text(annotations), "labels": text(labels),
            ],
            "spec": [
                "type": "LoadBalancer", "selector": ["app": .string(name)], "ports": .array(ports),
            ],
        ]
        for (key, value) in spec { service["spec", key] = value }
        return service
    }

    /// A pool of addresses.
    static func pool(
        _ name: String, _ addresses: String..., spec: [String: JSONValue] = [:]
    ) -> JSONValue {
        var pool: JSONValue = [
            "apiVersion": "metallb.io/v1beta1", "kind": "IPAddressPool",
            "metadata": ["name": .string(name), "namespace": .string(Scene.namespace)],
            "spec": ["addresses": .array(addresses.map { .string($0) })],
        ]
        for (key, value) in spec { pool["spec", key] = value }
        return pool
    }

    /// Has every pool announced, so that nothing is left to warn of.
    static let advertisement: JSONValue = [
        "apiVersion": "metallb.io/v1beta1", "kind": "L2Advertisement",
        "metadata": ["name": "all", "namespace": .string(Scene.namespace)],
    ]

    private static func text(_ values: [String: String]) -> JSONValue {
        .object(JSONObject(values.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) }))
    }
}
