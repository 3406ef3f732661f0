import Foundation
import Testing

extension RealNetwork {
    @Suite struct ChainTests {}
}

/// From a client on the LAN to a process behind a node, through rules in the kernel.
extension RealNetwork.ChainTests {
    private static let entrances = ["192.0.2.200", "[2001:db8:2::200]"]

    private func started(
        nodes: Int = 2, _ manifests: [String: String], extra: [String] = []
    ) throws -> NamespacedLAN {
        let lan = try NamespacedLAN(nodes: nodes)
        try lan.write("pool.yaml", Manifests.pool)
        try lan.write("nodes.yaml", Manifests.nodes(lan.nodes))
        for (name, text) in manifests { try lan.write(name, text) }
        for letter in NamespacedLAN.letters.prefix(nodes) { try lan.startNginx(letter) }
        for node in lan.nodes {
            // Machines have a default route; without one the kernel gives up before our rules.
            try lan.run(
                node,
                "ip route add default via 192.0.2.100; ip route add default via 2001:db8:2::100")
            try lan.martlet(node, dataplane: "nftables", extra: ["--interface", "eth0"] + extra)
        }
        return lan
    }

    private func expectAnswer(
        _ lan: NamespacedLAN, _ url: String, from host: String = "client", _ words: String
    ) throws {
        var last: String?
        let isAnswered = try eventually {
            last = try lan.fetch(url, from: host)
            return last?.contains(words) == true
        }
        #expect(isAnswered != nil, "\(url) from \(host): \(last ?? "no answer"); \(lan.lastWords)")
    }

    @Test("policy Cluster reaches backends on every node, masqueraded; IPv4 and IPv6 alike")
    func cluster() throws {
        let lan = try started([
            "web.yaml": Manifests.service("web", nodes: ["node-a", "node-b"])
        ])
        for entrance in Self.entrances {
            try expectAnswer(lan, "http://\(entrance)/", "backend")
            let answers = try (0..<40).compactMap { _ in try lan.fetch("http://\(entrance)/") }
            #expect(answers.count == 40)
            #expect(answers.contains { $0.contains("backend a") })
            #expect(answers.contains { $0.contains("backend b") })
            // The backend sees the node, never the client: its answer must come back that way.
            let client = entrance.contains(":") ? "saw 2001:db8:2::100\n" : "saw 192.0.2.100\n"
            #expect(!answers.contains { $0.contains(client) })
        }
    }

    @Test("policy Local keeps the client's address and stays on the node")
    func local() throws {
        let lan = try started([
            "web.yaml": Manifests.service("web", nodes: ["node-b"], policy: "Local")
        ])
        for entrance in Self.entrances {
            let client = entrance.contains(":") ? "2001:db8:2::100" : "192.0.2.100"
            try expectAnswer(lan, "http://\(entrance)/", "backend b saw \(client)")
        }
        #expect(lan.owner(of: "192.0.2.200") == "node-b")
    }

    @Test("a port without endpoints is refused at once, not left to time out")
    func refused() throws {
        let service = Manifests.service("web", nodes: ["node-a"])
            .replacing(
                "ports: [{port: 80, targetPort: 8080, protocol: TCP}]",
                with: """
                    ports:
                      - {name: web, port: 80, targetPort: 8080, nodePort: 32080}
                      - {name: none, port: 81, targetPort: 8081, nodePort: 32081}
                    """
            )
            .replacing(
                "ports: [{port: 8080, protocol: TCP}]",
                with: "ports: [{name: web, port: 8080, protocol: TCP}]")
        let lan = try started(["web.yaml": service])
        for entrance in Self.entrances {
            try expectAnswer(lan, "http://\(entrance)/", "backend a")
            let (status, seconds) = try lan.refusal("http://\(entrance):81/")
            #expect(status == 7, "curl's word for a refused connection")
            #expect(seconds < 0.5)
            report("no endpoint: \(entrance):81 refused", seconds)
        }
        for entrance in ["192.0.2.12", "[2001:db8:2::12]"] {
            try expectAnswer(lan, "http://\(entrance):32080/", "backend a")
            let (status, seconds) = try lan.refusal("http://\(entrance):32081/")
            #expect(status == 7)
            #expect(seconds < 0.5)
        }
    }

    @Test("UDP reaches its endpoints, and moves to the one that is left")
    func datagrams() throws {
        func manifest(_ nodes: [String]) -> String {
            Manifests.service("dns", nodes: nodes, port: 53, target: 5353, transport: "UDP")
        }
        let lan = try started(["dns.yaml": manifest(["node-a"])])
        for letter in ["a", "b"] { try lan.startDatagramEcho(letter, port: 5353) }
        for (letter, nodes) in [("a", ["node-a"]), ("b", ["node-b"])] {
            try lan.write("dns.yaml", manifest(nodes))
            for address in ["192.0.2.200", "2001:db8:2::200"] {
                let isAnswered = try eventually {
                    try lan.exchange("hello", with: address, port: 53)?
                        .contains("backend \(letter)") == true
                }
                #expect(isAnswered != nil, lan.lastWords)
                let text = try lan.exchange("hello", with: address, port: 53)
                #expect(text?.hasSuffix(": hello\n") == true, "\(text ?? "no answer")")
            }
        }
    }

    @Test("node ports 32222 and 32000 of the examples answer on every node, with a backend or not")
    func nodePorts() throws {
        let lan = try started([
            "order.yaml": try Fixture.text("nodeport-order-service.yaml") + "---\n"
                + Fixture.pod("order-1", "component: order-service-app", on: "a"),
            "nginx.yaml": try Fixture.text("nodeport-nginx.yaml") + "---\n"
                + Fixture.pod("nginx-1", "app: nginx", on: "b"),
        ])
        for node in [11, 12] {
            for host in ["192.0.2.\(node)", "[2001:db8:2::\(node)]"] {
                try expectAnswer(lan, "http://\(host):32222/", "backend a")
                try expectAnswer(lan, "http://\(host):32000/", "backend b")
            }
        }
    }

    @Test("a ClusterIP answers inside a node, with a backend there or elsewhere")
    func clusterAddress() throws {
        let service = try Fixture.text("clusterip-service.yaml").replacing(
            "spec:\n", with: "spec:\n  clusterIPs: [198.18.0.10, '2001:db8:c1::10']\n")
        let lan = try started([
            "backend.yaml": service + "---\n" + Fixture.pod("backend-1", "app: backend", on: "a")
        ])
        for node in lan.nodes {
            for address in ["198.18.0.10", "[2001:db8:c1::10]"] {
                try expectAnswer(lan, "http://\(address)/", from: node, "backend a")
            }
        }
        // And from a Pod, whose packets the node only passes on.
        try expectAnswer(lan, "http://198.18.0.10/", from: "backend-b", "backend a")
    }

    @Test("scaled from one to two Pods on port 9876, both get requests")
    func scaled() throws {
        func example(_ name: String) throws -> String {
            try Fixture.text(name)
                .replacing("spec:\n  selector:", with: "spec:\n  type: LoadBalancer\n  selector:")
                .replacing("198.51.100.11", with: "198.51.100.10").replacing(
                    "node-1", with: "node-a"
                )
                .replacing("198.51.100.12", with: "198.51.100.74").replacing(
                    "node-2", with: "node-b")
        }
        let lan = try started(["sise.yaml": try example("sise-one-pod.yaml")])
        try expectAnswer(lan, "http://192.0.2.200/", "backend a")
        for _ in 0..<10 {
            #expect(try lan.fetch("http://192.0.2.200/")?.contains("backend a") == true)
        }
        let begin = wallClock()
        try lan.write("sise.yaml", try example("sise-two-pods.yaml"))
        try expectAnswer(lan, "http://192.0.2.200/", "backend b")
        report("scaled to two Pods: the second answers", wallClock() - begin)
        try expectAnswer(lan, "http://192.0.2.200/", "backend a")
    }

    @Test(
        "the table stays at the end unless the daemon removes it; other tables are not touched")
    func tables() throws {
        let lan = try NamespacedLAN(nodes: 1)
        try lan.run(
            "node-a",
            """
            nft add table inet other && nft 'add chain inet other in { type filter hook input \
            priority 0; }' && nft add rule inet other in tcp dport 9 drop
            """)
        let other = try lan.run("node-a", "nft list table inet other").text
        try lan.write("pool.yaml", Manifests.pool)
        try lan.write("web.yaml", Manifests.service("web"))
        func hasTable() throws -> Bool {
            try lan.run("node-a", "nft list tables").text.contains("inet martlet\n")
        }
        for keeps in [false, true] {
            let daemon = try lan.martlet(
                "node-a", dataplane: "nftables", extra: keeps ? [] : ["--remove-dataplane"])
            let isInstalled = try eventually { try hasTable() }
            #expect(isInstalled != nil, lan.lastWords)
            if !keeps {
                try lan.run("node-a", "nft delete table inet martlet")
                let isBack = try eventually(within: 20) { try hasTable() }
                #expect(isBack != nil, "a table torn down by hand comes back")
            }
            let begin = wallClock()
            daemon.signal(SIGTERM)
            report("SIGTERM: process gone", wallClock() - begin)
            #expect(try hasTable() == keeps)
            #expect(try lan.run("node-a", "nft list table inet other").text == other)
        }
    }
}
