import ScriptedAPIServer
import Testing

/// What a write does to an object, as the API documents it.
@Suite struct WriteTests {
    private let cluster = Cluster()

    private func error(_ body: () throws(StatusError) -> Void) -> StatusError? {
        do throws(StatusError) {
            try body()
            return nil
        } catch { return error }
    }

    @Test("a Service gets the defaults, a ClusterIP and a node port")
    func serviceDefaults() throws {
        let service = try cluster.create(Sample.service("a"))
        #expect(service["spec", "clusterIP"]?.string?.hasPrefix("198.18.") == true)
        #expect(service["spec", "clusterIPs"]?.array?.count == 1)
        #expect(service["spec", "ipFamilies"] == ["IPv4"])
        #expect(service["spec", "ports"]?[0]?["nodePort"]?.integer == 30_000)
        #expect(service["spec", "ports"]?[0]?["targetPort"] == 80)
        #expect(service["spec", "externalTrafficPolicy"] == "Cluster")
        #expect(service["status"] == ["loadBalancer": [:]])
        let second = try cluster.create(Sample.service("b"))
        #expect(second["spec", "clusterIP"] != service["spec", "clusterIP"])
        #expect(second["spec", "ports"]?[0]?["nodePort"]?.integer == 30_001)
    }

    @Test("a dual-stack Service has an address of each family, the primary one first")
    func dualStack() throws {
        var service = Sample.service("a")
        service["spec", "ipFamilyPolicy"] = "RequireDualStack"
        service["spec", "ipFamilies"] = ["IPv6", "IPv4"]
        let made = try cluster.create(service)
        let addresses = made["spec", "clusterIPs"]?.array ?? []
        #expect(addresses.count == 2)
        #expect(addresses.first?.string?.contains(":") == true)
    }

    @Test("the status of a Service takes metadata with it and leaves the spec alone")
    func serviceStatus() throws {
        try cluster.create(Sample.service("a"))
        var patch = Sample.ingress
        patch["metadata"] = ["annotations": ["example.org/pool": "first"]]
        patch["spec"] = ["type": "ClusterIP"]
        let service = try cluster.patch(
            "services", "a", patch, as: .strategic, subresource: "status")
        #expect(service["metadata", "annotations", "example.org/pool"] == "first")
        #expect(service["spec", "type"] == "LoadBalancer")
        #expect(service["status", "loadBalancer", "ingress"]?[0]?["ip"] == "192.0.2.1")
    }

    @Test("a Service that is a load balancer no more loses its addresses and node ports")
    func typeFlip() throws {
        try cluster.create(Sample.service("a"))
        try cluster.patch("services", "a", Sample.ingress, subresource: "status")
        let service = try cluster.patch("services", "a", ["spec": ["type": "ClusterIP"]])
        #expect(service["status", "loadBalancer"] == [:])
        #expect(service["spec", "ports"]?[0]?["nodePort"] == nil)
        #expect(service["spec", "externalTrafficPolicy"] == nil)
        let refused = error { () throws(StatusError) in
            try cluster.patch("services", "a", Sample.ingress, subresource: "status")
        }
        #expect(refused?.code == 422)
    }

    @Test("conditions of a Service are merged by type, ingress is replaced")
    func strategicMerge() throws {
        try cluster.create(Sample.service("a"))
        func condition(_ type: String, _ status: String) -> JSONValue {
            [
                "type": .string(type), "status": .string(status), "reason": "Test",
                "lastTransitionTime": "2026-01-01T00:00:00Z", "message": "",
            ]
        }
        for type in ["One", "Two"] {
            try cluster.patch(
                "services", "a", ["status": ["conditions": [condition(type, "False")]]],
                as: .strategic, subresource: "status")
        }
        var second = Sample.ingress
        second["status", "conditions"] = [condition("One", "True")]
        let service = try cluster.patch(
            "services", "a", second, as: .strategic, subresource: "status")
        let conditions = service["status", "conditions"]?.array ?? []
        #expect(conditions.map { $0["type"] } == ["One", "Two"])
        #expect(conditions.map { $0["status"] } == ["True", "False"])
        let third = try cluster.patch(
            "services", "a",
            ["status": ["loadBalancer": ["ingress": [["ip": "192.0.2.2", "ipMode": "VIP"]]]]],
            as: .strategic, subresource: "status")
        #expect(third["status", "loadBalancer", "ingress"]?.array?.count == 1)
    }

    @Test("ports are merged by number, and a directive deletes one")
    func portDirectives() throws {
        var service = Sample.service("a")
        service["spec", "ports"] = [
            ["name": "http", "port": 80], ["name": "https", "port": 443],
        ]
        try cluster.create(service)
        let patched = try cluster.patch(
            "services", "a", ["spec": ["ports": [["port": 80, "$patch": "delete"]]]],
            as: .strategic)
        #expect(patched["spec", "ports"]?.array?.map { $0["port"] } == [443])
    }

    @Test("an older version or another uid is a conflict and changes nothing")
    func preconditions() throws {
        let first = try cluster.create(Sample.service("a"))
        try cluster.patch("services", "a", ["metadata": ["labels": ["x": "1"]]])
        for metadata: JSONValue in [
            ["resourceVersion": .string(first.version)],
            ["uid": "00000000-0000-4000-8000-000000000000"],
        ] {
            var patch = Sample.ingress
            patch["metadata"] = metadata
            let refused = error { () throws(StatusError) in
                try cluster.patch("services", "a", patch, as: .strategic, subresource: "status")
            }
            #expect(refused?.code == 409)
            #expect(refused?.reason == "Conflict")
        }
        #expect(try cluster.get("services", "a")?["status", "loadBalancer"] == [:])
    }

    @Test("a write that changes nothing makes no version")
    func idleWrite() throws {
        try cluster.create(Sample.service("a"))
        let once = try cluster.patch("services", "a", Sample.ingress, subresource: "status")
        let again = try cluster.patch("services", "a", Sample.ingress, subresource: "status")
        #expect(once.version == again.version)
    }

    @Test("two writers of one object: each keeps its own fields")
    func mergeKeepsOthers() throws {
        try cluster.create(Sample.service("a", labels: ["app": "a"]))
        try cluster.patch("services", "a", ["metadata": ["labels": ["team": "x"]]])
        let service = try cluster.patch("services", "a", ["metadata": ["labels": ["app": .null]]])
        #expect(service["metadata", "labels"] == ["team": "x"])
    }

    @Test("a finalizer holds a deleted object until it is taken off")
    func finalizers() throws {
        var service = Sample.service("a")
        service["metadata", "finalizers"] = ["example.org/hold"]
        try cluster.create(service)
        try cluster.delete("services", "a")
        #expect(try cluster.get("services", "a")?["metadata", "deletionTimestamp"] != nil)
        try cluster.patch("services", "a", ["metadata": ["finalizers": .null]])
        #expect(try cluster.get("services", "a") == nil)
    }

    @Test("what a Service may not say is refused with the field that is wrong")
    func serviceValidation() {
        let cases: [(String, JSONValue, String)] = [
            ("loadBalancerClass", "x", "spec.loadBalancerClass"), ("type", "Odd", "spec.type"),
            ("ports", [], "spec.ports"),
            ("ports", [["port": 0]], "spec.ports[0].port"),
            ("ports", [["port": 1], ["port": 2]], "spec.ports[0].name"),
        ]
        for (field, value, place) in cases {
            var service = Sample.service("a")
            if field == "loadBalancerClass" { service["spec", "type"] = "ClusterIP" }
            service["spec", field] = value
            let refused = error { () throws(StatusError) in try cluster.create(service) }
            #expect(refused?.code == 422)
            #expect(refused?.message.contains(place) == true, "\(field)")
        }
    }

    @Test("Events need what events.k8s.io demands, and are the same Events in the core group")
    func events() throws {
        var event: JSONValue = [
            "apiVersion": "events.k8s.io/v1", "kind": "Event",
            "metadata": ["name": "a.1", "namespace": "default"],
            "regarding": ["kind": "Service", "namespace": "default", "name": "a"],
            "reason": "IPAllocated", "note": "given", "type": "Normal", "action": "Allocate",
            "reportingController": "martlet-controller", "reportingInstance": "pod-1",
            "eventTime": "2026-01-01T00:00:00.000000Z",
        ]
        try cluster.create(event)
        #expect(try cluster.get("events", "a.1")?["message"] == "given")
        #expect(try cluster.get("events", "a.1")?["involvedObject", "name"] == "a")
        event["metadata", "name"] = "a.2"
        event["action"] = nil
        #expect(error { () throws(StatusError) in try cluster.create(event) }?.code == 422)
        event["action"] = "Allocate"
        event["regarding", "namespace"] = "elsewhere"
        #expect(error { () throws(StatusError) in try cluster.create(event) }?.code == 422)
    }

    @Test("a Lease is replaced only with the version that was read")
    func leases() throws {
        let lease = try cluster.create([
            "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
            "metadata": ["name": "l", "namespace": "default"],
            "spec": [
                "holderIdentity": "a", "leaseDurationSeconds": 15,
                "renewTime": "2026-01-01T00:00:00.000000Z",
            ],
        ])
        var mine = lease
        mine["spec", "holderIdentity"] = "b"
        try cluster.update(mine)
        mine["spec", "holderIdentity"] = "c"
        #expect(error { () throws(StatusError) in try cluster.update(mine) }?.code == 409)
        let bad = error { () throws(StatusError) in
            try cluster.patch(
                "leases.coordination.k8s.io", "l", ["spec": ["leaseDurationSeconds": 0]])
        }
        #expect(bad?.code == 422)
    }

    @Test("text of a Secret becomes data, and its type stays")
    func secrets() throws {
        let secret = try cluster.create([
            "apiVersion": "v1", "kind": "Secret", "metadata": ["name": "s"],
            "type": "kubernetes.io/basic-auth", "stringData": ["password": "open"],
        ])
        #expect(secret["data", "password"] == "b3Blbg==")
        #expect(secret["stringData"] == nil)
        let refused = error { () throws(StatusError) in
            try cluster.patch("secrets", "s", ["type": "Opaque"])
        }
        #expect(refused?.code == 422)
    }

    @Test("a namespace that is not there takes nothing, one that is deleted takes all with it")
    func namespaces() throws {
        var service = Sample.service("a")
        service["metadata", "namespace"] = "team"
        #expect(error { () throws(StatusError) in try cluster.create(service) }?.code == 404)
        try cluster.create([
            "apiVersion": "v1", "kind": "Namespace", "metadata": ["name": "team"],
        ])
        try cluster.create(service)
        try cluster.delete("namespaces", "team")
        #expect(try cluster.list("services").isEmpty)
    }
}
