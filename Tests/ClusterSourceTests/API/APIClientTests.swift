import Kubernetes
import NIOCore
import NIOHTTP1
import Testing

@testable import ClusterSource

@Suite struct APIClientTests {
    let get = APIRequest(path: "/x")

    @Test(arguments: [["h2", "http/1.1"], ["http/1.1"]])
    func `a request arrives as it was meant, over what the server offers`(
        _ protocols: [String]
    ) async throws {
        let certificates = try await TestCertificates.shared()
        let server = try await SmallServer.start(tls: certificates.server, protocols: protocols) {
            _ in .answer(201, "made")
        }
        var access = try server.access(
            .authorities(.file(certificates.authority.certificate)))
        access.authorization = .token("s3cret")
        let answer = try await withClient(access) { client in
            try await client.send(
                APIRequest(
                    method: "PATCH", path: "/api/v1/a", query: [("fieldManager", "m & n")],
                    contentType: "application/merge-patch+json", body: Array("{}".utf8)))
        }
        #expect(answer.code == 201)
        #expect(answer.body == Array("made".utf8))
        let request = try #require(server.requests.first)
        #expect(request.method == "PATCH")
        #expect(request.uri == "/api/v1/a?fieldManager=m%20%26%20n")
        #expect(request.body == Array("{}".utf8))
        #expect(request.isHTTP2 == (protocols.first == "h2"))
        #expect(request.headers["authorization"] == ["Bearer s3cret"])
        #expect(request.headers["content-type"] == ["application/merge-patch+json"])
        #expect(request.headers["accept"] == ["application/json"])
        #expect(request.headers["user-agent"] == ["martlet/test"])
        try await server.stop()
    }

    @Test func `a server behind a path keeps its path`() async throws {
        let server = try await SmallServer.start { _ in .answer(200, "") }
        var access = try server.access()
        access.server = try #require(ServerAddress("http://127.0.0.1:\(server.port)/k8s/c1/"))
        _ = try await withClient(access) { try await $0.send(get) }
        #expect(server.requests.first?.uri == "/k8s/c1/x")
        try await server.stop()
    }

    @Test func `as whom to act is said in headers`() async throws {
        let server = try await SmallServer.start { _ in .answer(200, "") }
        var access = try server.access()
        access.impersonation = .init(
            user: "jane", uid: "7", groups: ["a", "b"], extra: ["example.com/Scope": ["x"]])
        _ = try await withClient(access) { try await $0.send(get) }
        let headers = try #require(server.requests.first).headers
        #expect(headers["impersonate-user"] == ["jane"])
        #expect(headers["impersonate-uid"] == ["7"])
        #expect(headers["impersonate-group"] == ["a", "b"])
        #expect(headers["impersonate-extra-example.com%2Fscope"] == ["x"])
        try await server.stop()
    }

    @Test func `a refusal carries the server's code and how long to wait`() async throws {
        let server = try await SmallServer.start { _ in
            .answer(
                429,
                #"{"kind":"Status","code":429,"reason":"TooManyRequests","message":"slowly"}"#,
                headers: ["Retry-After": "7"])
        }
        let access = try server.access()
        let (sent, opened) = try await withClient(access) { client in
            (
                try await failure { () throws(APIFailure) in _ = try await client.send(get) },
                try await failure { () throws(APIFailure) in _ = try await client.open(get) }
            )
        }
        for failure in [sent, opened] {
            guard case .status(let status) = failure else {
                Issue.record("\(failure)")
                continue
            }
            #expect(status.code == 429)
            #expect(status.retryAfterSeconds == 7)
            #expect(status.message.contains("slowly"))
        }
        try await server.stop()
    }

    @Test func `a redirect is not followed`() async throws {
        let server = try await SmallServer.start { _ in
            .answer(302, "", headers: ["Location": "http://192.0.2.1/login"])
        }
        let access = try server.access()
        let failed = try await withClient(access) { client in
            try await failure { () throws(APIFailure) in _ = try await client.send(get) }
        }
        #expect("\(failed)".contains("redirects"))
        #expect(server.requests.count == 1)
        try await server.stop()
    }

    @Test func `the version is read, also as some providers write it`() async throws {
        let server = try await SmallServer.start { _ in
            .answer(200, #"{"major":"1","minor":"27+","gitVersion":"v1.27.16-gke.1"}"#)
        }
        let access = try server.access()
        let version = try await withClient(access) { try await $0.version() }
        #expect(version == ServerVersion(major: 1, minor: 27, gitVersion: "v1.27.16-gke.1"))
        try await server.stop()
    }

    @Test func `a server that was started anew is reached at the first request`() async throws {
        let certificates = try await TestCertificates.shared()
        let first = try await SmallServer.start(tls: certificates.server) { _ in
            .answer(200, "")
        }
        let access = try first.access(.authorities(.file(certificates.authority.certificate)))
        try await withClient(access) { client in
            _ = try await client.send(get)
            try await first.stop()
            let second = try await SmallServer.start(
                tls: certificates.server, port: first.port
            ) { _ in .answer(200, "new") }
            #expect(try await client.send(get).body == Array("new".utf8))
            try await second.stop()
        }
    }

    @Test func `a server that is not there is told at once`() async throws {
        let server = try await SmallServer.start { _ in .silence }
        let access = try server.access()
        try await server.stop()
        let failed = try await withClient(access) { client in
            try await failure { () throws(APIFailure) in _ = try await client.send(get) }
        }
        guard case .transport(let text) = failed else {
            Issue.record("\(failed)")
            return
        }
        #expect(text.contains("refused"), "\(text)")
        #expect(text.contains("127.0.0.1"))
    }

    @Test(arguments: [true, false])
    func `an answer that does not come is a timeout`(_ overTLS: Bool) async throws {
        let certificates = try await TestCertificates.shared()
        let server = try await SmallServer.start(tls: overTLS ? certificates.server : nil) {
            $0.uri == "/slow" ? .stream(["beginning"], ends: false) : .silence
        }
        let access = try server.access(
            overTLS ? .authorities(.file(certificates.authority.certificate)) : nil)
        try await withClient(access) { client in
            for path in ["/never", "/slow"] {
                let failed = try await failure { () throws(APIFailure) in
                    _ = try await client.send(
                        APIRequest(path: path, timeout: .milliseconds(200)))
                }
                guard case .timeout = failed else {
                    Issue.record("\(failed)")
                    continue
                }
            }
            // The server is told that nobody waits any more.
            try await eventually("the slow answer is given up") { server.abandoned == 1 }
        }
        try await server.stop()
    }

    @Test(arguments: [true, false])
    func `an answer that breaks off is no answer`(_ overTLS: Bool) async throws {
        let certificates = try await TestCertificates.shared()
        let server = try await SmallServer.start(tls: overTLS ? certificates.server : nil) { _ in
            .half("{")
        }
        let access = try server.access(
            overTLS ? .authorities(.file(certificates.authority.certificate)) : nil)
        let failed = try await withClient(access) { client in
            try await failure { () throws(APIFailure) in _ = try await client.send(get) }
        }
        guard case .transport = failed else {
            Issue.record("\(failed)")
            return
        }
        try await server.stop()
    }

    @Test func `an answer that is too long is refused`() async throws {
        let server = try await SmallServer.start { _ in
            .answer(200, String(repeating: "x", count: 1001))
        }
        let access = try server.access()
        let failed = try await withClient(access) { client in
            try await failure { () throws(APIFailure) in
                _ = try await client.send(APIRequest(path: "/x", answerBound: 1000))
            }
        }
        guard case .malformed = failed else {
            Issue.record("\(failed)")
            return
        }
        try await server.stop()
    }

    @Test func `no secret is logged`() async throws {
        let log = KeptLog()
        let server = try await SmallServer.start { _ in .answer(401, "") }
        var access = try server.access()
        access.authorization = .token("s3cret")
        try await withClient(access, logger: log.logger) { client in
            _ = try await failure { () throws(APIFailure) in _ = try await client.send(get) }
        }
        #expect(log.text.contains("without TLS"))
        #expect(!log.text.contains("s3cret"))
        try await server.stop()
    }
}

@Suite struct APIStreamTests {
    @Test(arguments: [true, false])
    func `bytes come as the server sends them, until it ends`(_ overTLS: Bool) async throws {
        let certificates = try await TestCertificates.shared()
        let server = try await SmallServer.start(tls: overTLS ? certificates.server : nil) { _ in
            .stream(["{\"a\":1}\n{\"b", "\":2}\n"], ends: true)
        }
        let access = try server.access(
            overTLS ? .authorities(.file(certificates.authority.certificate)) : nil)
        let bytes = try await withClient(access) { client in
            var bytes: [UInt8] = []
            for try await chunk in try await client.open(APIRequest(path: "/watch")) {
                #expect(!chunk.isEmpty)
                bytes += chunk
            }
            return bytes
        }
        #expect(String(decoding: bytes, as: UTF8.self) == "{\"a\":1}\n{\"b\":2}\n")
        try await server.stop()
    }

    @Test(arguments: [["h2", "http/1.1"], ["http/1.1"]])
    func `many open streams leave room for requests, and end when their reader does`(
        _ protocols: [String]
    ) async throws {
        let certificates = try await TestCertificates.shared()
        let server = try await SmallServer.start(tls: certificates.server, protocols: protocols) {
            $0.uri == "/watch" ? .stream(["\n"], ends: false) : .answer(200, "yes")
        }
        let access = try server.access(
            .authorities(.file(certificates.authority.certificate)))
        try await withClient(access) { client in
            let begun = SharedCount()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<20 {
                    group.addTask {
                        for try await _ in try await client.open(APIRequest(path: "/watch")) {
                            begun.add()
                        }
                    }
                }
                try await eventually("all streams have begun") { begun.value == 20 }
                for _ in 0..<5 {
                    let answer = try await client.send(
                        APIRequest(path: "/x", timeout: .seconds(2)))
                    #expect(answer.body == Array("yes".utf8))
                }
                #expect(server.connections == (protocols.first == "h2" ? 1 : 21))
                group.cancelAll()
            }
            try await eventually("the server knows that nobody reads") { server.abandoned == 20 }
        }
        try await server.stop()
    }

    @Test func `a cancelled request and a client that shuts down leave nobody waiting`()
        async throws
    {
        let server = try await SmallServer.start {
            $0.uri == "/watch" ? .stream(["\n"], ends: false) : .silence
        }
        let access = try server.access()
        try await withClient(access) { client in
            let stream = try await client.open(APIRequest(path: "/watch"))
            var chunks = stream.makeAsyncIterator()
            _ = try await chunks.next()
            let waiting = Task { try await client.send(APIRequest(path: "/x")) }
            try await eventually("the request is under way") { server.requests.count == 2 }
            waiting.cancel()
            await #expect(throws: APIFailure.self) { _ = try await waiting.value }
            await client.shutdown()
            await #expect(throws: APIFailure.self) { _ = try await chunks.next() }
        }
        try await server.stop()
    }

    @Test func `a stream that breaks off fails`() async throws {
        let server = try await SmallServer.start { _ in .half("{\"a\":1}\n") }
        let access = try server.access()
        try await withClient(access) { client in
            let stream = try await client.open(APIRequest(path: "/watch"))
            var chunks = stream.makeAsyncIterator()
            #expect(try await chunks.next() == Array("{\"a\":1}\n".utf8))
            await #expect(throws: APIFailure.self) { _ = try await chunks.next() }
        }
        try await server.stop()
    }

    @Test func `a shared connection to a server that hangs is noticed and replaced`() async throws {
        let certificates = try await TestCertificates.shared()
        let server = try await SmallServer.start(tls: certificates.server) {
            $0.uri == "/watch" ? .stream(["\n"], ends: false) : .answer(200, "yes")
        }
        let access = try server.access(
            .authorities(.file(certificates.authority.certificate)))
        var patience = ConnectionPatience()
        patience.silence = .milliseconds(100)
        patience.answer = .milliseconds(200)
        try await withClient(access, patience: patience) { client in
            let stream = try await client.open(APIRequest(path: "/watch"))
            var chunks = stream.makeAsyncIterator()
            _ = try await chunks.next()
            // A server that only has nothing to say is left alone.
            try await Task.sleep(for: .seconds(1))
            _ = try await client.send(APIRequest(path: "/x"))
            #expect(server.accepted == 1)

            try await server.freeze()
            await #expect(throws: APIFailure.self) { _ = try await chunks.next() }
            let answer = try await client.send(APIRequest(path: "/x", timeout: .seconds(2)))
            #expect(answer.body == Array("yes".utf8))
            #expect(server.accepted == 2)
        }
        try await server.stop()
    }
}
