import Testing

@testable import Kubernetes

@Suite struct ConvertTests {
    private func reread(_ objects: [ConfigurationObject]) throws -> [ConfigurationObject] {
        let text = try ManifestWriter.text(objects)
        let file = ManifestReader.read(text, file: "converted.yaml")
        #expect(file.problems.errors.isEmpty, "\(file.problems.errors)\n\(text)")
        return file.objects.compactMap {
            guard case .configuration(let object) = $0.value else { return nil }
            return object
        }
    }

    @Test(
        "What convert prints for an older file reads as the same objects",
        arguments: ["legacy-config.yaml", "legacy-layer2-configmap.yaml"])
    func converted(_ name: String) throws {
        let text = try ManifestFixture.text(name)
        let (objects, problems) = LegacyConfiguration.convert(text, file: name)
        #expect(problems.isEmpty, "\(problems)")
        #expect(!objects.isEmpty)
        let again = try reread(objects)
        #expect(again.map(\.reference) == objects.map(\.reference))
        #expect(again == objects)
    }

    @Test func `the converted layer2 file is what one would write by hand`() throws {
        let text = try ManifestFixture.text("legacy-layer2-configmap.yaml")
        let (objects, _) = LegacyConfiguration.convert(text, file: "a")
        #expect(
            try ManifestWriter.text(objects) == """
                ---
                apiVersion: metallb.io/v1beta1
                kind: IPAddressPool
                metadata:
                  name: lan
                  namespace: metallb-system
                spec:
                  addresses:
                  - 192.0.2.240-192.0.2.250
                ---
                apiVersion: metallb.io/v1beta1
                kind: L2Advertisement
                metadata:
                  name: lan
                  namespace: metallb-system
                spec:
                  ipAddressPools:
                  - lan

                """)
    }

    @Test func `every field of every kind survives writing and reading`() throws {
        let text = documents(
            (
                "IPAddressPool", "p",
                """
                {addresses: [192.0.2.0-192.0.2.9, "2001:db8::/64"], autoAssign: false,
                 avoidBuggyIPs: true, conflictDetection: false, retention: 5,
                 serviceAllocation: {priority: 3, namespaces: ["on"], namespaceSelectors: [{}],
                  serviceSelectors: [{matchLabels: {a: "1", b: ""}}]}}
                """
            ), ("IPAddressPool", "q", "{addresses: [198.51.100.0/24], serviceAllocation: {}}"),
            (
                "L2Advertisement", "l",
                """
                {ipAddressPools: ["yes", "1"], ipAddressPoolSelectors: [{matchLabels: {a: b}}],
                 nodeSelectors: [{matchExpressions: [{key: k, operator: NotIn, values: ["0", x]},
                  {key: e, operator: Exists}]}], interfaces: [eth0], preemption: Gradual,
                 serviceSelectors: [{matchLabels: {c: d}}], reannounceInterval: 0,
                 preferredNodeSelectors: [{weight: 3, preference: {matchLabels: {a: b}}}]}
                """
            ), ("L2Advertisement", "empty", "{}"),
            (
                "BGPAdvertisement", "b",
                """
                {aggregationLength: 24, aggregationLengthV6: 64, localPref: 0, peers: [t],
                 communities: ["1:2", "large:1:2:3", no-export], ipAddressPools: [p],
                 ipAddressPoolSelectors: [{}], nodeSelectors: [{matchLabels: {a: b}}]}
                """
            ),
            (
                "BGPPeer", "t",
                """
                {myASN: 1, peerASN: 2, localASN: 3, peerAddress: "2001:db8::1",
                 sourceAddress: "2001:db8::2", peerPort: 1179, holdTime: 9s, keepaliveTime: 2s,
                 connectTime: 5s, routerID: 192.0.2.1, nodeSelectors: [{matchLabels: {a: b}}],
                 vrf: red, password: "a: 'b' \\"c\\" # \\u00e9 ", bfdProfile: f,
                 enableGracefulRestart: true, disableMP: true, passive: true, ttlSecurity: 2,
                 role: rs-client, gracefulRestartTime: 7, shutdownMessage: "bye: bye",
                 maximumPrefixes: 99}
                """
            ),
            (
                "BGPPeer", "u",
                """
                {myASN: 1, dynamicASN: external, interface: eth0, ebgpMultiHop: true,
                 holdTime: 0s, dualStackAddressFamily: true,
                 passwordSecret: {name: s, namespace: metallb-system}}
                """
            ), ("BGPPeer", "v", "{myASN: 1, dynamicASN: internal, interface: eth1}"),
            (
                "BFDProfile", "f",
                """
                {receiveInterval: 10, transmitInterval: 20, detectMultiplier: 4, echoInterval: 30,
                 echoMode: true, passiveMode: true, minimumTtl: 5,
                 authentication: {type: meticulous-keyed-sha1, keyID: 7,
                  passwordSecret: {name: s}}}
                """
            ),
            ("BFDProfile", "g", "{authentication: {type: simple, password: \"1: 2\"}}"),
            ("Community", "c", "{communities: [{name: n, value: \"1:2\"}]}"))
        let file = ManifestReader.read(text, file: "all.yaml")
        #expect(file.problems.errors.isEmpty, "\(file.problems.errors)")
        let objects = file.objects.compactMap { object -> ConfigurationObject? in
            guard case .configuration(let value) = object.value else { return nil }
            return value
        }
        #expect(objects.count == 11)
        #expect(try reread(objects) == objects)
    }

    @Test func `a file that is no older configuration gives an error, not an empty answer`() {
        let (objects, problems) = LegacyConfiguration.convert(
            "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {ports: [{port: 80}]}",
            file: "svc.yaml")
        #expect(objects.isEmpty)
        #expect(problems.errors.count == 1)
        #expect(problems.first?.file == "svc.yaml")
    }

    @Test(
        "Durations read as Go writes them",
        arguments: [
            ("0", 0), ("90s", 90_000_000_000), ("1h30m", 5_400_000_000_000),
            ("1.5s", 1_500_000_000), ("300ms", 300_000_000), (".5s", 500_000_000),
            ("1m0.25s", 60_250_000_000), ("7us", 7000), ("7\u{b5}s", 7000), ("-2s", -2_000_000_000),
            ("+1ns", 1),
        ])
    func duration(_ text: String, _ nanoseconds: Int64) {
        #expect(DurationText.nanoseconds(text) == nanoseconds)
    }

    @Test(
        "What is no duration reads as nothing",
        arguments: ["", "90", "s", "1d", "1h 30m", ".s", "-", "1..5s", "9999999999999h", "1e3s"])
    func noDuration(_ text: String) {
        #expect(DurationText.nanoseconds(text) == nil)
    }
}
