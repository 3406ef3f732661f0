import Foundation
import Testing

extension RealNetwork.Chain {
    @Suite struct ChainExampleTests {}
}

/// The examples that everybody begins with, run as they stand.
extension RealNetwork.Chain.ChainExampleTests {
    /// Puts up an example, as `change` has it, and a Pod that it selects.
    private func withExample(
        _ file: String, _ label: String, on letter: String, _ scene: ChainScene,
        change: (String) -> String = { $0 }, body: () throws -> Void
    ) throws {
        let pod = Fixture.pod("example", label, on: letter)
        try scene.lan.write("example.yaml", change(try Fixture.text(file)) + "---\n" + pod)
        // A file that is gone already is what we want.
        defer { try? scene.lan.delete("example.yaml") }
        try body()
    }

    @Test("a ClusterIP Service is reached from inside, and outside nobody knows its address")
    func clusterIP() throws {
        let scene = try ChainScene.here()
        let addresses = ["198.18.0.10", "2001:db8:c1::10"]
        try withExample(
            "clusterip-service.yaml", "app: backend", on: "a", scene,
            change: {
                $0.replacing(
                    "spec:\n", with: "spec:\n  clusterIPs: [198.18.0.10, '2001:db8:c1::10']\n")
            },
            body: {
                let targets = addresses.map { "tcp/\($0)/80" }
                for host in ["guest", "backend-b", "node-b"] {
                    try scene.expectAnswers(targets, from: host, by: [.a])
                }
                for address in addresses {
                    #expect(try scene.lan.answerers(address).isEmpty)
                }
                let nodes = ["192.0.2.11", "2001:db8:2::12"].map { "tcp/\($0)/80" }
                #expect(try scene.ask(nodes).map(\.text) == ["refused", "refused"])
            })
    }

    @Test(
        "node ports 32222 and 32000 answer on every node, and where nobody serves them they refuse",
        arguments: [
            ("nodeport-order-service.yaml", "component: order-service-app", 32222),
            ("nodeport-nginx.yaml", "app: nginx", 32000),
        ])
    func nodePort(file: String, label: String, port: Int) throws {
        let scene = try ChainScene.here()
        let targets = ["a", "b"].flatMap { letter in
            ChainNode.addresses(letter).map { "tcp/\($0)/\(port)" }
        }
        try withExample(file, label, on: "b", scene) {
            for host in ["client", "guest", "backend-b"] {
                try scene.expectAnswers(targets, from: host, by: [.b])
            }
        }
        try scene.expect(targets) { $0.text == "refused" }
    }

    @Test("a LoadBalancer Service is reached at its address, and at its node port")
    func loadBalancer() throws {
        let scene = try ChainScene.here()
        try withExample("loadbalancer-service.yaml", "app: storefront", on: "a", scene) {
            var addresses: [String] = []
            let isGiven = eventually {
                addresses = scene.lan.status()?.addresses(of: "default/storefront") ?? []
                return !addresses.isEmpty
            }
            #expect(isGiven != nil, "\(scene.lastWords)")
            let entrances =
                addresses.map { "tcp/\($0)/8080" } + [
                    "tcp/192.0.2.11/32143", "tcp/192.0.2.12/32143",
                ]
            try scene.expectAnswers(entrances, by: [.a])
        }
    }

    @Test("an ExternalName Service is refused a way for data, and told why")
    func externalName() throws {
        let scene = try ChainScene.here()
        let example = try Fixture.text("externalname-service.yaml")
        try scene.lan.write(
            "database.yaml", example + "  ports: [{port: 5432}]\n  externalIPs: [203.0.113.9]\n")
        // A file that is gone already is what we want.
        defer { try? scene.lan.delete("database.yaml") }
        var text = ""
        let isExplained = try eventually {
            let output = try scene.martlet("explain default/my-database", at: "node-a")
            text = output.text
            return output.status == 0
        }
        #expect(isExplained != nil, "\(text)")
        #expect(text.contains("CNAME for my.database.example.com"), "\(text)")
        #expect(text.contains("no address and no port is opened"), "\(text)")
        let file = scene.lan.manifests + "/database.yaml"
        let verdict = try Shell.run([NamespacedLAN.executable, "validate", file])
        #expect(verdict.text.contains("warning"), "\(verdict.text)")
        #expect(verdict.text.contains("ExternalName"), "\(verdict.text)")
        #expect(verdict.text.contains("no address and no port is opened"), "\(verdict.text)")
        let table = try scene.lan.run("node-a", "nft list table inet martlet").text
        #expect(!table.contains("my-database"), "\(table)")
        #expect(!table.contains("203.0.113.9"), "\(table)")
        #expect(try scene.ask(["tcp/192.0.2.11/5432"]).map(\.text) == ["refused"])
    }
}
