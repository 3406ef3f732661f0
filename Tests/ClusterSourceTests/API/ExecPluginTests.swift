import Foundation
import Kubernetes
import NIOHTTP1
import Testing

@testable import ClusterSource

@Suite struct ExecPluginTests {
    let folder: TemporaryFolder
    let get = APIRequest(path: "/x")

    init() throws { folder = try TemporaryFolder() }

    /// A plugin that is a shell script.
    private func plugin(_ script: String) throws -> ExecPlugin {
        ExecPlugin(
            command: try folder.write("#!/bin/sh\n" + script, to: "plugin", mode: 0o700),
            version: .v1)
    }

    private static func answer(_ status: String) -> String {
        #"{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":"#
            + status + "}"
    }

    private var pace: Credentials.Pace {
        var pace = Credentials.Pace()
        pace.plugin = .zero
        return pace
    }

    /// A plugin whose token is the number of its run.
    private func counting(_ more: String = "") throws -> ExecPlugin {
        try plugin(
            """
            echo run >> \(folder.path("runs"))
            sleep 0.2
            n=$(wc -l < \(folder.path("runs")))
            echo '\(Self.answer(#"{"token":"t-'$n'"\#(more)}"#))'
            """)
    }

    @Test func `a token is made once for all requests, and again when it is refused`()
        async throws
    {
        let good = SharedText("t-1")
        let server = try await SmallServer.start { request in
            request.headers["authorization"] == ["Bearer " + good.value]
                ? .answer(200, "") : .answer(401, "")
        }
        var access = try server.access()
        access.authorization = .plugin(try counting())
        try await withClient(access, pace: pace) { client in
            func sendMany() async throws {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for _ in 0..<20 { group.addTask { _ = try await client.send(get) } }
                    try await group.waitForAll()
                }
            }
            try await sendMany()
            #expect(try folder.text("runs") == "run\n")
            good.value = "t-2"
            try await sendMany()
            #expect(try folder.text("runs") == "run\nrun\n")
        }
        try await server.stop()
    }

    @Test func `a token is made again when its time is over`() async throws {
        let server = try await SmallServer.start { _ in .answer(200, "") }
        var access = try server.access()
        let soon = Date(timeIntervalSinceNow: 5).ISO8601Format(
            .init(includingFractionalSeconds: true))
        access.authorization = .plugin(try counting(#","expirationTimestamp":"\#(soon)""#))
        try await withClient(access, pace: pace) { client in
            for _ in 0..<2 { _ = try await client.send(get) }
        }
        #expect(
            server.requests.map { $0.headers["authorization"] } == [
                ["Bearer t-1"], ["Bearer t-2"],
            ])
        try await server.stop()
    }

    @Test func `a certificate that a plugin makes is shown`() async throws {
        let certificates = try await TestCertificates.shared()
        let server = try await SmallServer.start(
            tls: certificates.server, clientAuthority: certificates.authority.certificate
        ) { _ in .answer(200, "") }
        var access = try server.access(.authorities(.file(certificates.authority.certificate)))
        let status = try JSONEncoder().encode([
            "clientCertificateData": String(
                contentsOfFile: certificates.client.certificate, encoding: .utf8),
            "clientKeyData": String(contentsOfFile: certificates.client.key, encoding: .utf8),
        ])
        let file = try folder.write(
            Self.answer(String(decoding: status, as: UTF8.self)), to: "answer")
        access.authorization = .plugin(try plugin("cat \(file)"))
        _ = try await withClient(access) { try await $0.send(get) }
        #expect(server.requests.count == 1)
        try await server.stop()
    }

    @Test func `a plugin has its arguments and variables, and hears of the cluster`()
        async throws
    {
        var plugin = try plugin(
            """
            printf '%s|%s|%s' "$1" "$REGION" "$KUBERNETES_EXEC_INFO" > \(folder.path("seen"))
            echo '\(Self.answer(#"{"token":"t"}"#))'
            """)
        plugin.arguments = ["a b"]
        plugin.environment = ["REGION": "eu"]
        var info = ExecCredential.ClusterInfo(server: "https://192.0.2.1:6443")
        info.config = .map(["audience": .text("x"), "port": .integer(1)])
        plugin.clusterInfo = info
        #expect(try await plugin.run(within: .seconds(10)).token == "t")
        #expect(
            try folder.text("seen")
                == #"a b|eu|{"apiVersion":"client.authentication.k8s.io/v1","kind":"#
                + #""ExecCredential","spec":{"cluster":{"config":{"audience":"x","port":1},"#
                + #""server":"https://192.0.2.1:6443"},"interactive":false}}"#)
    }

    static let troubles: [(script: String, says: String)] = [
        ("echo 'log in first' >&2; exit 3", "log in first"),
        ("echo hello", "no ExecCredential"),
        (
            #"echo '{"apiVersion":"client.authentication.k8s.io/v1beta1","#
                + #""kind":"ExecCredential","status":{"token":"t"}}'"#, "apiVersion"
        ),
        ("echo '\(answer("{}"))'", "neither a token nor a certificate"),
        ("echo '\(answer(#"{"clientKeyData":"x"}"#))'", "certificate without key"),
        (
            "echo '\(answer(#"{"token":"s3cret","expirationTimestamp":"soon"}"#))'",
            "expirationTimestamp"
        ),
        (#"echo '\#(answer(#"{"token":"s3cret\u000a"}"#))'"#, "characters"),
        ("head -c 2000000 /dev/zero", "more than 1 MiB"),
        ("sleep 30", "within 1 s"),
    ]

    @Test(arguments: troubles.indices)
    func `what a plugin does wrong is told, without what it made`(_ index: Int) async throws {
        let plugin = try plugin(Self.troubles[index].script)
        let failed = try await failure { () throws(APIFailure) in
            // Only the last one is to be waited for in vain.
            let isLast = index == Self.troubles.count - 1
            _ = try await plugin.run(within: .seconds(isLast ? 1 : 30))
        }
        guard case .credentials(let text) = failed else {
            Issue.record("\(failed)")
            return
        }
        #expect(text.contains(plugin.command))
        #expect(text.contains(Self.troubles[index].says), "\(text)")
        #expect(!text.contains("s3cret"))
    }

    @Test func `a plugin that is not installed is told with its hint`() async throws {
        for command in ["no-such-plugin-here", folder.path("none")] {
            var plugin = ExecPlugin(command: command, version: .v1beta1)
            plugin.installHint = "get it at https://example.com"
            let failed = try await failure { () throws(APIFailure) in
                _ = try await plugin.run(within: .seconds(10))
            }
            #expect("\(failed)".contains("get it at https://example.com"), "\(failed)")
        }
    }

    @Test func `a plugin that fails is not asked again for every request`() async throws {
        let server = try await SmallServer.start { _ in .answer(200, "") }
        var access = try server.access()
        access.authorization = .plugin(
            try plugin("echo run >> \(folder.path("runs")); exit 1"))
        try await withClient(access) { client in
            for _ in 0..<5 {
                _ = try await failure { () throws(APIFailure) in _ = try await client.send(get) }
            }
        }
        #expect(try folder.text("runs") == "run\n")
        try await server.stop()
    }
}
