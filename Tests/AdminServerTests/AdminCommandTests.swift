import AsyncHTTPClient
import Foundation
import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import Testing

@testable import AdminServer

/// Echoes what it is told, and fails on demand.
private struct Commands: AdminContent {
    struct Broken: Error {}

    func unhealthy() async -> String? { nil }
    func unready() async -> String? { nil }
    func metrics() async -> [MetricFamily] { [] }
    func state() async throws -> [UInt8] { Array("{}".utf8) }
    func explanation(of subject: String) async throws -> [UInt8]? { nil }

    func command(_ path: String, body: [UInt8]) async throws -> AdminAnswer {
        switch path {
        case "/drain": .ok(body)
        case "/move": AdminAnswer(.refused, error: "node-b is not ready", remedy: "wait for it")
        case "/broken": throw Broken()
        default: .notFound
        }
    }
}

@Suite struct AdminCommandTests {
    private func serving<Result: Sendable>(
        tcp port: Int? = nil, host: String = "127.0.0.1", allowsRemote: Bool = false,
        connections: Int = 256, idle: Duration = .seconds(60),
        _ body: @Sendable (AdminClient) async throws -> Result
    ) async throws -> Result {
        let path = NSTemporaryDirectory() + "martlet-\(UUID().uuidString)/admin.sock"
        defer {
            // The folder may be gone already; nothing of the test depends on it.
            try? FileManager.default.removeItem(
                at: URL(filePath: path).deletingLastPathComponent())
        }
        var addresses = [AdminAddress.unix(path: path)]
        if let port { addresses.append(.tcp(host: host, port: port)) }
        let server = AdminHTTPServer(
            addresses: addresses, content: Commands(), allowsRemoteCommands: allowsRemote,
            connectionLimit: connections, idleLimit: idle, logger: Logger(label: "test"))
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await server.run() }
            for _ in 0..<1_000 where !FileManager.default.fileExists(atPath: path) {
                try await Task.sleep(for: .milliseconds(5))
            }
            let result = try await body(AdminClient(.unix(path: path)))
            group.cancelAll()
            return result
        }
    }

    private static func failure(
        _ body: () async throws -> [UInt8]
    ) async -> AdminClient.Failure? {
        do {
            let answer = try await body()
            Issue.record("answered \(String(decoding: answer, as: UTF8.self))")
            return nil
        } catch {
            return error as? AdminClient.Failure
        }
    }

    /// A port that was free a moment ago.
    private static func freePort() async throws -> Int {
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .bind(host: "127.0.0.1", port: 0).get()
        let port = channel.localAddress?.port ?? 0
        try await channel.close()
        return port
    }

    @Test("a command gets its body and its answer comes back")
    func carriedOut() async throws {
        let (answer, empty) = try await serving { client in
            (
                try await client.post("/drain", Array(#"{"node":"node-a"}"#.utf8)),
                try await client.post("/drain", [])
            )
        }
        #expect(String(decoding: answer, as: UTF8.self) == #"{"node":"node-a"}"#)
        #expect(String(decoding: empty, as: UTF8.self) == "{}")
    }

    @Test("what is not carried out says why and what to do, each with its status")
    func refusals() async throws {
        let failures = try await serving { client in
            var failures: [AdminClient.Failure?] = []
            for path in ["/move", "/nowhere", "/state", "/broken"] {
                failures.append(await Self.failure { try await client.post(path) })
            }
            for body in ["[1]", "{", "7", "\u{7f}"] {
                failures.append(
                    await Self.failure { try await client.post("/drain", Array(body.utf8)) })
            }
            let long = Array(("{\"a\":\"" + String(repeating: "a", count: 70_000) + "\"}").utf8)
            failures.append(await Self.failure { try await client.post("/drain", long) })
            failures.append(await Self.failure { try await client.get("/drain") })
            return failures
        }
        let statuses = failures.map { failure -> UInt in
            if case .refused(let status, _)? = failure { status } else { 0 }
        }
        #expect(statuses == [409, 404, 405, 500, 400, 400, 400, 400, 413, 404])
        #expect(failures[0]?.description == "node-b is not ready; wait for it")
    }

    @Test("a body of just under 64 KiB is taken, chunked or not")
    func largeBody() async throws {
        let body = Array(("{\"a\":\"" + String(repeating: "a", count: 65_000) + "\"}").utf8)
        let answer = try await serving { try await $0.post("/drain", body) }
        #expect(answer == body)
    }

    @Test("web pages and forms give no commands")
    func browsers() async throws {
        let statuses = try await serving { client in
            guard case .unix(let path) = client.address else { return [UInt]() }
            var statuses: [UInt] = []
            for headers in [
                [("Content-Type", "application/json"), ("Origin", "http://localhost:7480")],
                [("Content-Type", "text/plain")], [],
                [("Content-Type", "Application/JSON; charset=utf-8")],
            ] {
                var request = HTTPClientRequest(url: "http+unix://\(path.percentEncoded)/drain")
                request.method = .POST
                for (name, value) in headers { request.headers.add(name: name, value: value) }
                let response = try await HTTPClient.shared.execute(request, timeout: .seconds(10))
                statuses.append(response.status.code)
                _ = try await response.body.collect(upTo: 1 << 20)
            }
            return statuses
        }
        #expect(statuses == [403, 415, 415, 200])
    }

    @Test("loopback takes commands, an address that others reach only with the flag")
    func places() async throws {
        for (host, flag, expected) in [
            ("127.0.0.1", false, 0), ("0.0.0.0", false, 403), ("0.0.0.0", true, 0),
        ] as [(String, Bool, UInt)] {
            let port = try await Self.freePort()
            let status = try await serving(tcp: port, host: host, allowsRemote: flag) { _ in
                let client = AdminClient(.tcp(host: "127.0.0.1", port: port))
                for _ in 0..<1_000 {
                    do {
                        _ = try await client.get("/healthz")
                        break
                    } catch { try await Task.sleep(for: .milliseconds(5)) }
                }
                do {
                    _ = try await client.post("/drain")
                    return UInt(0)
                } catch let AdminClient.Failure.refused(status, _) { return status }
            }
            #expect(status == expected, "\(host), flag \(flag)")
        }
    }

    @Test(
        "only what stays on this host is local",
        arguments: [
            ("/run/martlet.sock", true), ("127.0.0.1:1", true), ("127.9.9.9:1", true),
            ("localhost:1", true), ("[::1]:1", true), ("0.0.0.0:1", false), ("[::]:1", false),
            ("127.0.0.1.example.com:1", false), ("192.0.2.1:1", false), ("127.1:1", false),
        ])
    func locality(text: String, isLocal: Bool) {
        #expect(AdminAddress(text)?.isLocal == isLocal)
    }

    @Test("beyond the limit connections wait until idle ones are closed, and then get through")
    func connections() async throws {
        let idle = Duration.milliseconds(300)
        try await serving(connections: 4, idle: idle) { client in
            guard case .unix(let path) = client.address else { return }
            let clock = ContinuousClock()
            let start = clock.now
            var silent: [any Channel] = []
            for _ in 0..<40 {
                silent.append(
                    try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                        .connect(unixDomainSocketPath: path).get())
            }
            let answer = try await client.get("/healthz")
            #expect(answer == Array("ok\n".utf8))
            #expect(clock.now - start >= idle)
            for channel in silent {
                // Closed by the server already, or now.
                try? await channel.close()
            }
        }
    }
}
