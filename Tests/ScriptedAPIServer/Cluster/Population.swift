/// Objects in numbers, shaped as real clusters have them.
package struct Population: Sendable {
    package var services = 0
    /// Of each Service.
    package var endpoints = 0
    package var nodes = 0
    /// Whether the Services already have an address.
    package var areAssigned = false

    package struct Fault: Error, CustomStringConvertible {
        package var description: String
    }

    package init(services: Int = 0, endpoints: Int = 0, nodes: Int = 0) {
        self.services = services
        self.endpoints = endpoints
        self.nodes = nodes
    }

    /// `services=N,endpoints=M,nodes=K`; `assigned=1` gives the Services addresses.
    package init(_ text: String) throws {
        for item in text.split(separator: ",") {
            let pair = item.split(separator: "=")
            guard pair.count == 2, let count = Int(pair[1]), count >= 0 else {
                throw Fault(description: "\(item): name=number is expected")
            }
            switch pair[0] {
            case "services": services = count
            case "endpoints": endpoints = count
            case "nodes": nodes = count
            case "assigned": areAssigned = count > 0
            default: throw Fault(description: "\(pair[0]) is not services, endpoints or nodes")
            }
        }
    }

    /// Creates the objects.
    package func fill(_ cluster: Cluster) throws(StatusError) {
        var options = WriteOptions(manager: "kube-controller-manager")
        for number in 0..<nodes { try cluster.create(Self.node(number), options: options) }
        options.manager = "kubectl-client-side-apply"
        for number in 0..<services {
            let service = try cluster.create(Self.service(number), options: options)
            if areAssigned {
                try cluster.patch(
                    "services", namespace: "default", Self.name(number),
                    [
                        "status": [
                            "loadBalancer": [
                                "ingress": [["ip": .string(Self.address(number)), "ipMode": "VIP"]]
                            ]
                        ]
                    ], subresource: "status")
            }
            guard endpoints > 0 else { continue }
            let slice = slice(number, owner: service["metadata", "uid"]?.string ?? "")
            try cluster.create(slice, options: WriteOptions(manager: "kube-controller-manager"))
        }
    }

    package static func name(_ number: Int) -> String { "service-\(number)" }

    private static func address(_ number: Int) -> String {
        "198.19.\(number >> 8 & 255).\(number & 255)"
    }

    package static func node(_ number: Int) -> JSONValue {
        let name = "node-\(number)"
        func condition(_ type: String, _ status: String, _ reason: String) -> JSONValue {
            [
                "type": .string(type), "status": .string(status), "reason": .string(reason),
                "message": "", "lastHeartbeatTime": "2026-01-01T00:00:00Z",
                "lastTransitionTime": "2026-01-01T00:00:00Z",
            ]
        }
        return [
            "apiVersion": "v1", "kind": "Node",
            "metadata": [
                "name": .string(name),
                "labels": [
                    "kubernetes.io/hostname": .string(name), "kubernetes.io/os": "linux",
                    "kubernetes.io/arch": "amd64",
                ],
            ],
            "spec": ["podCIDR": .string("198.18.\(number & 255).0/24")],
            "status": [
                "addresses": [
                    [
                        "type": "InternalIP",
                        "address": .string("192.0.2.\(number % 250 + 1)"),
                    ], ["type": "Hostname", "address": .string(name)],
                ],
                "conditions": [
                    condition("MemoryPressure", "False", "KubeletHasSufficientMemory"),
                    condition("DiskPressure", "False", "KubeletHasNoDiskPressure"),
                    condition("PIDPressure", "False", "KubeletHasSufficientPID"),
                    condition("Ready", "True", "KubeletReady"),
                ],
                "nodeInfo": ["kubeletVersion": "v1.34.0", "architecture": "amd64"],
                "images": .array(
                    (0..<20).map { image in
                        [
                            "names": [.string("registry.example/image-\(image):v1")],
                            "sizeBytes": .integer(Int64(10_000_000 + image)),
                        ]
                    }),
            ],
        ]
    }

    package static func service(_ number: Int) -> JSONValue {
        [
            "apiVersion": "v1", "kind": "Service",
            "metadata": [
                "name": .string(name(number)), "namespace": "default",
                "labels": ["app": .string("app-\(number)")],
            ],
            "spec": [
                "type": "LoadBalancer", "selector": ["app": .string("app-\(number)")],
                "ports": [["name": "http", "port": 80, "targetPort": 8080, "protocol": "TCP"]],
            ],
        ]
    }

    package func slice(_ number: Int, owner: String) -> JSONValue {
        let endpoints = (0..<endpoints).map { index -> JSONValue in
            let serial = number * self.endpoints + index
            return [
                "addresses": [.string("198.18.\(serial >> 8 & 255).\(serial & 255)")],
                "conditions": ["ready": true, "serving": true, "terminating": false],
                "nodeName": .string("node-\(nodes > 0 ? serial % nodes : 0)"),
                "targetRef": [
                    "kind": "Pod", "namespace": "default",
                    "name": .string("app-\(number)-\(index)"),
                    "uid": .string("00000000-0000-4000-8000-00000000\(serial % 9000 + 1000)"),
                ],
            ]
        }
        return [
            "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
            "metadata": [
                "name": .string("\(Self.name(number))-abcde"), "namespace": "default",
                "labels": [
                    "app": .string("app-\(number)"),
                    "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
                    "kubernetes.io/service-name": .string(Self.name(number)),
                ],
                "ownerReferences": [
                    [
                        "apiVersion": "v1", "kind": "Service", "name": .string(Self.name(number)),
                        "uid": .string(owner), "controller": true, "blockOwnerDeletion": true,
                    ]
                ],
            ],
            "addressType": "IPv4", "endpoints": .array(endpoints),
            "ports": [["name": "http", "port": 8080, "protocol": "TCP"]],
        ]
    }
}
