import ClusterSource
import ScriptedAPIServer
import Testing

extension ClusterAPITests {
    /// Services that come, change and go; pools that are edited.
    @Suite struct LifecycleTests {
        private static let mark = "metallb.io/ip-allocated-from-pool"

        @Test("of another type a Service gives its address back, and may come again")
        func typeFlips() async throws {
            try await Scene.play { scene in
                try scene.create(Sample.pool("one", "192.0.2.10/32"))
                try scene.begin()
                try scene.create(
                    Sample.service("web", annotations: ["example.com/theirs": "stays"]))
                try await scene.addresses(of: "web", become: ["192.0.2.10"])
                for type in ["NodePort", "ClusterIP", "ExternalName"] {
                    var spec: JSONValue = ["type": .string(type)]
                    if type == "ExternalName" {
                        spec["externalName"] = "www.example.com"
                        spec["clusterIP"] = .null
                        spec["clusterIPs"] = .null
                    }
                    try scene.change("web", ["spec": spec])
                    try await scene.eventually("nothing of ours is left at the \(type)") {
                        try scene.addresses(of: "web").isEmpty
                            && scene.annotation(Self.mark, of: "web") == nil
                            && scene.condition(of: "web") == nil
                    }
                    #expect(try scene.annotation("example.com/theirs", of: "web") == "stays")
                    // The address is free: somebody else can have it meanwhile.
                    try scene.create(Sample.service("other"))
                    try await scene.addresses(of: "other", become: ["192.0.2.10"])
                    try scene.delete("other")
                    try scene.change(
                        "web", ["spec": ["type": "LoadBalancer", "externalName": .null]])
                    try await scene.addresses(of: "web", become: ["192.0.2.10"])
                }
            }
        }

        @Test("a Service of another class is left alone, with what somebody else gave it")
        func classes() async throws {
            try await Scene.play { scene in
                try scene.create(Sample.pool("east", "192.0.2.10-192.0.2.20"))
                try scene.begin()
                try scene.create(
                    Sample.service("theirs", spec: ["loadBalancerClass": "example.com/other"]))
                try scene.change(
                    "theirs",
                    ["status": ["loadBalancer": ["ingress": [["ip": "203.0.113.9"]]]]],
                    subresource: "status")
                try scene.create(Sample.service("flips"))
                try await scene.addresses(of: "flips", become: ["192.0.2.10"])
                try scene.change("flips", ["spec": ["type": "ClusterIP"]])
                try await scene.eventually("no word of ours is left") {
                    try scene.condition(of: "flips") == nil
                }
                try scene.change(
                    "flips",
                    ["spec": ["type": "LoadBalancer", "loadBalancerClass": "example.com/other"]])
                try scene.create(Sample.service("later"))
                try await scene.addresses(of: "later", become: ["192.0.2.10"])
                #expect(try scene.addresses(of: "flips") == [])
                #expect(try scene.addresses(of: "theirs") == ["203.0.113.9"])
                #expect(scene.writes(of: "theirs").isEmpty)
            }
        }

        @Test("what another controller of this language wrote on a Service of its class stays")
        func sameLanguage() async throws {
            try await Scene.play { scene in
                try scene.create(Sample.pool("east", "192.0.2.10-192.0.2.20"))
                let condition: JSONValue = [
                    "type": "martlet.dev/AddressAssigned", "status": "True",
                    "reason": "IPAllocated", "message": "203.0.113.9 from pool theirs",
                    "lastTransitionTime": "2026-01-01T00:00:00Z",
                ]
                func giveTheirs() throws {
                    try scene.change(
                        "theirs", ["metadata": ["annotations": [Self.mark: "theirs"]]])
                    try scene.change(
                        "theirs",
                        [
                            "status": [
                                "loadBalancer": ["ingress": [["ip": "203.0.113.9"]]],
                                "conditions": [condition],
                            ]
                        ], subresource: "status")
                }
                try scene.create(
                    Sample.service("theirs", spec: ["loadBalancerClass": "example.com/other"]))
                try giveTheirs()
                let first = try scene.begin()
                try scene.create(Sample.service("web"))
                try await scene.addresses(of: "web", become: ["192.0.2.10"])
                try scene.change("theirs", ["metadata": ["labels": ["seen": "again"]]])
                try scene.create(Sample.service("later"))
                try await scene.addresses(of: "later", become: ["192.0.2.11"])
                #expect(scene.writes(of: "theirs").isEmpty)
                #expect(try scene.addresses(of: "theirs") == ["203.0.113.9"])
                #expect(try scene.annotation(Self.mark, of: "theirs") == "theirs")
                try await scene.eventually("it knows of those of ours only") {
                    first.state?.allocations.count == 2
                }
            }
        }

        @Test("a Service that waits says why, and gets the address that another gives back")
        func waiting() async throws {
            try await Scene.play { scene in
                try scene.create(Sample.pool("one", "192.0.2.10/32"))
                try scene.begin()
                try scene.create(Sample.service("first"))
                try await scene.addresses(of: "first", become: ["192.0.2.10"])
                try scene.create(Sample.service("second"))
                try await scene.condition(of: "second", becomes: "AllocationFailed")
                try await scene.eventually("an Event warns") {
                    try scene.events(of: "second").contains {
                        $0.reason == "AllocationFailed" && $0.type == "Warning"
                    }
                }
                try scene.delete("first")
                try await scene.addresses(of: "second", become: ["192.0.2.10"])
                #expect(try scene.condition(of: "second")?["status"] == "True")
                try scene.create(Sample.service("third"))
                try await scene.condition(of: "third", becomes: "AllocationFailed")
                try scene.change(
                    pool: "one", ["spec": ["addresses": ["192.0.2.10-192.0.2.11"]]])
                try await scene.addresses(of: "third", become: ["192.0.2.11"])
            }
        }

        @Test("a pool that is renamed, split or shrunk: who can keep an address keeps it")
        func poolEdits() async throws {
            try await Scene.play { scene in
                try scene.create(Sample.pool("east", "192.0.2.10-192.0.2.20"))
                let controller = try scene.begin()
                for name in ["a", "b"] {
                    try scene.create(Sample.service(name))
                    try await scene.eventually("\(name) has an address") {
                        try !scene.addresses(of: name).isEmpty
                    }
                }
                // The new ones are refused as long as they overlap the old one.
                try scene.create(Sample.pool("lower", "192.0.2.10/32"))
                try scene.create(Sample.pool("upper", "192.0.2.11-192.0.2.20"))
                try await scene.eventually("the overlap is reported") {
                    controller.problems.contains { $0.contains("upper") }
                }
                try scene.delete(pool: "east")
                try await scene.eventually("the addresses are counted with their new pools") {
                    try scene.annotation(Self.mark, of: "a") == "lower"
                        && scene.annotation(Self.mark, of: "b") == "upper"
                }
                #expect(try scene.allAddresses() == ["a": ["192.0.2.10"], "b": ["192.0.2.11"]])
                #expect(try !scene.events(of: "b").contains { $0.reason == "AddressMoved" })
                try scene.change(
                    pool: "upper", ["spec": ["addresses": ["192.0.2.15-192.0.2.20"]]])
                try await scene.addresses(of: "b", become: ["192.0.2.15"])
                try await scene.eventually("an Event tells of the move") {
                    try scene.events(of: "b").contains {
                        $0.reason == "AddressMoved" && $0.type == "Warning"
                            && $0.note.contains("192.0.2.11")
                    }
                }
                #expect(try scene.addresses(of: "a") == ["192.0.2.10"])
                #expect(controller.leads)
            }
        }

        @Test("a freed address is kept for its Service through a restart of the controller")
        func retention() async throws {
            try await Scene.play { scene in
                try scene.create(
                    Sample.pool("kept", "192.0.2.10-192.0.2.11", spec: ["retention": "10m"]))
                let first = try scene.begin()
                try scene.create(Sample.service("web"))
                try await scene.addresses(of: "web", become: ["192.0.2.10"])
                try scene.delete("web")
                try await scene.eventually("the pool's status keeps the address back") {
                    try scene.status(ofPool: "kept")?["reservations"]?.array?.count == 1
                }
                await first.stop()
                try scene.begin()
                try scene.create(Sample.service("other"))
                try await scene.addresses(of: "other", become: ["192.0.2.11"])
                try scene.create(Sample.service("another"))
                try await scene.condition(of: "another", becomes: "AllocationFailed")
                try scene.create(Sample.service("web"))
                try await scene.addresses(of: "web", become: ["192.0.2.10"])
                try await scene.eventually("nothing is kept back any more") {
                    try scene.status(ofPool: "kept")?["reservations"]?.array ?? [] == []
                }
            }
        }
    }
}
