import Testing

@testable import Kubernetes

@Suite("Authentication of BFD profiles")
struct BFDAuthenticationTests {
    private static func refuses(
        _ authentication: String, at field: String = "", _ rule: String, _ remedy: String
    ) -> ConfigurationCase {
        .refuses(
            "BFDProfile", "authentication: {\(authentication)}",
            at: "spec.authentication" + field, rule, remedy)
    }

    private static func text(_ count: Int) -> String { String(repeating: "x", count: count) }

    static let cases: [ConfigurationCase] =
        ["simple", "keyed-md5", "meticulous-keyed-md5"].flatMap { type in
            [
                .accepts(
                    "BFDProfile", "authentication: {type: \(type), password: \(text(16))}"),
                refuses(
                    "type: \(type), password: \(text(17))", at: ".password", "17 bytes",
                    "at most 16, which is what BFD packets have room for"),
            ]
        }
        + ["keyed-sha1", "meticulous-keyed-sha1"].flatMap { type in
            [
                .accepts(
                    "BFDProfile", "authentication: {type: \(type), password: \(text(20))}"),
                refuses(
                    "type: \(type), password: \(text(21))", at: ".password", "21 bytes",
                    "at most 20"),
            ]
        } + [
            .accepts("BFDProfile", "authentication: {type: simple, keyID: 0, password: a}"),
            .accepts("BFDProfile", "authentication: {type: simple, keyID: 255, password: a}"),
            refuses(
                "type: simple, keyID: 256, password: a", at: ".keyID", "out of range",
                "0 to 255"),
            refuses("password: a", at: ".type", "is required", "type"),
            refuses("type: md5, password: a", at: ".type", "not one of simple", "keyed-md5"),
            refuses("type: simple", "one of password and passwordSecret is required", "add"),
            refuses("type: simple, password: ''", "has an empty password", "write a password"),
            refuses(
                "type: simple, password: a, passwordSecret: {name: s}", at: ".passwordSecret",
                "together with password", "exactly one"),
            refuses(
                "type: simple, password: \"a\\nb\"", at: ".password", "line break", "one line"),
            refuses(
                "type: simple, password: a, key: b", at: ".key", "not a known field", ""),
        ]

    @Test("Every rule holds at its border", arguments: cases)
    func rule(_ subject: ConfigurationCase) { subject.check() }

    private func profile(_ type: String = "keyed-sha1") -> String {
        documents(
            ("BFDProfile", "f", "{authentication: {type: \(type), passwordSecret: {name: key}}}"))
    }

    private func secret(_ password: String) -> String {
        """
        ---
        apiVersion: v1
        kind: Secret
        metadata: {name: key, namespace: metallb-system}
        type: kubernetes.io/basic-auth
        stringData: {password: \(password)}

        """
    }

    @Test func `the password is that of the profile, or of a Secret`() throws {
        var (configuration, problems) = assembled(secret("geheim") + profile())
        #expect(problems.errors.isEmpty, "\(problems)")
        var authentication = try #require(configuration.bfdProfiles["f"]?.authentication)
        #expect(authentication.passwordBytes == Array("geheim".utf8))
        #expect(authentication.kind == .keyedSHA1 && authentication.keyID == 1)
        (configuration, problems) = assembled(
            documents(
                ("BFDProfile", "f", "{authentication: {type: simple, keyID: 9, password: a}}")))
        authentication = try #require(configuration.bfdProfiles["f"]?.authentication)
        #expect(authentication.passwordBytes == Array("a".utf8) && authentication.keyID == 9)
    }

    @Test func `a Secret that is missing or too long refuses the profile, and its peers with it`() {
        let peer = documents(
            (
                "BGPPeer", "p",
                "{myASN: 1, peerASN: 2, peerAddress: 192.0.2.1, bfdProfile: f}"
            ))
        for text in ["", secret(Self.text(17))] {
            let (configuration, problems) = assembled(text + profile("keyed-md5") + peer)
            #expect(configuration.bfdProfiles.isEmpty && configuration.bgpPeers.isEmpty)
            let error = problems.errors.first { $0.object.hasPrefix("BFDProfile") }
            #expect(error?.field == "spec.authentication.passwordSecret", "\(problems)")
            #expect(!problems.contains { $0.description.contains(Self.text(17)) })
        }
    }

    @Test func `a Secret deleted under a profile leaves the sessions their password`() {
        var assembler = SnapshotAssembler()
        _ = assembled(secret("geheim") + profile(), with: &assembler)
        let (configuration, problems) = assembled(profile(), with: &assembler)
        #expect(
            configuration.bfdProfiles["f"]?.authentication?.passwordBytes
                == Array("geheim".utf8))
        #expect(problems.errors.map(\.field) == ["spec.authentication.passwordSecret"])
    }

    @Test func `the older dialects know no authentication`() {
        let file = ManifestReader.read(
            "bfd-profiles: [{name: f, authentication: {type: simple, password: a}}]",
            file: "old.yaml")
        #expect(file.problems.errors.contains { $0.rule.contains("not a known field") })
    }
}
