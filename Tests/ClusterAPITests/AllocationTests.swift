import ScriptedAPIServer
import Testing

extension ClusterAPITests {
    /// What a Service is given, and what becomes of it.
    @Suite struct AllocationTests {
        @Test("a Service gets address, pool, ipMode, ports, condition and Event in one write")
        func oneWrite() async throws {
            try await Scene.play { scene in
                try scene.create(Sample.pool("east", "192.0.2.10-192.0.2.20"))
                try scene.begin()
                try scene.create(Sample.service("web", ports: [("TCP", 80), ("UDP", 53)]))
                try await scene.addresses(of: "web", become: ["192.0.2.10"])
                let service = try scene.service("web")
                #expect(
                    service["status", "loadBalancer", "ingress"] == [
                        [
                            "ip": "192.0.2.10", "ipMode": "VIP",
                            "ports": [
                                ["port": 80, "protocol": "TCP"], ["port": 53, "protocol": "UDP"],
                            ],
                        ]
                    ])
                #expect(
                    try scene.annotation("metallb.io/ip-allocated-from-pool", of: "web") == "east")
                #expect(try scene.condition(of: "web")?["status"] == "True")
                try await scene.eventually("an Event tells of it") {
                    try scene.events(of: "web").contains {
                        $0.reason == "IPAllocated" && $0.note.contains("192.0.2.10")
                            && $0.type == "Normal"
                    }
                }
                try await scene.eventually("the pool's figures count it") {
                    try scene.status(ofPool: "east")?["assignedIPv4"] == 1
                }
                #expect(try scene.status(ofPool: "east")?["availableIPv4"] == 10)
                #expect(scene.writes().map(\.code) == [200])
            }
        }

        @Test("requested by field, by annotation, from a named pool; nonsense is refused in words")
        func requests() async throws {
            try await Scene.play { scene in
                try scene.create(Sample.pool("east", "192.0.2.10-192.0.2.20"))
                try scene.create(
                    Sample.pool("west", "198.51.100.0/28", spec: ["autoAssign": false]))
                try scene.begin()
                try scene.create(
                    Sample.service("field", spec: ["loadBalancerIP": "192.0.2.15"]))
                let wish = "metallb.io/loadBalancerIPs"
                try scene.create(
                    Sample.service("annotated", annotations: [wish: "198.51.100.3"]))
                try scene.create(
                    Sample.service("pooled", annotations: ["metallb.io/address-pool": "west"]))
                try scene.create(
                    Sample.service("outside", annotations: [wish: "203.0.113.7"]))
                try scene.create(Sample.service("nonsense", annotations: [wish: "east"]))
                try scene.create(
                    Sample.service(
                        "both", annotations: [wish: "192.0.2.16"],
                        spec: ["loadBalancerIP": "192.0.2.17"]))
                try await scene.addresses(of: "field", become: ["192.0.2.15"])
                try await scene.addresses(of: "annotated", become: ["198.51.100.3"])
                try await scene.addresses(of: "pooled", become: ["198.51.100.0"])
                for name in ["nonsense", "both"] {
                    try await scene.condition(of: name, becomes: "InvalidRequest")
                }
                try await scene.condition(of: "outside", becomes: "AllocationFailed")
                try await scene.eventually("Events warn of what cannot be") {
                    try ["outside", "nonsense", "both"].allSatisfy { name in
                        try scene.events(of: name).contains {
                            $0.reason == "AllocationFailed" && $0.type == "Warning"
                        }
                    }
                }
                #expect(try scene.allAddresses().count == 3)
            }
        }

        @Test("two families: required takes both, preferred one, and the second when there is one")
        func dualStack() async throws {
            try await Scene.play { scene in
                try scene.create(Sample.pool("two", "192.0.2.10-192.0.2.20"))
                try scene.begin()
                try scene.create(
                    Sample.service("both", spec: ["ipFamilyPolicy": "RequireDualStack"]))
                try scene.create(
                    Sample.service("either", spec: ["ipFamilyPolicy": "PreferDualStack"]))
                try await scene.addresses(of: "either", become: ["192.0.2.10"])
                try await scene.condition(of: "both", becomes: "AllocationFailed")
                #expect(try scene.addresses(of: "both") == [])
                // Both are of one pool, so that one advertisement speaks for a Service.
                try scene.change(
                    pool: "two",
                    ["spec": ["addresses": ["192.0.2.10-192.0.2.20", "2001:db8:1::/64"]]])
                try await scene.eventually("both families are there") {
                    try scene.addresses(of: "both").count == 2
                        && scene.addresses(of: "either").count == 2
                }
                #expect(try scene.addresses(of: "either").first == "192.0.2.10")
                try scene.expectNoAddressTwice()
            }
        }

        @Test("Services share an address while ports and key allow; the last one frees it")
        func sharing() async throws {
            try await Scene.play { scene in
                try scene.create(Sample.pool("one", "192.0.2.10/32"))
                try scene.begin()
                let key = ["metallb.io/allow-shared-ip": "dns"]
                try scene.create(
                    Sample.service("tcp", annotations: key, ports: [("TCP", 53)]))
                try scene.create(
                    Sample.service("udp", annotations: key, ports: [("UDP", 53)]))
                try await scene.addresses(of: "tcp", become: ["192.0.2.10"])
                try await scene.addresses(of: "udp", become: ["192.0.2.10"])
                try scene.create(
                    Sample.service("clash", annotations: key, ports: [("TCP", 53)]))
                try scene.create(Sample.service("alone", ports: [("TCP", 80)]))
                try await scene.condition(of: "clash", becomes: "AllocationFailed")
                try await scene.condition(of: "alone", becomes: "AllocationFailed")
                try scene.delete("tcp")
                try await scene.addresses(of: "clash", become: ["192.0.2.10"])
                #expect(try scene.addresses(of: "alone") == [])
                try scene.delete("clash")
                try scene.delete("udp")
                try await scene.addresses(of: "alone", become: ["192.0.2.10"])
            }
        }

        @Test("a thousand Services at once: all have an address, none twice, one write each")
        func thousand() async throws {
            try await Scene.play { scene in
                try scene.create(Sample.pool("large", "198.51.100.0/22"))
                try await scene.beginLeading(requestsPerSecond: 2000)
                for number in 0..<1000 { try scene.create(Sample.service("s\(number)")) }
                try await scene.addressesAreGiven(toAll: 1000)
                try await scene.eventually("the pool's figures count them") {
                    try scene.status(ofPool: "large")?["assignedIPv4"] == 1000
                }
                #expect(scene.writes().count { $0.code == 200 } == 1000)
            }
        }
    }
}
