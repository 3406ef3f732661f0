import Kubernetes
import NetworkTypes
import Testing

@Suite struct SnapshotAssemblerTests {
    private func serviceText(_ name: String, port: Int = 80, namespace: String = "shop") -> String {
        """
        apiVersion: v1
        kind: Service
        metadata: {name: \(name), namespace: \(namespace)}
        spec: {type: LoadBalancer, ports: [{port: \(port)}], selector: {app: \(name)}}
        ---

        """
    }

    private func poolText(_ addresses: String, namespace: String? = nil) -> String {
        """
        apiVersion: metallb.io/v1beta1
        kind: IPAddressPool
        metadata: {name: lan\(namespace.map { ", namespace: \($0)" } ?? "")}
        spec: {addresses: [\(addresses)]}
        ---
        apiVersion: metallb.io/v1beta1
        kind: L2Advertisement
        metadata: {name: lan\(namespace.map { ", namespace: \($0)" } ?? "")}
        ---

        """
    }

    private let web = ObjectName(namespace: "shop", "web")

    @Test func `Services, Nodes and Namespaces of all files are in the snapshot`() {
        let snapshot = ManifestFixture.snapshot(
            ManifestReader.read(serviceText("web"), file: "a.yaml"),
            ManifestReader.read(
                "apiVersion: v1\nkind: Node\nmetadata: {name: node-1}\n---\napiVersion: v1\n"
                    + "kind: Namespace\nmetadata: {name: empty, labels: {team: a}}\n",
                file: "b.yaml"))
        #expect(snapshot.problems.isEmpty)
        #expect(Array(snapshot.services.keys) == [web])
        #expect(Array(snapshot.nodes.keys) == ["node-1"])
        #expect(snapshot.namespaces.keys.sorted() == ["empty", "shop"])
        #expect(
            snapshot.namespaces["shop"]?.metadata.labels == ["kubernetes.io/metadata.name": "shop"])
        #expect(
            snapshot.namespaces["empty"]?.metadata.labels
                == ["kubernetes.io/metadata.name": "empty", "team": "a"])
    }

    @Test func `an object given twice is reported with both places, and the first file wins`()
        throws
    {
        let files = [
            ManifestReader.read(serviceText("web", port: 81), file: "b.yaml"),
            ManifestReader.read(serviceText("web", port: 80), file: "a.yaml"),
        ]
        var assembler = SnapshotAssembler()
        let snapshot = assembler.assemble(files)
        #expect(snapshot.services[web]?.ports.first?.port == 80)
        let problem = try #require(snapshot.problems.first)
        #expect(problem.severity == .error && problem.file == "b.yaml" && problem.line == 1)
        #expect(problem.object == "Service shop/web")
        #expect(problem.rule.contains("a.yaml:1"))
    }

    @Test func `a broken Service keeps its last good version, a deleted one goes`() {
        var assembler = SnapshotAssembler()
        let other = serviceText("other")
        let good = ManifestReader.read(serviceText("web") + other, file: "a.yaml")
        let broken = ManifestReader.read(serviceText("web", port: 0) + other, file: "a.yaml")
        let gone = ManifestReader.read(other, file: "a.yaml")
        _ = assembler.assemble([good])
        for _ in 1...2 {
            let snapshot = assembler.assemble([broken])
            #expect(snapshot.services[web]?.ports.first?.port == 80)
            #expect(
                snapshot.problems.map(\.severity).sorted { $0.rawValue < $1.rawValue } == [
                    .error, .notice,
                ])
        }
        #expect(assembler.assemble([gone]).services[web] == nil)
        #expect(assembler.assemble([broken]).services[web] == nil)
    }

    @Test func `a file that is not YAML keeps its last good content as a whole`() {
        var assembler = SnapshotAssembler()
        let good = ManifestReader.read(serviceText("web") + serviceText("other"), file: "a.yaml")
        let half = ManifestReader.read(
            serviceText("web", port: 81) + "apiVersion: [", file: "a.yaml")
        let before = assembler.assemble([good])
        for _ in 1...2 {
            let during = assembler.assemble([half])
            #expect(during.services == before.services)
            #expect(during.problems.contains { $0.severity == .error && $0.file == "a.yaml" })
            #expect(during.problems.contains { $0.rule.contains("last good content") })
        }
        #expect(assembler.assemble([]).services.isEmpty)
    }

    @Test func `a pool without a namespace belongs to the configuration namespace`() {
        let bare = ManifestReader.read(poolText("192.0.2.0/28"), file: "pool.yaml")
        let named = ManifestReader.read(
            poolText("192.0.2.0/28", namespace: "metallb-system"), file: "pool.yaml")
        for file in [bare, named] {
            let snapshot = ManifestFixture.snapshot(file)
            #expect(snapshot.problems.isEmpty)
            #expect(snapshot.configuration.pools["lan"]?.addresses.count == 1)
            #expect(snapshot.configuration.l2Advertisements.count == 1)
        }
    }

    @Test func `a pool of another namespace is not used, and a warning says so`() {
        let snapshot = ManifestFixture.snapshot(
            ManifestReader.read(poolText("192.0.2.0/28", namespace: "elsewhere"), file: "pool.yaml")
        )
        #expect(snapshot.configuration.pools.isEmpty)
        #expect(snapshot.problems.map(\.severity) == [.warning, .warning])
    }

    @Test func `a pool that breaks keeps its last good version`() {
        var assembler = SnapshotAssembler()
        let good = ManifestReader.read(poolText("192.0.2.0/28"), file: "pool.yaml")
        let bad = ManifestReader.read(poolText("192.0.2.9-192.0.2.1"), file: "pool.yaml")
        let before = assembler.assemble([good]).configuration
        let snapshot = assembler.assemble([bad])
        #expect(snapshot.configuration == before)
        #expect(
            snapshot.problems.contains {
                $0.severity == .error && $0.field == "spec.addresses[0]" && $0.line == 4
            })
    }

    @Test func `equal files give equal snapshots`() throws {
        let files = try ManifestFixture.names.filter { $0 != "sise-one-pod.yaml" }
            .map { try ManifestFixture.file($0) }
        var (one, two) = (SnapshotAssembler(), SnapshotAssembler())
        let first = one.assemble(files)
        #expect(two.assemble(files.reversed()) == first)
        #expect(one.assemble(files) == first)
        #expect(first.services.count == 9)
        #expect(!first.problems.contains { $0.severity != .notice })
    }
}

/// Something is broken and its name cannot be read.
@Suite struct SnapshotUnnamedTests {
    private let web = ObjectName(namespace: "shop", "web")
    private let good = """
        apiVersion: v1
        kind: Service
        metadata: {name: web, namespace: shop}
        spec: {type: LoadBalancer, ports: [{port: 80}]}
        ---
        apiVersion: metallb.io/v1beta1
        kind: IPAddressPool
        metadata: {name: lan}
        spec: {addresses: [192.0.2.0/28]}

        """

    @Test(arguments: [
        ("name: web", "name: 5"), ("kind: Service", "kind: Sevice"), ("kind: Service", "kind: []"),
        ("kind: IPAddressPool", "kind: IPAddresPool"), ("name: lan", "nam: lan"),
        ("apiVersion: v1\nkind: Service\n", ""),
    ])
    func `nothing that the file held goes while its broken object has no name`(
        old: String, new: String
    ) {
        var assembler = SnapshotAssembler()
        let before = assembler.assemble([ManifestReader.read(good, file: "a.yaml")])
        let broken = ManifestReader.read(good.replacing(old, with: new), file: "a.yaml")
        #expect(broken.isParsable && broken.hasUnidentified)
        for _ in 1...3 {
            let snapshot = assembler.assemble([broken])
            #expect(snapshot.services == before.services)
            #expect(snapshot.configuration == before.configuration)
        }
        let repaired = assembler.assemble([ManifestReader.read("", file: "a.yaml")])
        #expect(repaired.services.isEmpty && repaired.configuration.pools.isEmpty)
    }

    @Test(arguments: [
        ("addresses: [192.0.2.240-192.0.2.250]", "addresses: ["), ("- name: lan", "- nam: lan"),
        ("address-pools:", "address-pools: 7 #"),
    ])
    func `the pools of an older configuration stay while its text is broken`(
        old: String, new: String
    ) throws {
        let text = """
            apiVersion: v1
            kind: ConfigMap
            metadata: {name: config, namespace: metallb-system}
            data:
              config: |
                address-pools:
                - name: lan
                  protocol: layer2
                  addresses: [192.0.2.240-192.0.2.250]

            """
        var assembler = SnapshotAssembler()
        let before = assembler.assemble([ManifestReader.read(text, file: "a.yaml")]).configuration
        #expect(before.pools.count == 1)
        let broken = ManifestReader.read(text.replacing(old, with: new), file: "a.yaml")
        #expect(!broken.errors.isEmpty)
        for _ in 1...3 { #expect(assembler.assemble([broken]).configuration == before) }
    }

    @Test func `a ConfigMap of another namespace, or of another meaning, configures nothing`() {
        for (namespace, key) in [("bird", "address-pools"), ("metallb-system", "settings")] {
            let file = ManifestReader.read(
                """
                apiVersion: v1
                kind: ConfigMap
                metadata: {name: config, namespace: \(namespace)}
                data:
                  config: |
                    \(key):
                    - {name: lan, protocol: layer2, addresses: [192.0.2.240/28]}

                """, file: "a.yaml")
            #expect(ManifestFixture.snapshot(file).configuration.pools.isEmpty)
        }
    }
}
