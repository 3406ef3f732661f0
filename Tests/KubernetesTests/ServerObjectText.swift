import Kubernetes

/// Objects as API servers of Kubernetes 1.24 to 1.34 send them, typed by hand, and short cuts to
/// decode them in tests.
enum ServerObjectText {
    static let managedFields = #"""
        "managedFields":[{"manager":"kubectl-client-side-apply","operation":"Update",
        "apiVersion":"v1","time":"2026-03-01T08:00:00Z","fieldsType":"FieldsV1","fieldsV1":
        {"f:metadata":{"f:labels":{".":{},"f:app":{}}},"f:spec":{"f:ports":{".":{},
        "k:{\"port\":80,\"protocol\":\"TCP\"}":{".":{},"f:port":{}}},"f:type":{}}}}]
        """#

    /// What 1.34 knows and 1.24 does not is in it: `ipMode`, `trafficDistribution`.
    static let service = #"""
        {"kind":"Service","apiVersion":"v1","metadata":{"name":"web","namespace":"shop",
        "uid":"8a1f4b8e-62b1-4c70-8a53-5b0f1a1d9a10","resourceVersion":"4711","generation":1,
        "creationTimestamp":"2026-03-01T08:00:00Z",
        "labels":{"app":"web","app.kubernetes.io/name":"storefront"},
        "annotations":{"metallb.io/address-pool":"public",
        "kubectl.kubernetes.io/last-applied-configuration":"{\"spec\":{\"type\":\"x\"}}\n"},
        "finalizers":["service.kubernetes.io/load-balancer-cleanup"],\#(managedFields)},
        "spec":{"ports":[{"name":"http","protocol":"TCP","port":80,"targetPort":8080,
        "nodePort":31080,"appProtocol":"http"},{"name":"dns","protocol":"UDP","port":53,
        "targetPort":"dns","nodePort":31053}],"selector":{"app":"web"},
        "clusterIP":"198.18.0.10","clusterIPs":["198.18.0.10","2001:db8:96::a"],
        "type":"LoadBalancer","sessionAffinity":"ClientIP",
        "sessionAffinityConfig":{"clientIP":{"timeoutSeconds":600}},
        "loadBalancerSourceRanges":["203.0.113.0/24"],"externalTrafficPolicy":"Local",
        "healthCheckNodePort":32000,"ipFamilies":["IPv4","IPv6"],
        "ipFamilyPolicy":"PreferDualStack","allocateLoadBalancerNodePorts":true,
        "internalTrafficPolicy":"Cluster","trafficDistribution":"PreferClose"},
        "status":{"loadBalancer":{"ingress":[{"ip":"192.0.2.7","ipMode":"VIP",
        "ports":[{"port":80,"protocol":"TCP"}]}]},
        "conditions":[{"type":"martlet.dev/AddressAssigned","status":"True",
        "observedGeneration":1,"lastTransitionTime":"2026-03-01T08:00:01Z",
        "reason":"Assigned","message":"192.0.2.7 of pool public"},
        {"type":"example.com/Audited","status":"False","reason":"No","message":"",
        "lastTransitionTime":"2026-03-01T08:00:01Z"}]}}
        """#

    static let endpointSlice = #"""
        {"metadata":{"name":"web-x7k2p","generateName":"web-","namespace":"shop",
        "uid":"1f0f6f1c-08a7-4e3e-9a44-0e9a2d0c7b11","resourceVersion":"4802","generation":3,
        "creationTimestamp":"2026-03-01T08:00:00Z",
        "labels":{"app":"web","kubernetes.io/service-name":"web",
        "endpointslice.kubernetes.io/managed-by":"endpointslice-controller.k8s.io"},
        "annotations":{"endpoints.kubernetes.io/last-change-trigger-time":"2026-03-01T08:00:00Z"},
        "ownerReferences":[{"apiVersion":"v1","kind":"Service","name":"web","uid":"u",
        "controller":true,"blockOwnerDeletion":true}],\#(managedFields)},
        "addressType":"IPv4","endpoints":[{"addresses":["198.51.100.4"],
        "conditions":{"ready":true,"serving":true,"terminating":false},
        "targetRef":{"kind":"Pod","namespace":"shop","name":"web-7d4b9c6f5-x2k2p","uid":"p"},
        "nodeName":"worker-1.example.com","zone":"a","hints":{"forZones":[{"name":"a"}]}},
        {"addresses":["198.51.100.5"],"conditions":{"ready":false,"serving":true,
        "terminating":true},"nodeName":"worker-2.example.com"},
        {"addresses":["198.51.100.6"],"conditions":{}}],
        "ports":[{"name":"http","port":8080,"protocol":"TCP"},
        {"name":"dns","port":53,"protocol":"UDP","appProtocol":null}]}
        """#

    static let node = #"""
        {"kind":"Node","apiVersion":"v1","metadata":{"name":"worker-1.example.com","uid":"n-1",
        "resourceVersion":"900","labels":{"kubernetes.io/hostname":"worker-1","rack":"a",
        "node.kubernetes.io/exclude-from-external-load-balancers":""},
        "annotations":{"node.alpha.kubernetes.io/ttl":"0","martlet.dev/drain":"true"},
        \#(managedFields)},
        "spec":{"podCIDR":"198.18.4.0/24","podCIDRs":["198.18.4.0/24"],"unschedulable":true,
        "taints":[{"key":"node.kubernetes.io/unschedulable","effect":"NoSchedule",
        "timeAdded":"2026-03-01T08:00:00Z"}],"providerID":"metal://1"},
        "status":{"capacity":{"cpu":"8"},"allocatable":{"cpu":"8"},"conditions":[
        {"type":"MemoryPressure","status":"False","lastHeartbeatTime":"2026-03-01T08:00:00Z"},
        {"type":"NetworkUnavailable","status":"False","reason":"CalicoIsUp"},
        {"type":"Ready","status":"True","lastHeartbeatTime":"2026-03-01T08:00:00Z",
        "reason":"KubeletReady","message":"kubelet is posting ready status"}],
        "addresses":[{"type":"InternalIP","address":"192.0.2.101"},
        {"type":"Hostname","address":"worker-1"}],
        "nodeInfo":{"kernelVersion":"6.1.0"},
        "images":[{"names":["registry.example.com/a@sha256:00"],"sizeBytes":123}]}}
        """#

    static let namespace = #"""
        {"kind":"Namespace","apiVersion":"v1","metadata":{"name":"shop","uid":"ns",
        "resourceVersion":"3","labels":{"kubernetes.io/metadata.name":"shop","team":"red"}},
        "spec":{"finalizers":["kubernetes"]},"status":{"phase":"Active"}}
        """#

    static let secret = #"""
        {"kind":"Secret","apiVersion":"v1","metadata":{"name":"router","namespace":"metallb-system",
        "uid":"s","resourceVersion":"5"},"data":{"password":"c2VjcmV0"},
        "type":"kubernetes.io/basic-auth"}
        """#

    static let pool = #"""
        {"apiVersion":"metallb.io/v1beta1","kind":"IPAddressPool","metadata":{"name":"public",
        "namespace":"metallb-system","uid":"p","resourceVersion":"77","generation":2,
        \#(managedFields)},"spec":{"addresses":["192.0.2.0/26","2001:db8:1::/112"],
        "autoAssign":true,"avoidBuggyIPs":false,"serviceAllocation":{"priority":10,
        "namespaces":["shop"],"serviceSelectors":[{"matchLabels":{"app":"web"}}]}},
        "status":{"assignedIPv4":1,"assignedIPv6":0,"availableIPv4":63,
        "availableIPv6":9223372036854775807,"reservations":[{"namespace":"shop","name":"old",
        "addresses":["192.0.2.9"],"until":"2026-03-01T09:00:00Z"}]}}
        """#

    static let l2Advertisement = #"""
        {"apiVersion":"metallb.io/v1beta1","kind":"L2Advertisement","metadata":{"name":"all",
        "namespace":"metallb-system","uid":"l","resourceVersion":"78"},
        "spec":{"ipAddressPools":["public"],"nodeSelectors":[{"matchExpressions":
        [{"key":"rack","operator":"In","values":["a","b"]}]}],"interfaces":["eth0"]}}
        """#

    static let bgpAdvertisement = #"""
        {"apiVersion":"metallb.io/v1beta1","kind":"BGPAdvertisement","metadata":{"name":"all",
        "namespace":"metallb-system","uid":"b","resourceVersion":"79"},
        "spec":{"aggregationLength":32,"aggregationLengthV6":128,"localPref":100,
        "communities":["64500:100","no-export"]}}
        """#

    static let bgpPeer = #"""
        {"apiVersion":"metallb.io/v1beta2","kind":"BGPPeer","metadata":{"name":"router",
        "namespace":"metallb-system","uid":"r","resourceVersion":"80"},
        "spec":{"myASN":64500,"peerASN":64501,"peerAddress":"192.0.2.1","holdTime":"1m30s",
        "bfdProfile":"fast","passwordSecret":{"name":"router","namespace":"metallb-system"}}}
        """#

    static let bfdProfile = #"""
        {"apiVersion":"metallb.io/v1beta1","kind":"BFDProfile","metadata":{"name":"fast",
        "namespace":"metallb-system","uid":"f","resourceVersion":"81"},
        "spec":{"receiveInterval":100,"transmitInterval":100,"detectMultiplier":3}}
        """#

    static let community = #"""
        {"apiVersion":"metallb.io/v1beta1","kind":"Community","metadata":{"name":"ours",
        "namespace":"metallb-system","uid":"c","resourceVersion":"82"},
        "spec":{"communities":[{"name":"quiet","value":"64500:666"}]}}
        """#

    /// Every kind that is read from servers.
    static let all: [(resource: APIResource, text: String)] = [
        (.services, service), (.endpointSlices, endpointSlice), (.nodes, node),
        (.namespaces, namespace), (.secrets, secret), (.ipAddressPools, pool),
        (.l2Advertisements, l2Advertisement), (.bgpAdvertisements, bgpAdvertisement),
        (.bgpPeers, bgpPeer), (.bfdProfiles, bfdProfile), (.communities, community),
    ]

    static func object(
        _ text: String, _ resource: APIResource, keepsText: Bool = false
    ) throws(APIFailure) -> APIObject {
        try ObjectDecoder(resource: resource, keepsText: keepsText).object(Array(text.utf8))
    }

    static func page(of resource: APIResource, _ items: [String]) -> [UInt8] {
        let list = items.joined(separator: ",")
        return Array(
            """
            {"kind":"\(resource.kind)List","apiVersion":"\(resource.apiVersion)",
            "metadata":{"resourceVersion":"5000","continue":"more","remainingItemCount":7},
            "items":[\(list)]}
            """.utf8)
    }

    static func event(_ type: String, _ object: String) -> [UInt8] {
        Array(#"{"type":"\#(type)","object":\#(object)}"#.utf8)
    }
}

extension APIObject {
    var service: Service? { if case .service(let service)? = value { service } else { nil } }
    var slice: EndpointSlice? {
        if case .endpointSlice(let slice)? = value { slice } else { nil }
    }
    var node: Node? { if case .node(let node)? = value { node } else { nil } }
    var isRefused: Bool { value == nil && problems.contains { $0.severity == .error } }
}
