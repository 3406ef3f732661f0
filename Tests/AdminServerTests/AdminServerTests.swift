import Foundation
import Logging
import Testing

@testable import AdminServer

private struct FixedContent: AdminContent {
    var fault: String?
    func unhealthy() async -> String? { nil }
    func unready() async -> String? { fault }
    func metrics() async -> [MetricFamily] {
        [
            MetricFamily(
                "martlet_test", .gauge, help: "A\ntest.",
                samples: [.init(["name": #"a"b\c"#], 1.5), .init(["name": "d"], 2)])
        ]
    }
    func state() async throws -> [UInt8] { Array("{}".utf8) }
    func explanation(of subject: String) async throws -> [UInt8]? {
        subject == "default/web" ? Array("[]".utf8) : nil
    }
}

@Suite struct AdminServerTests {
    private func serving<Result: Sendable>(
        _ content: FixedContent, _ body: @Sendable (AdminClient) async throws -> Result
    ) async throws -> Result {
        let path = NSTemporaryDirectory() + "martlet-\(UUID().uuidString)/admin.sock"
        defer {
            // The folder may be gone already; nothing of the test depends on it.
            try? FileManager.default.removeItem(
                at: URL(filePath: path).deletingLastPathComponent())
        }
        let server = AdminHTTPServer(
            addresses: [.unix(path: path)], content: content, logger: Logger(label: "test"))
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await server.run() }
            for _ in 0..<1000 where !FileManager.default.fileExists(atPath: path) {
                try await Task.sleep(for: .milliseconds(5))
            }
            let result = try await body(AdminClient(.unix(path: path)))
            group.cancelAll()
            return result
        }
    }

    @Test("every page answers over the Unix socket")
    func pages() async throws {
        let texts = try await serving(FixedContent()) { client in
            var texts: [String] = []
            for page in [
                "/healthz", "/readyz", "/metrics", "/state", "/explain?subject=default/web",
            ] {
                texts.append(String(decoding: try await client.get(page), as: UTF8.self))
            }
            return texts
        }
        #expect(texts[0] == "ok\n")
        #expect(texts[1] == "ok\n")
        #expect(
            texts[2] == """
                # HELP martlet_test A\\ntest.
                # TYPE martlet_test gauge
                martlet_test{name="a\\"b\\\\c"} 1.5
                martlet_test{name="d"} 2

                """)
        #expect(texts[3] == "{}")
        #expect(texts[4] == "[]")
    }

    @Test("not ready is 503 with the reason, an unknown subject 404, no subject 400")
    func refusals() async throws {
        let failures = try await serving(FixedContent(fault: "waiting for the folder")) { client in
            var failures: [AdminClient.Failure] = []
            for page in ["/readyz", "/explain?subject=nobody", "/explain", "/nowhere"] {
                do throws {
                    _ = try await client.get(page)
                } catch let failure as AdminClient.Failure {
                    failures.append(failure)
                }
            }
            return failures
        }
        #expect(failures.count == 4)
        #expect(failures.first == .refused(status: 503, text: "waiting for the folder"))
        #expect(
            failures.dropFirst().map { failure -> UInt in
                if case .refused(let status, _) = failure { status } else { 0 }
            } == [404, 400, 404])
    }

    @Test("nobody listening is an error that names the place and the way out")
    func unreachable() async throws {
        let client = AdminClient(.unix(path: "/nonexistent/martlet.sock"))
        let error = await #expect(throws: AdminClient.Failure.self) {
            try await client.get("/state")
        }
        #expect(error?.description.contains("/nonexistent/martlet.sock") == true)
        #expect(error?.description.contains("--admin") == true)
    }

    @Test("a file where the socket should be is left alone, and the server says so")
    func foreignFile() async throws {
        let folder = URL(filePath: NSTemporaryDirectory()).appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appending(path: "notes")
        try Data("precious".utf8).write(to: file)
        for path in [file.path, folder.path] {
            let server = AdminHTTPServer(
                addresses: [.unix(path: path)], content: FixedContent(),
                logger: Logger(label: "test"))
            await #expect(throws: AdminSocketFault.noSocket(path: path)) { try await server.run() }
        }
        #expect(try String(contentsOf: file, encoding: .utf8) == "precious")
    }

    @Test("a second server does not take the socket of one that is running")
    func socketInUse() async throws {
        try await serving(FixedContent()) { client in
            guard case .unix(let path) = client.address else { return }
            let second = AdminHTTPServer(
                addresses: [.unix(path: path)], content: FixedContent(),
                logger: Logger(label: "test"))
            await #expect(throws: AdminSocketFault.inUse(path: path)) { try await second.run() }
            let answer = try await client.get("/healthz")
            #expect(answer == Array("ok\n".utf8))
        }
    }

    @Test(
        "addresses are read in every form",
        arguments: [
            ("127.0.0.1:7480", AdminAddress.tcp(host: "127.0.0.1", port: 7480)),
            ("[::1]:80", .tcp(host: "::1", port: 80)), ("/run/x.sock", .unix(path: "/run/x.sock")),
            ("unix:x.sock", .unix(path: "x.sock")),
        ])
    func addressText(text: String, address: AdminAddress) {
        #expect(AdminAddress(text) == address)
    }

    @Test(
        "wrong addresses are refused",
        arguments: ["", "7480", ":80", "host:", "host:70000", "unix:"])
    func wrongAddress(text: String) {
        #expect(AdminAddress(text) == nil)
    }
}
