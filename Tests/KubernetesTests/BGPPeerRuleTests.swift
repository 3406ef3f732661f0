import NetworkTypes
import Testing

@testable import Kubernetes

@Suite struct BGPPeerRuleTests {
    private static let base = "myASN: 64500\npeerASN: 64501\npeerAddress: 192.0.2.1\n"

    private static func accepts(_ spec: String) -> ConfigurationCase {
        .accepts("BGPPeer", spec, version: "v1beta2")
    }

    private static func refuses(
        _ spec: String, at field: String, line: Int? = nil, _ rule: String, _ remedy: String
    ) -> ConfigurationCase {
        .refuses(
            "BGPPeer", spec, version: "v1beta2", at: field, line: line, rule, remedy)
    }

    /// A peer that is right but for the line added, which stands on line 8.
    private static func refusesLine(
        _ added: String, _ rule: String, _ remedy: String
    ) -> ConfigurationCase {
        let field = added.prefix { $0 != ":" }
        return refuses(base + added, at: "spec.\(field)", line: 8, rule, remedy)
    }

    static let sessionCases: [ConfigurationCase] = [
        accepts(base),
        accepts("myASN: 4294967295\npeerASN: 1\npeerAddress: '2001:db8::1'"),
        refuses(
            "myASN: 0\npeerASN: 1\npeerAddress: 192.0.2.1", at: "spec.myASN", "AS number 0",
            "1 to 4294967295"),
        refuses(
            "peerASN: 1\npeerAddress: 192.0.2.1", at: "spec.myASN", "is required", "myASN"),
        refuses(
            "myASN: 1\npeerASN: 4294967296\npeerAddress: 192.0.2.1", at: "spec.peerASN", line: 6,
            "out of range", "4294967295"),
        refuses(
            "myASN: 1\npeerAddress: 192.0.2.1", at: "spec", "one of peerASN and dynamicASN",
            "add peerASN"),
        accepts("myASN: 1\ndynamicASN: internal\npeerAddress: 192.0.2.1"),
        accepts("myASN: 1\ndynamicASN: external\npeerAddress: 192.0.2.1"),
        refuses(
            "myASN: 1\ndynamicASN: both\npeerAddress: 192.0.2.1", at: "spec.dynamicASN", line: 6,
            "not one of internal, external", "internal or external"),
        refusesLine("dynamicASN: external", "together with peerASN", "exactly one"),
        accepts("myASN: 1\npeerASN: 2\ninterface: eth0"),
        refusesLine("interface: eth0", "together with peerAddress", "exactly one"),
        refuses(
            "myASN: 1\npeerASN: 2", at: "spec", "one of peerAddress and interface", "interface"),
        refuses(
            "myASN: 1\npeerASN: 2\npeerAddress: router", at: "spec.peerAddress", line: 7,
            "\"router\" is not an IP address", "192.0.2.1"),
        accepts(base + "sourceAddress: 192.0.2.9"),
        refusesLine("sourceAddress: '2001:db8::9'", "different families", "peer's family"),
        refuses(
            "myASN: 1\npeerASN: 2\ninterface: eth0\nsourceAddress: 192.0.2.9",
            at: "spec.sourceAddress", line: 8, "made over IPv6", "link-local"),
        accepts(base + "peerPort: 65535"),
        refusesLine("peerPort: 65536", "out of range", "1 to 65535"),
        refusesLine("peerPort: 0", "out of range", "1 to 65535"),
        accepts(base + "routerID: 192.0.2.9"),
        refusesLine("routerID: '2001:db8::9'", "not an IPv4 address", "IPv4"),
        refusesLine("routerID: 0.0.0.0", "not a router ID", "another"),
        accepts(base + "vrf: red"),
        refusesLine("vrf: a/b", "cannot be the name", "1 to 15"),
        accepts(base + "ebgpMultiHop: true"),
        refuses(
            "myASN: 1\npeerASN: 1\npeerAddress: 192.0.2.1\nebgpMultiHop: true",
            at: "spec.ebgpMultiHop", line: 8, "internal peer", "remove"),
        refuses(
            "myASN: 1\ndynamicASN: internal\npeerAddress: 192.0.2.1\nebgpMultiHop: true",
            at: "spec.ebgpMultiHop", line: 8, "internal peer", "remove"),
        accepts(base + "passive: true\nttlSecurity: 254\nrole: customer"),
        refusesLine("ttlSecurity: 255", "out of range", "1 to 254"),
        refuses(
            base + "ttlSecurity: 1\nebgpMultiHop: true", at: "spec.ttlSecurity", line: 8,
            "together with ebgpMultiHop", "remove ebgpMultiHop"),
        refusesLine("role: client", "not one of", "rs-client"),
        refuses(
            "myASN: 1\npeerASN: 1\npeerAddress: 192.0.2.1\nrole: peer", at: "spec.role", line: 8,
            "internal peer", "AS numbers"),
        accepts(base + "enableGracefulRestart: true\ngracefulRestartTime: 4095"),
        refusesLine("gracefulRestartTime: 4096", "out of range", "1 to 4095"),
        accepts(base + "shutdownMessage: '" + String(repeating: "x", count: 255) + "'"),
        refusesLine(
            "shutdownMessage: '" + String(repeating: "x", count: 256) + "'", "256 bytes", "255"),
        accepts(base + "maximumPrefixes: 1"),
        accepts(base + "maximumPrefixes: 1000000"),
        refusesLine("maximumPrefixes: 0", "out of range", "1 to 1000000"),
        refusesLine("maximumPrefixes: 1000001", "out of range", "1 to 1000000"),
        refuses(
            "myASN: 23456\npeerASN: 1\npeerAddress: 192.0.2.1", at: "spec.myASN",
            "23456 is reserved (RFC 6793 §9)", "number that was given"),
        refusesLine("localASN: 23456", "23456 is reserved", "number that was given"),
        accepts(base + "disableMP: true"),
        refuses(
            base + "disableMP: true\ndualStackAddressFamily: true", at: "spec.disableMP", line: 8,
            "contradicts dualStackAddressFamily", "remove disableMP"),
        refusesLine("bfdProfil: x", "is not a known field", "did you mean \"bfdProfile\"?"),
        refuses(
            base + "nodeSelectors:\n- matchLabels: {a: b}\n- matchLabels: {a: b}",
            at: "spec.nodeSelectors[1]", line: 10, "repeats", "remove"),
    ]

    static let timerCases: [ConfigurationCase] = [
        accepts(base + "holdTime: 0s"),
        accepts(base + "holdTime: 3s"),
        accepts(base + "holdTime: 65535s"),
        refusesLine("holdTime: 2s", "a hold time of 2 s is not allowed", "at least 3s"),
        refusesLine("holdTime: 65536s", "out of range", "65535s"),
        refusesLine("holdTime: 90", "must be a duration", "write the unit: 90s"),
        refusesLine("holdTime: 3500ms", "not a whole number of seconds", "3s or 4s"),
        accepts(base + "holdTime: 9s\nkeepaliveTime: 9s"),
        refuses(
            base + "holdTime: 9s\nkeepaliveTime: 10s", at: "spec.keepaliveTime", line: 9,
            "10 s is above the hold time of 9 s", "third"),
        accepts(base + "keepaliveTime: 21845s"),
        refusesLine("keepaliveTime: 21846s", "hold time of 65538 s", "21845s"),
        accepts(base + "connectTime: 1s"),
        accepts(base + "connectTime: 65535s"),
        refusesLine("connectTime: 0s", "out of range", "1s to 65535s"),
        refusesLine("connectTime: 65536s", "out of range", "1s to 65535s"),
        accepts(base + "password: '" + String(repeating: "p", count: 80) + "'"),
        refusesLine(
            "password: '" + String(repeating: "p", count: 81) + "'", "81 bytes", "at most 80"),
        accepts(base + "passwordSecret: {name: md5}"),
        refuses(
            base + "password: x\npasswordSecret: {name: md5}", at: "spec.passwordSecret", line: 9,
            "together with password", "exactly one"),
        .accepts("BGPPeer", base + "holdTime: 30s\nbfdProfile: ''", version: "v1beta1"),
        .refuses(
            "BGPPeer", base + "vrf: red", version: "v1beta1", at: "spec.vrf", line: 8,
            "not a field of BGPPeer v1beta1", "v1beta2"),
        .refuses(
            "BGPPeer", "myASN: 1\npeerAddress: 192.0.2.1", version: "v1beta1", at: "spec",
            "peerASN is required", "not 0"),
    ]

    @Test("Every rule of a session holds at its border", arguments: sessionCases)
    func sessionRule(_ subject: ConfigurationCase) { subject.check() }

    @Test("Every rule of timers, passwords and versions holds at its border", arguments: timerCases)
    func timerRule(_ subject: ConfigurationCase) { subject.check() }

    private func peer(_ spec: String, version: String = "v1beta2") throws -> BGPPeer {
        let subject = ConfigurationCase.accepts("BGPPeer", spec, version: version)
        let file = ManifestReader.read(subject.manifest, file: "a.yaml")
        guard case .configuration(.bgpPeer(let peer))? = file.objects.first?.value else {
            throw Missing(problems: file.problems)
        }
        return peer
    }

    private struct Missing: Error {
        let problems: [Problem]
    }

    @Test(
        "Hold and keepalive time derive each other",
        arguments: [
            ("", 90, 30), ("holdTime: 1m", 60, 20), ("keepaliveTime: 7s", 21, 7),
            ("holdTime: 0s", 0, 0), ("holdTime: 10s", 10, 3),
            ("holdTime: 1m30s\nkeepaliveTime: 5s", 90, 5),
        ])
    func timers(_ lines: String, _ hold: Int, _ keepalive: Int) throws {
        let peer = try peer(Self.base + lines)
        #expect(peer.holdTimeSeconds == hold)
        #expect(peer.keepaliveTimeSeconds == keepalive)
    }

    @Test func `a peer has the documented defaults`() throws {
        let peer = try peer(Self.base)
        #expect(peer.peerPort == 179)
        #expect(peer.remoteAS == .number(64501))
        #expect(!peer.isInternal)
        #expect(peer.connectTimeSeconds == nil && peer.routerID == nil && peer.localASN == nil)
        #expect(!peer.enableGracefulRestart && !peer.ebgpMultiHop && !peer.disableMP)
        #expect(!peer.dualStackAddressFamily && !peer.passive && peer.role == nil)
        #expect(peer.nodeSelectors.isEmpty && peer.vrf.isEmpty && peer.bfdProfile.isEmpty)
    }

    @Test func `v1beta1 and v1beta2 of one peer read as the same peer`() throws {
        let lines = """
            peerPort: 1179
            holdTime: 30s
            routerID: 192.0.2.7
            sourceAddress: 192.0.2.8
            password: secret
            ebgpMultiHop: true
            nodeSelectors:
            - matchLabels: {rack: a}
              matchExpressions: [{key: zone, operator: NotIn, values: [x]}]
            """
        #expect(
            try peer(Self.base + lines, version: "v1beta1")
                == peer(Self.base + lines, version: "v1beta2"))
    }

    @Test func `localASN takes the place of myASN in what makes a peer internal`() throws {
        #expect(try peer(Self.base + "localASN: 64501").isInternal)
    }

    @Test func `no message shows a password`() {
        let subject = ConfigurationCase.accepts(
            "BGPPeer", Self.base + "password: \"geheim\\nx\"\npasswordSecret: {name: a}",
            version: "v1beta2")
        let file = ManifestReader.read(subject.manifest, file: "a.yaml")
        #expect(file.problems.errors.count == 2)
        #expect(!file.problems.contains { $0.description.contains("geheim") })
        #expect(!"\(BGPPeer.Password.text("geheim"))".contains("geheim"))
    }

    @Test func `all errors of an object are reported, not only the first`() {
        let subject = ConfigurationCase.accepts(
            "BGPPeer", "myASN: 0\npeerASN: 1\npeerAddress: x\npeerPort: 70000\nholdTime: 1s",
            version: "v1beta2")
        let file = ManifestReader.read(subject.manifest, file: "a.yaml")
        #expect(
            Set(file.problems.errors.map(\.field)) == [
                "spec.myASN", "spec.peerAddress", "spec.peerPort", "spec.holdTime",
            ])
    }
}
