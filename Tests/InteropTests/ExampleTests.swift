import Foundation
import Testing

extension RealNetwork {
    @Suite struct ExampleTests {}
}

/// The examples work as they stand.
extension RealNetwork.ExampleTests {
    private func started(_ files: [String: String]) throws -> NamespacedLAN {
        let lan = try NamespacedLAN(nodes: 1)
        for (name, text) in files { try lan.write(name, text) }
        try lan.martlet("node-a", extra: ["--interface", "eth0"])
        let isReady = eventually(within: 10) { lan.status() != nil }
        #expect(isReady != nil, lan.lastWords)
        return lan
    }

    @Test("the older file with protocol layer2 serves a Service of type LoadBalancer")
    func olderFile() throws {
        let lan = try started([
            "config.yaml": try Fixture.text("legacy-layer2-configmap.yaml"),
            "store.yaml": try Fixture.text("loadbalancer-service.yaml"),
            "pod.yaml": Fixture.pod("store-1", "app: storefront", on: "a"),
        ])
        let mac = try lan.macAddress("node-a")
        let isAnswered = try eventually { try lan.answerers("192.0.2.240") == [mac] }
        #expect(isAnswered != nil, lan.lastWords)
        let service = try #require(lan.explain("storefront", at: "node-a")?.first)
        #expect(service.addresses.map(\.address) == ["192.0.2.240"])
        #expect(service.pool == "lan")
        let port = try #require(service.ports.first)
        #expect(port.entrances.contains("LoadBalancer 192.0.2.240:8080"))
        #expect(port.entrances.contains { $0.hasPrefix("NodePort 32143 of every IPv4") })
        #expect(port.endpoints.map(\.address).contains("198.51.100.10:8080"))
    }

    @Test(
        "ClusterIP, NodePort and ExternalName Services get no address; explain says why and where")
    func withoutAddress() throws {
        let names = [
            "clusterip-service.yaml", "nodeport-order-service.yaml", "nodeport-nginx.yaml",
            "externalname-service.yaml",
        ]
        var files = ["pool.yaml": Manifests.pool]
        for name in names { files[name] = try Fixture.text(name) }
        let lan = try started(files)
        for (name, type) in [
            ("backend", "ClusterIP"), ("order-service", "NodePort"),
            ("nginx-nodeport", "NodePort"), ("my-database", "ExternalName"),
        ] {
            let service = try #require(lan.explain(name, at: "node-a")?.first, "\(name)")
            #expect(service.type == type)
            #expect(service.addresses.isEmpty)
            #expect(service.excluded?.contains(type) == true, "\(service.excluded ?? "nothing")")
        }
        let database = try #require(lan.explain("my-database", at: "node-a")?.first)
        #expect(database.externalName == "my.database.example.com")
        let text = try Shell.run(
            [
                NamespacedLAN.executable, "explain", "my-database", "--admin",
                lan.adminSocket("node-a"),
            ]
        ).text
        #expect(text.contains("CNAME for my.database.example.com"))
        let order = try #require(lan.explain("order-service", at: "node-a")?.first?.ports.first)
        #expect(order.entrances.contains { $0.contains("NodePort 32222") })
        #expect(order.outcome.contains("refused"))
    }

    @Test("what kubectl prints as a List is read as it is")
    func list() throws {
        let lan = try started([
            "pool.yaml": Manifests.pool, "list.yaml": try Fixture.text("kubectl-list.yaml"),
        ])
        let service = try #require(lan.explain("shop/web", at: "node-a")?.first, lan.lastWords)
        #expect(service.type == "LoadBalancer")
        #expect(!service.ports.isEmpty)
    }
}
