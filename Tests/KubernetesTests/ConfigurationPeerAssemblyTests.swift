import NetworkTypes
import Testing

@testable import Kubernetes

@Suite struct ConfigurationPeerAssemblyTests {
    private func peer(_ name: String, _ more: String = "") -> (String, String, String) {
        ("BGPPeer", name, "{myASN: 1, peerASN: 2, peerAddress: 192.0.2.1\(more)}")
    }

    private func sole(_ problems: [Problem]) throws -> Problem {
        #expect(problems.errors.count == 1, "\(problems)")
        return try #require(problems.errors.first)
    }

    private func secret(_ type: String, _ data: String) -> String {
        """
        ---
        apiVersion: v1
        kind: Secret
        metadata: {name: md5, namespace: metallb-system}
        type: \(type)
        stringData: \(data)

        """
    }

    @Test func `the same peer twice is refused, the later by name`() throws {
        let (configuration, problems) = assembled(documents(peer("b"), peer("a")))
        #expect(Array(configuration.bgpPeers.keys) == ["a"])
        let error = try sole(problems)
        #expect(error.object == "BGPPeer metallb-system/b")
        #expect(error.field == "spec.peerAddress")
        #expect(error.rule.contains("BGPPeer metallb-system/a"))
    }

    @Test(
        "One address may be a peer twice with another port, VRF or node",
        arguments: [
            (", peerPort: 1179", ""), (", vrf: red", ""),
            (
                ", nodeSelectors: [{matchLabels: {r: a}}]",
                ", nodeSelectors: [{matchLabels: {r: b}}]"
            ),
        ])
    func twice(_ first: String, _ second: String) {
        let (configuration, problems) = assembled(documents(peer("a", first), peer("b", second)))
        #expect(configuration.bgpPeers.count == 2)
        #expect(problems.errors.isEmpty)
    }

    @Test func `the same interface twice is the same peer twice`() throws {
        let spec = "{myASN: 1, dynamicASN: external, interface: eth0}"
        let (configuration, problems) = assembled(
            documents(("BGPPeer", "a", spec), ("BGPPeer", "b", spec)))
        #expect(configuration.bgpPeers.count == 1)
        #expect(try sole(problems).field == "spec.interface")
    }

    @Test func `an unknown BFD profile refuses the peer and names the near one`() throws {
        let profile = ("BFDProfile", "fast", "{}")
        let (configuration, problems) = assembled(
            documents(profile, peer("a", ", bfdProfile: fats"), peer("b", ", peerPort: 1179")))
        #expect(Array(configuration.bgpPeers.keys) == ["b"])
        #expect(try sole(problems).field == "spec.bfdProfile")
        #expect(try sole(problems).remedy == "did you mean fast?")
    }

    @Test func `a profile deleted under a peer stays in force for it, with an error`() throws {
        var assembler = SnapshotAssembler()
        let user = peer("a", ", bfdProfile: fast")
        _ = assembled(
            documents(("BFDProfile", "fast", "{detectMultiplier: 9}"), user), with: &assembler)
        for _ in 0..<2 {
            let (configuration, problems) = assembled(
                documents(user, peer("z", ", vrf: red")), with: &assembler)
            #expect(configuration.bgpPeers["a"]?.bfdProfile == "fast")
            #expect(configuration.bfdProfiles["fast"]?.detectMultiplier == 9)
            #expect(try sole(problems).object == "BGPPeer metallb-system/a")
        }
    }

    @Test func `the password comes from a Secret of type basic-auth`() throws {
        let text =
            secret("kubernetes.io/basic-auth", "{password: geheim}")
            + documents(peer("a", ", passwordSecret: {name: md5}"))
        let (configuration, problems) = assembled(text)
        #expect(problems.errors.isEmpty)
        #expect(configuration.bgpPeers["a"]?.passwordBytes == Array("geheim".utf8))
    }

    @Test(
        "A Secret that holds no usable password refuses the peer",
        arguments: [
            ("Opaque", "{password: geheim}", "is of type Opaque"),
            ("kubernetes.io/basic-auth", "{username: geheim}", "no key password"),
            ("kubernetes.io/basic-auth", "{password: \"geheim\\n\"}", "line break"),
            (
                "kubernetes.io/basic-auth",
                "{password: \(String(repeating: "x", count: 81))}", "81 bytes"
            ),
        ])
    func badSecret(_ type: String, _ data: String, _ rule: String) throws {
        let (configuration, problems) = assembled(
            secret(type, data) + documents(peer("a", ", passwordSecret: {name: md5}")))
        #expect(configuration.bgpPeers.isEmpty)
        let error = try #require(problems.errors.first { $0.object.hasPrefix("BGPPeer") })
        #expect(error.field == "spec.passwordSecret")
        #expect(error.rule.contains(rule), "\(error)")
        #expect(!error.description.contains("geheim"))
    }

    @Test func `a missing Secret refuses the peer, one in another namespace too`() throws {
        var (configuration, problems) = assembled(
            documents(peer("a", ", passwordSecret: {name: md5}")))
        #expect(configuration.bgpPeers.isEmpty)
        #expect(try sole(problems).rule == "there is no Secret metallb-system/md5")
        (configuration, problems) = assembled(
            secret("kubernetes.io/basic-auth", "{password: x}")
                + documents(peer("a", ", passwordSecret: {name: md5, namespace: shop}")))
        #expect(configuration.bgpPeers.isEmpty)
        #expect(try sole(problems).rule.contains("shop"))
    }

    @Test func `a Secret deleted under a peer leaves the session its password`() throws {
        var assembler = SnapshotAssembler()
        let user = documents(peer("a", ", passwordSecret: {name: md5}"))
        _ = assembled(secret("kubernetes.io/basic-auth", "{password: x}") + user, with: &assembler)
        let (configuration, problems) = assembled(user, with: &assembler)
        #expect(configuration.bgpPeers["a"]?.passwordBytes == Array("x".utf8))
        #expect(try sole(problems).field == "spec.passwordSecret")
    }

    @Test(
        "Routes of both families go over sessions that say so, and over unnumbered ones",
        arguments: [
            ("peerAddress: 192.0.2.1", [IPAddress.Family.ipv4]),
            ("peerAddress: '2001:db8::1'", [.ipv6]),
            ("peerAddress: '2001:db8::1', dualStackAddressFamily: true", [.ipv4, .ipv6]),
            ("interface: eth0", [.ipv4, .ipv6]),
        ])
    func families(_ spec: String, _ families: [IPAddress.Family]) {
        let (configuration, _) = assembled(
            documents(("BGPPeer", "p", "{myASN: 1, peerASN: 2, \(spec)}")))
        #expect(configuration.bgpPeers["p"]?.families == Set(families))
    }

    @Test func `the order in which objects are written changes nothing`() {
        let objects = [
            peer("a"), peer("b"), ("IPAddressPool", "p", "{addresses: [192.0.2.0/24]}"),
            ("IPAddressPool", "q", "{addresses: [192.0.2.0/25, 198.51.100.0/24]}"),
            ("BGPAdvertisement", "x", "{localPref: 1}"),
            ("BGPAdvertisement", "y", "{localPref: 2}"),
        ]
        func result(_ order: [(String, String, String)]) -> (Configuration, Set<String>) {
            let text = order.map { documents($0) }.joined()
            let (configuration, problems) = assembled(text)
            return (configuration, Set(problems.map { $0.object + $0.field + $0.rule }))
        }
        let (configuration, problems) = result(objects)
        for shift in 1..<objects.count {
            let turned = Array(objects[shift...] + objects[..<shift])
            #expect(result(turned) == (configuration, problems))
            #expect(result(turned.reversed()) == (configuration, problems))
        }
    }
}
