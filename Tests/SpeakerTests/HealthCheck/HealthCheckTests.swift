import ClusterSource
import Glibc
import Kubernetes
import LinuxNetwork
import NetworkTypes
import TestNetwork
import Testing

@testable import Speaker

@Suite struct HealthCheckPlanTests {
    private func state(_ services: Service...) -> ClusterState {
        var state = ClusterState.example
        for service in services { state.add(service) }
        return state
    }

    private func local(_ name: String, port: UInt16) -> Service {
        Service(name, has: "192.0.2.10") {
            $0.externalTrafficPolicy = .local
            $0.healthCheckNodePort = port
        }
    }

    private func plan(_ state: ClusterState) -> HealthCheckPlan {
        HealthCheckPlan(state.snapshot, choice: EndpointChoice(node: "a", isOnlyNode: false))
    }

    @Test("ready endpoints of this node count; those elsewhere, unready and terminating do not")
    func counts() {
        var state = state(local("web", port: 30_100))
        state.addEndpoints(
            of: "web", .init("198.51.100.1", on: "a"), .init("198.51.100.2", on: "a"),
            .init("198.51.100.3", on: "b"), .init("198.51.100.4", on: "a", ready: false),
            .init("198.51.100.5", on: "a", ready: false, serving: true))
        #expect(plan(state).answers[30_100]?.localEndpoints == 2)
    }

    @Test("policy Cluster, and other types, have no such port")
    func others() {
        var cluster = local("cluster", port: 30_101)
        cluster.externalTrafficPolicy = .cluster
        var nodePort = local("node-port", port: 30_102)
        nodePort.kind = .nodePort
        #expect(plan(state(cluster, nodePort)).answers.isEmpty)
    }

    @Test("of two Services with one port the first by name has it, and the other is named")
    func clash() {
        let plan = plan(state(local("b", port: 30_100), local("a", port: 30_100)))
        let (first, second) = (
            ObjectName(namespace: "shop", "a"), ObjectName(namespace: "shop", "b")
        )
        #expect(plan.answers[30_100]?.service == first)
        #expect(plan.unserved == [second: first])
    }

    private func response(
        _ head: String, endpoints: Int = 2, isHealthy: Bool = true, isDraining: Bool = false
    ) -> String? {
        HealthCheckPlan.Answer(
            service: ObjectName(namespace: "shop", "web"), localEndpoints: endpoints
        ).response(
            to: Array(head.utf8), .init(isHealthy: isHealthy, isDraining: isDraining)
        ).map {
            String(decoding: $0, as: UTF8.self)
        }
    }

    @Test("with endpoints 200, without 503, and 503 while the data plane is out of step")
    func statuses() throws {
        let up = try #require(response("GET / HTTP/1.1\r\nHost: n\r\n\r\n"))
        #expect(up.hasPrefix("HTTP/1.1 200 OK\r\n"))
        #expect(
            up.hasSuffix(
                "\r\n\r\n{\"service\":{\"namespace\":\"shop\",\"name\":\"web\"},"
                    + "\"localEndpoints\":2,\"serviceProxyHealthy\":true}\n"))
        #expect(up.contains("\r\nX-Load-Balancing-Endpoint-Weight: 2\r\n"))
        let down = try #require(response("GET /healthz HTTP/1.0\n\n", endpoints: 0))
        #expect(down.hasPrefix("HTTP/1.1 503 "))
        #expect(down.contains("\"localEndpoints\":0"))
        let broken = try #require(response("GET / HTTP/1.1\r\n\r\n", isHealthy: false))
        #expect(broken.hasPrefix("HTTP/1.1 503 "))
        #expect(broken.contains("\"serviceProxyHealthy\":false"))
    }

    @Test("a node that is drained sends new clients elsewhere, and says how many endpoints it has")
    func draining() throws {
        let text = try #require(response("GET / HTTP/1.1\r\n\r\n", isDraining: true))
        #expect(text.hasPrefix("HTTP/1.1 503 "))
        #expect(text.contains("\r\nX-Load-Balancing-Endpoint-Weight: 0\r\n"))
        #expect(text.contains("\"localEndpoints\":2") && text.contains("\"nodeDraining\":true"))
        // Who was drained and has no endpoint either is not better off.
        #expect(
            response("GET / HTTP/1.1\r\n\r\n", endpoints: 0, isDraining: true)?
                .hasPrefix("HTTP/1.1 503 ") == true)
    }

    @Test("HEAD has no body; other methods, and what is no HTTP, are refused; half a head waits")
    func requests() throws {
        let head = try #require(response("HEAD / HTTP/1.1\r\n\r\n"))
        #expect(head.hasPrefix("HTTP/1.1 200 ") && head.hasSuffix("\r\n\r\n"))
        #expect(response("POST / HTTP/1.1\r\n\r\n")?.hasPrefix("HTTP/1.1 405 ") == true)
        #expect(response("\u{16}\u{3}\u{1}\n\n")?.hasPrefix("HTTP/1.1 400 ") == true)
        #expect(response("GET / HTTP/1.1\r\nHost: n\r\n") == nil)
        #expect(response("") == nil)
    }
}

@Suite(.enabled(if: Namespace.isAvailable, "needs root to make network namespaces"))
struct HealthCheckServerTests {
    private static func plan(_ counts: [UInt16: Int]) -> HealthCheckPlan {
        var state = ClusterState.example
        for (port, count) in counts {
            let name = "s\(port)"
            state.add(
                Service(name, has: "192.0.2.10") {
                    $0.externalTrafficPolicy = .local
                    $0.healthCheckNodePort = port
                })
            for index in 0..<count {
                state.addEndpoints(of: name, .init("198.51.100.\(index + 1)", on: "a"))
            }
        }
        return HealthCheckPlan(state.snapshot, choice: EndpointChoice(node: "a", isOnlyNode: false))
    }

    /// The status line that comes back from a port; empty when nobody listens.
    private static func ask(_ port: UInt16, _ family: Int32 = AF_INET) throws -> String {
        let host = family == AF_INET ? "127.0.0.1" : "[::1]"
        return try Namespace.shell(
            "curl -s -m 5 -o /dev/null -w '%{http_code}' 'http://\(host):\(port)/' || true")
    }

    @Test("each port answers for its Service, in both families, and goes with it")
    func ports() async throws {
        try await Namespace.run {
            try Namespace.shell("ip link set lo up")
            let server = try HealthCheckServer()
            try server.start { port, error in Issue.record("\(port): \(error)") }
            defer { server.stop() }
            server.update(Self.plan([30_100: 1, 30_101: 0]))
            #expect(try Namespace.eventually { try Self.ask(30_100) == "200" })
            #expect(try Self.ask(30_100, AF_INET6) == "200")
            #expect(try Self.ask(30_101) == "503")
            server.update(isHealthy: false)
            #expect(try Namespace.eventually { try Self.ask(30_100) == "503" })
            server.update(isHealthy: true)
            server.update(isDraining: true)
            #expect(try Namespace.eventually { try Self.ask(30_100) == "503" })
            server.update(isDraining: false)
            #expect(try Namespace.eventually { try Self.ask(30_100) == "200" })
            server.update(Self.plan([30_101: 3]))
            #expect(try Namespace.eventually { try Self.ask(30_101) == "200" })
            #expect(try Self.ask(30_100) == "000")
        }
    }

    @Test("a port that another program has is told of once, and served when it is free")
    func taken() async throws {
        try await Namespace.run {
            try Namespace.shell("ip link set lo up")
            let told = Told<SystemError>()
            let server = try HealthCheckServer()
            try server.start { _, error in told.note(error) }
            defer { server.stop() }
            let any = SocketAddress(.unspecifiedIPv4, port: 30_100)
            var other: StreamListener? = try StreamListener(any)
            #expect(other != nil)
            server.update(Self.plan([30_100: 1]))
            #expect(Namespace.eventually { told.all.count == 1 })
            #expect(told.all.first?.description.contains("kube-proxy") == true)
            other = nil
            #expect(
                try Namespace.eventually(within: .seconds(20)) {
                    try Self.ask(30_100) == "200"
                })
            #expect(told.all.count == 1)
        }
    }

    @Test("hundreds who connect and say nothing keep nobody out")
    func silent() async throws {
        try await Namespace.run {
            try Namespace.shell("ip link set lo up")
            let server = try HealthCheckServer()
            try server.start { port, error in Issue.record("\(port): \(error)") }
            defer { server.stop() }
            server.update(Self.plan([30_100: 1]))
            #expect(try Namespace.eventually { try Self.ask(30_100) == "200" })
            let silent = try (0..<300).map { _ in
                try StreamSocket(
                    connectingTo: SocketAddress(
                        try #require(IPAddress("127.0.0.1")), port: 30_100))
            }
            #expect(try Namespace.eventually { try Self.ask(30_100) == "200" })
            #expect(silent.count == 300)
        }
    }
}
