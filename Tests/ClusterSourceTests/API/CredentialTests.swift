import Foundation
import Kubernetes
import NIOHTTP1
import Synchronization
import Testing

@testable import ClusterSource

@Suite struct CredentialTests {
    let folder: TemporaryFolder
    let get = APIRequest(path: "/x")

    init() throws { folder = try TemporaryFolder() }

    /// A server that lets in those with the token that is good at the moment.
    private func server(
        _ good: SharedText, tls: TestAuthority.Identity? = nil
    ) async throws -> SmallServer {
        try await .start(tls: tls) { request in
            request.headers["authorization"] == ["Bearer " + good.value]
                ? .answer(200, "in") : .answer(401, "")
        }
    }

    @Test func `a token file is read again when the server refuses what was in it`() async throws {
        let good = SharedText("first")
        let server = try await server(good)
        var access = try server.access()
        access.authorization = .tokenFile(
            try folder.write("first\n", to: "token"), initial: nil)
        try await withClient(access) { client in
            _ = try await client.send(get)
            try folder.write("second\n", to: "token")
            good.value = "second"
            #expect(try await client.send(get).body == Array("in".utf8))
        }
        // In, refused, in again: the caller sees nothing of it.
        #expect(server.requests.count == 3)
        try await server.stop()
    }

    @Test func `a token file that changed is seen without a refusal after a while`() async throws {
        let good = SharedText("first")
        let server = try await server(good)
        var access = try server.access()
        access.authorization = .tokenFile(try folder.write("first", to: "token"), initial: nil)
        var pace = Credentials.Pace()
        pace.files = .zero
        try await withClient(access, pace: pace) { client in
            _ = try await client.send(get)
            try folder.write("second", to: "token")
            good.value = "second"
            _ = try await client.send(get)
        }
        #expect(server.requests.count == 2)
        try await server.stop()
    }

    @Test func `a token file that vanished is used as it was`() async throws {
        let good = SharedText("first")
        let server = try await server(good)
        var access = try server.access()
        let path = try folder.write("first", to: "token")
        access.authorization = .tokenFile(path, initial: nil)
        var pace = Credentials.Pace()
        pace.files = .zero
        try await withClient(access, pace: pace) { client in
            _ = try await client.send(get)
            try FileManager.default.removeItem(atPath: path)
            _ = try await client.send(get)
        }
        try await server.stop()
    }

    @Test func `a token that is refused for good is a refusal, after one more look`() async throws {
        let good = SharedText("other")
        let server = try await server(good)
        var access = try server.access()
        access.authorization = .tokenFile(try folder.write("mine", to: "token"), initial: nil)
        let failed = try await withClient(access) { client in
            try await failure { () throws(APIFailure) in _ = try await client.send(get) }
        }
        #expect(failed.code == 401)
        #expect(server.requests.count == 1)
        try await server.stop()
    }

    @Test func `a token file that is not there is named, and nothing is sent`() async throws {
        let server = try await SmallServer.start { _ in .answer(200, "") }
        var access = try server.access()
        access.authorization = .tokenFile(folder.path("gone"), initial: nil)
        let failed = try await withClient(access) { client in
            try await failure { () throws(APIFailure) in _ = try await client.send(get) }
        }
        #expect(failed == .credentials("\(folder.path("gone")): there is no such file"))
        #expect(server.requests.isEmpty)
        try await server.stop()
    }

    @Test func `a password is sent as RFC 7617 says`() async throws {
        let server = try await SmallServer.start { _ in .answer(200, "") }
        var access = try server.access()
        access.authorization = .password(user: "Aladdin", password: "open sesame")
        _ = try await withClient(access) { try await $0.send(get) }
        #expect(
            server.requests.first?.headers["authorization"] == [
                "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="
            ])
        try await server.stop()
    }
}

@Suite struct ServerTrustTests {
    let folder: TemporaryFolder
    let get = APIRequest(path: "/x")

    init() throws { folder = try TemporaryFolder() }

    @Test func `a server of another authority is not spoken to`() async throws {
        let certificates = try await TestCertificates.shared()
        let server = try await SmallServer.start(tls: certificates.otherServer) { _ in
            .answer(200, "")
        }
        var access = try server.access(.authorities(.file(certificates.authority.certificate)))
        access.authorization = .token("s3cret")
        let failed = try await withClient(access) { client in
            try await failure { () throws(APIFailure) in _ = try await client.send(get) }
        }
        #expect("\(failed)".contains("certificate authority"), "\(failed)")
        #expect(server.requests.isEmpty)

        access.trust = .anybody
        _ = try await withClient(access) { try await $0.send(get) }
        #expect(server.requests.count == 1)
        try await server.stop()
    }

    @Test func `a certificate for another name counts only if that name is asked for`()
        async throws
    {
        let certificates = try await TestCertificates.shared()
        let named = try await certificates.authority.identity(
            "named", names: "DNS:api.example.com")
        let server = try await SmallServer.start(tls: named) { _ in .answer(200, "") }
        var access = try server.access(.authorities(.file(certificates.authority.certificate)))
        let failed = try await withClient(access) { client in
            try await failure { () throws(APIFailure) in _ = try await client.send(get) }
        }
        #expect("\(failed)".contains("tls-server-name"), "\(failed)")

        access.tlsServerName = "api.example.com"
        _ = try await withClient(access) { try await $0.send(get) }
        #expect(server.requests.count == 1)
        try await server.stop()
    }

    @Test func `a server behind a proxy is verified by name, and reached by address`()
        async throws
    {
        let certificates = try await TestCertificates.shared()
        let server = try await SmallServer.start(tls: certificates.server) { _ in
            .answer(200, "in")
        }
        let proxy = try await SmallProxy.start()
        var access = try server.access(.authorities(.file(certificates.authority.certificate)))
        access.tlsServerName = "api.example.com"
        access.proxy = ClusterAccess.Proxy("http://me:pass@127.0.0.1:\(proxy.port)")
        let answer = try await withClient(access) { try await $0.send(get) }
        #expect(answer.body == Array("in".utf8))
        let asked = try #require(proxy.asked.first)
        #expect(asked.uri == "127.0.0.1:\(server.port)")
        #expect(asked.headers["proxy-authorization"] == ["Basic bWU6cGFzcw=="])
        try await proxy.stop()
        try await server.stop()
    }

    @Test func `an authority that changes is followed without a restart`() async throws {
        let certificates = try await TestCertificates.shared()
        let authority = try folder.write(
            String(contentsOfFile: certificates.authority.certificate, encoding: .utf8),
            to: "ca.crt")
        let server = try await SmallServer.start(tls: certificates.server) { _ in
            .answer(200, "")
        }
        let access = try server.access(.authorities(.file(authority)))
        try await withClient(access) { client in
            _ = try await client.send(get)
            try await server.stop()
            let next = try await SmallServer.start(
                tls: certificates.otherServer, port: server.port
            ) { _ in .answer(200, "new") }
            let failed = try await failure { () throws(APIFailure) in
                // The first may only find that the old connection is gone.
                for _ in 0..<2 { _ = try await client.send(get) }
            }
            #expect("\(failed)".contains("127.0.0.1"))

            try folder.write(
                String(
                    contentsOfFile: certificates.otherAuthority.certificate, encoding: .utf8),
                to: "ca.crt")
            try await eventually("the new server is believed") {
                do {
                    return try await client.send(get).body == Array("new".utf8)
                } catch {
                    return false
                }
            }
            try await next.stop()
        }
    }

    @Test func `a client certificate is shown, and a new one once its key fits`() async throws {
        let certificates = try await TestCertificates.shared()
        let server = try await SmallServer.start(
            tls: certificates.server, clientAuthority: certificates.authority.certificate,
            protocols: ["http/1.1"]
        ) { _ in .answer(200, "", headers: ["Connection": "close"]) }
        var access = try server.access(.authorities(.file(certificates.authority.certificate)))
        await #expect(throws: APIFailure.self) {
            try await withClient(access) { _ = try await $0.send(get) }
        }

        func text(_ path: String) throws -> String {
            try String(contentsOfFile: path, encoding: .utf8)
        }
        let stranger = try await certificates.otherAuthority.identity(
            "stranger", names: "DNS:stranger")
        access.identity = ClusterAccess.Identity(
            certificate: .file(try folder.write(text(certificates.client.certificate), to: "crt")),
            key: .file(try folder.write(text(certificates.client.key), to: "key")))
        var pace = Credentials.Pace()
        pace.files = .zero
        try await withClient(access, pace: pace) { client in
            _ = try await client.send(get)
            // Half of a replacement: the old pair is used on.
            try folder.write(text(stranger.certificate), to: "crt")
            _ = try await client.send(get)
            // All of it: the server does not know this one.
            try folder.write(text(stranger.key), to: "key")
            await #expect(throws: APIFailure.self) { _ = try await client.send(get) }
        }
        #expect(server.requests.count == 2)
        try await server.stop()
    }
}

/// A text that a test and its server share.
final class SharedText: Sendable {
    private let content: Mutex<String>

    init(_ text: String) { content = Mutex(text) }

    var value: String {
        get { content.withLock { $0 } }
        set { content.withLock { $0 = newValue } }
    }
}
