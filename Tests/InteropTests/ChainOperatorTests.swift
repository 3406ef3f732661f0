import Foundation
import Testing

extension RealNetwork.Chain {
    @Suite struct ChainOperatorTests {}
}

/// What an operator sees of the data plane: counters, what comes and goes, and what load balancers
/// in front of the nodes are told.
extension RealNetwork.Chain.ChainOperatorTests {
    private struct State: Decodable {
        struct Dataplane: Decodable {
            struct Port: Decodable {
                struct Endpoint: Decodable {
                    var address: String
                    var connections: UInt64?
                }
                var service: String
                var port: String
                var transport: String
                var connections: UInt64?
                var endpoints: [Endpoint]
            }
            var counters: String
            var ports: [Port]
        }
        var dataplane: Dataplane?
    }

    private func port(
        of service: ChainService, _ scene: ChainScene, at node: String
    ) throws -> State.Dataplane.Port? {
        let output = try scene.martlet("status -o json", at: node)
        let state = try JSONDecoder().decode(State.self, from: Data(output.text.utf8))
        return state.dataplane?.ports.first { $0.service == "default/\(service.name)" }
    }

    /// The sum of a metric's samples with these words in their labels.
    private func metric(
        _ name: String, _ labels: String, _ scene: ChainScene, at node: String
    ) throws -> Double {
        let text = try scene.lan.run(
            node, "curl -s --unix-socket \(scene.lan.adminSocket(node)) http://martlet/metrics"
        ).text
        return text.split(separator: "\n").filter {
            $0.hasPrefix(name + "{") && $0.contains(labels)
        }.compactMap { $0.split(separator: " ").last.flatMap { Double($0) } }.reduce(0, +)
    }

    @Test("connections are counted by Service port and endpoint, and outlive who got them")
    func counted() throws {
        let scene = try ChainScene.here()
        var service = ChainService(name: "counted", number: 217, endpoints: [.a, .b])
        try scene.withServices(service) {
            let targets = service.targets(.loadBalancer)
            try scene.expectAnswers(targets, by: [.a, .b])
            let owner = try scene.owner(of: service)
            let before = try #require(try port(of: service, scene, at: owner)?.connections)
            for _ in 0..<10 { _ = try scene.ask(targets) }
            let port = try #require(try port(of: service, scene, at: owner))
            let counted = try #require(port.connections)
            // Both families may have their addresses on different nodes.
            #expect(counted - before == 10 || counted - before == 20)
            #expect(port.port == "p0" && port.transport == "TCP")
            let byEndpoint = port.endpoints.compactMap(\.connections).reduce(0, +)
            #expect(byEndpoint == counted)
            let label = "service=\"counted\",port=\"p0\",protocol=\"tcp\""
            #expect(
                try metric("martlet_dataplane_connections_total", label, scene, at: owner)
                    == Double(counted))

            // One endpoint goes, and with it its elements; what the Service had stays counted.
            service.endpoints = [.b]
            try scene.put(service)
            let isGone = try eventually {
                try self.port(of: service, scene, at: owner)?.endpoints.count == 2
            }
            #expect(isGone != nil, "\(scene.lan.lastWords)")
            let after = try #require(try self.port(of: service, scene, at: owner)?.connections)
            #expect(after >= counted)
            let text = try scene.martlet("status", at: owner).text
            #expect(text.contains("default/counted p0/TCP"), "\(text)")
        }
    }

    @Test("the monitor tells of endpoints that come and go, who changed the table, and the load")
    func monitored() throws {
        let scene = try ChainScene.here()
        var service = ChainService(name: "watched", number: 218, endpoints: [.a])
        let monitor = try scene.lan.start(
            "node-a",
            [
                NamespacedLAN.executable, "monitor", "--interface", "eth0", "--connections",
                "--seconds", "60", "--admin", scene.lan.adminSocket("node-a"),
            ], log: "operator-monitor.log", patience: 5)
        func expect(_ words: String...) throws {
            var missing = words
            let isThere = eventually(within: 8, every: 0.1) {
                let lines = monitor.text.split(separator: "\n")
                missing = words.filter { word in !lines.contains { $0.contains(word) } }
                return missing.isEmpty
            }
            #expect(isThere != nil, "missing \(missing) in \(monitor.text)")
        }
        // Its first look at the daemon is what it compares with.
        try expect("daemon is asked every second")
        try scene.withServices(service) {
            try scene.expectAnswers(service.targets(.node("a")), by: [.a])
            try expect("served: by 198.51.100.10:8080")
            service.endpoints = [.b]
            try scene.put(service)
            try scene.expectAnswers(service.targets(.node("a")), by: [.b])
            try expect(
                "→ 198.51.100.74:8080", "endpoint of default/watched p0/TCP is used",
                "endpoint of default/watched p0/TCP is not used")
            _ = try scene.ask(service.targets(.node("a")))
            try expect("new connections, ")
            try scene.lan.run("node-a", "nft flush ruleset")
            try expect("changed by nft (process ")
            try scene.expectAnswers(service.targets(.node("a")), by: [.b])
        }
        try expect("no longer served")
        monitor.signal(SIGINT)
        let status = try scene.martlet("status", at: "node-a").text
        #expect(status.contains("the table was changed by others"), "\(status)")
    }

    @Test("--probe follows a cluster address, and says where there is nothing to follow")
    func inner() throws {
        let scene = try ChainScene.here()
        try scene.lan.write(
            "inner.yaml",
            """
            apiVersion: v1
            kind: Service
            metadata: {name: inner, namespace: default}
            spec: {type: ClusterIP, clusterIP: 198.18.0.99, ports: [{port: 80}]}
            ---
            apiVersion: discovery.k8s.io/v1
            kind: EndpointSlice
            metadata:
              name: inner-1
              namespace: default
              labels: {kubernetes.io/service-name: inner}
            addressType: IPv4
            ports: [{port: 8080}]
            endpoints: [{addresses: [198.51.100.10], nodeName: node-a}]
            ---
            apiVersion: v1
            kind: Service
            metadata: {name: database, namespace: default}
            spec: {type: ExternalName, externalName: db.example.com}
            """)
        defer { try? scene.lan.delete("inner.yaml") }  // What is gone already is what we want.
        func probe(_ name: String, ends status: Int32, with words: String) throws {
            var last = Shell.Output(status: -1, text: "")
            let isSo = try eventually(within: 8, every: 0.1) {
                last = try scene.martlet("explain default/\(name) --probe", at: "node-a")
                return last.status == status && last.text.contains(words)
            }
            #expect(isSo != nil, "\(last)")
        }
        try probe("inner", ends: 0, with: "it arrives")
        try probe(
            "database", ends: 1,
            with: "there is no flow to follow: it is a CNAME for db.example.com")
    }

    @Test("a drained node sends load balancers in front elsewhere, and takes them again")
    func drained() throws {
        let scene = try ChainScene.here()
        var service = ChainService(name: "fronted", number: 219, endpoints: [.a, .b])
        service.policy = "Local"
        service.spec = ["healthCheckNodePort: 32519"]
        func answers(_ status: String, at node: String) throws -> Bool {
            try eventually {
                try scene.lan.run(
                    "client",
                    "curl -s -m 2 -o /dev/null -w '%{http_code}' "
                        + "http://\(ChainNode.addresses(String(node.suffix(1)))[0]):32519/",
                    allowFailure: true
                ).text.contains(status)
            } != nil
        }
        try scene.withServices(service) {
            #expect(try answers("200", at: "node-a"), "\(scene.lan.lastWords)")
            #expect(try answers("200", at: "node-b"))
            let drain = try scene.martlet("drain", at: "node-a")
            #expect(drain.status == 0, "\(drain.text)")
            #expect(try answers("503", at: "node-a"))
            #expect(try answers("200", at: "node-b"))
            let undrain = try scene.martlet("undrain", at: "node-a")
            #expect(undrain.status == 0, "\(undrain.text)")
            #expect(try answers("200", at: "node-a"))
        }
    }
}
