import ClusterSource
import Kubernetes
import LinuxNetwork
import LoadBalancing
import NetworkTypes
import Testing

@testable import Speaker

@Suite("The thread that asks endpoints", .serialized)
struct EndpointProberTests {
    private static let loopback = IPAddress(ipv4: 0x7f00_0001)
    private static let web = ServiceName(namespace: "shop", name: "web")
    private static let quick = ProbeSettings(
        interval: .milliseconds(20), timeout: .seconds(2), rise: 2, fall: 2, failsOpen: false)

    private func target(_ port: UInt16) -> EndpointHealth.Target {
        EndpointHealth.Target(service: Self.web, address: Self.loopback, port: port)
    }

    private func run(
        _ checks: [EndpointHealth.Target: ProbePlan.Check],
        _ body: (EndpointProber) async throws -> Void
    ) async throws {
        let prober = try EndpointProber()
        try prober.start(seed: 1)
        prober.update(checks)
        let result: Result<Void, any Error>
        do { result = .success(try await body(prober)) } catch { result = .failure(error) }
        prober.stop()
        try result.get()
    }

    private func isOut(_ prober: EndpointProber) -> Bool {
        prober.report.excluded == [Self.web: [Self.loopback]]
    }

    @Test("a TCP endpoint is in while its port is open, and out when it is closed")
    func tcp() async throws {
        let port = try AnsweringPort("")
        let target = target(port.address.port)
        try await run([target: .init(settings: Self.quick, method: .tcp)]) { prober async throws in
            var events = prober.events.makeAsyncIterator()
            #expect(!isOut(prober))
            port.stop()
            guard case .changed(let changed, isUp: false, _)? = await events.next() else {
                Issue.record("no word of an endpoint that went out")
                return
            }
            #expect(changed == target)
            #expect(try await comesTrue { isOut(prober) })
        }
    }

    @Test("HTTP is asked for the path, and the status decides")
    func http() async throws {
        let port = try AnsweringPort("HTTP/1.1 503 Not now\r\n\r\n")
        defer { port.stop() }
        let check = ProbePlan.Check(
            settings: Self.quick, method: .http(path: "/healthz", statuses: 200...299))
        try await run([target(port.address.port): check]) { prober async throws in
            #expect(try await comesTrue { isOut(prober) })
            #expect(port.questions.first?.hasPrefix("GET /healthz HTTP/1.1\r\n") == true)
            port.change("HTTP/1.1 204 No Content\r\n\r\n")
            #expect(try await comesTrue { !isOut(prober) })
        }
    }

    @Test("an answer that is no HTTP is none")
    func nonsense() async throws {
        let port = try AnsweringPort("220 mail ready\r\n")
        defer { port.stop() }
        let check = ProbePlan.Check(
            settings: Self.quick, method: .http(path: "/", statuses: 200...399))
        try await run([target(port.address.port): check]) { prober async throws in
            #expect(try await comesTrue { isOut(prober) })
        }
    }

    @Test("UDP without an expectation: a closed port is out, a silent one is in")
    func udpSilence() async throws {
        let silent = try DatagramSocket(SocketAddress(Self.loopback, port: 0))
        let closed: UInt16
        do {
            let gone = try DatagramSocket(SocketAddress(Self.loopback, port: 0))
            closed = gone.local.port
        }
        let check = ProbePlan.Check(
            settings: ProbeSettings(
                interval: .milliseconds(20), timeout: .milliseconds(200), fall: 2,
                failsOpen: false), method: .udp(sends: [1], expects: nil))
        let other = ServiceName(namespace: "shop", name: "silent")
        let quiet = EndpointHealth.Target(
            service: other, address: Self.loopback, port: silent.local.port)
        try await run([target(closed): check, quiet: check]) { prober async throws in
            #expect(try await comesTrue { prober.report.excluded[Self.web] != nil })
            #expect(prober.report.excluded[other] == nil)
        }
    }

    @Test("UDP with an expectation: who answers otherwise, or not at all, is out")
    func udpExpectation() async throws {
        let silent = try DatagramSocket(SocketAddress(Self.loopback, port: 0))
        let check = ProbePlan.Check(
            settings: ProbeSettings(
                interval: .milliseconds(20), timeout: .milliseconds(50), failsOpen: false),
            method: .udp(sends: Array("ping".utf8), expects: Array("pong".utf8)))
        try await run([target(silent.local.port): check]) { prober async throws in
            #expect(try await comesTrue { isOut(prober) })
            // From here on every question is answered as expected.
            #expect(
                try await comesTrue {
                    _ = try silent.receive { _, peer in
                        silent.enqueue(Array("pong!".utf8).span, to: peer)
                    }
                    _ = silent.flush()
                    return !isOut(prober)
                })
        }
    }

    @Test("an endpoint that is no longer to be asked is taken for nothing")
    func forgotten() async throws {
        let closed: UInt16
        do { closed = try StreamListener(SocketAddress(Self.loopback, port: 0)).local.port }
        try await run([target(closed): .init(settings: Self.quick, method: .tcp)]) {
            prober async throws in
            #expect(try await comesTrue { isOut(prober) })
            prober.update([:])
            #expect(try await comesTrue { prober.report == EndpointProber.Report() })
        }
    }

    @Test(
        "the status of a status line is read, and nothing else is taken for one",
        arguments: [
            ("HTTP/1.1 200 OK", 200), ("HTTP/1.0 404", 404), ("HTTP/1.1 503 \r", 503),
            ("HTTP/1.1 204\r", 204), ("HTTP/2 200", nil), ("HTTP/1.1", nil),
            ("HTTP/1.1 20 OK", nil), ("HTTP/1.1 2000 OK", nil), ("HTTP/1.1 +20 OK", nil), ("", nil),
        ] as [(String, Int?)])
    func statusLine(_ line: String, _ status: Int?) {
        #expect(ProbeConversation.status(Array(line.utf8)) == status)
    }

    @Test("the plan follows Services and endpoints, and says whether anything is different")
    func plan() throws {
        var plan = ProbePlan()
        var state = ClusterState.example
        var isDifferent = plan.update(state.snapshot)
        #expect(!isDifferent)
        state.add(Service("web", has: "192.0.2.10") { $0.healthCheck = HealthCheck(.tcp) })
        state.add(Service("api", has: "192.0.2.11"))
        state.addEndpoints(of: "web", .init("198.51.100.1"))
        state.addEndpoints(of: "api", .init("198.51.100.2"))
        isDifferent = plan.update(state.snapshot)
        #expect(isDifferent)
        #expect(plan.checks.keys.map(\.address.description) == ["198.51.100.1"])
        #expect(plan.checks.keys.map(\.port) == [8080])
        state.addEndpoints(of: "api", .init("198.51.100.3"))
        isDifferent = plan.update(state.snapshot)
        #expect(!isDifferent)
        state.snapshot.services[ObjectName(namespace: "shop", "web")]?.healthCheck?.rise = 5
        isDifferent = plan.update(state.snapshot)
        #expect(isDifferent)
        #expect(plan.checks.values.map(\.settings.rise) == [5])
        state.snapshot.services[ObjectName(namespace: "shop", "web")] = nil
        isDifferent = plan.update(state.snapshot)
        #expect(isDifferent)
        #expect(plan.checks.isEmpty)
    }
}
