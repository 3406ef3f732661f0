import ClusterSource
import Kubernetes
import LinuxNetwork
import LoadBalancing
import Logging
import Membership
import NetworkTypes
import Testing

@testable import Speaker

@Suite("Endpoints that a speaker finds dead")
struct NodeSpeakerProbingTests {
    private static let web = ObjectName(namespace: "shop", "web")

    private static func usable(_ state: ClusterState) -> [String] {
        (state.snapshot.endpointSlices[web] ?? []).flatMap(\.endpoints).filter(\.isUsable)
            .map(\.address.description)
    }

    @Test("an endpoint that refuses is not ready for anybody on this node, and comes back")
    func overlay() async throws {
        let here = try #require(IPAddress("127.0.0.1"))
        let port = try AnsweringPort("")
        defer { port.stop() }
        var state = ClusterState.example
        state.add(
            Service("web", has: "192.0.2.10") {
                $0.healthCheck = HealthCheck(.tcp)
                $0.healthCheck?.interval = .milliseconds(100)
                $0.healthCheck?.rise = 1
            })
        // Only one address of loopback has the port.
        state.addEndpoints(
            of: "web", port: .init(port: port.address.port), .init("127.0.0.1"),
            .init("127.0.0.2"))
        let source = SourceOfTest(state)
        let speaker = try NodeSpeaker(
            settings: .init(node: "n1", scope: ServiceScope(), interfaces: ["none"]),
            source: source, dataplane: nil, keepsDataplane: false,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await speaker.run() }
            #expect(
                try await comesTrue {
                    Self.usable(await speaker.state) == [here.description]
                })
            // A new state from the source changes nothing of that.
            source.change { $0.add(Service("api", has: "192.0.2.11")) }
            #expect(
                try await comesTrue {
                    await speaker.state.snapshot.services.count == 2
                })
            #expect(Self.usable(await speaker.state) == [here.description])
            // Who is no longer asked is taken at its object's word.
            source.change { $0.snapshot.services[Self.web]?.healthCheck = nil }
            #expect(try await comesTrue { Self.usable(await speaker.state).count == 2 })
            group.cancelAll()
            try await group.waitForAll()
        }
    }

    @Test("policy Local: a node whose only endpoint fails its check does not announce")
    func localPolicy() async throws {
        let address = try #require(IPAddress("192.0.2.10"))
        let port = try AnsweringPort("")
        defer { port.stop() }
        var state = ClusterState.example
        state.addNode("n1")
        state.addNode("n2")
        state.add(
            Service("web", has: "192.0.2.10") {
                $0.externalTrafficPolicy = .local
                $0.healthCheckNodePort = 30_100
                $0.healthCheck = HealthCheck(.tcp)
                $0.healthCheck?.interval = .milliseconds(100)
            })
        // Only the other node's endpoint has the port.
        state.addEndpoints(
            of: "web", port: .init(port: port.address.port), .init("127.0.0.1", on: "n2"),
            .init("127.0.0.2", on: "n1"))
        let speaker = try NodeSpeaker(
            settings: .init(node: "n1", scope: ServiceScope(), interfaces: ["none"]),
            source: SourceOfTest(state), dataplane: nil, keepsDataplane: false,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await speaker.run() }
            #expect(
                try await comesTrue {
                    let ownership = await speaker.electionInput().elect()
                    let verdicts = Explanation(of: address, in: ownership)?.nodes
                    return verdicts?.first { $0.node == "n1" }?.verdict
                        == .loses(.failsHealthChecks)
                })
            // It counts without gossip too, and the endpoint's object is what it was.
            #expect(
                await speaker.electionInput().demands[address]?.backing
                    == .local(nodes: ["n1", "n2"]))
            // Routers and load balancers in front are told the same.
            let seen = await speaker.state
            var routes = RouteInput(node: "n1", scope: ServiceScope())
            let demand = routes.update(seen).demands[address] ?? nil
            #expect(demand?.backing == .local(nodes: ["n2"]))
            let plan = HealthCheckPlan(
                seen.snapshot, choice: EndpointChoice(node: "n1", isOnlyNode: false))
            #expect(plan.answers[30_100]?.localEndpoints == 0)
            group.cancelAll()
            try await group.waitForAll()
        }
    }

    @Test("a node is dead when nothing is heard of it, not when its speaker stopped or crashed")
    func deadNodes() {
        let cases: [(MemberState, DeathCause, Bool)] = [
            (.alive, .none, false), (.suspect, .silence, false), (.dead, .silence, true),
            (.dead, .processGone, false), (.dead, .deaf, false), (.left, .none, false),
        ]
        for (state, cause, isDead) in cases {
            #expect(LiveMember(state: state, cause: cause).isNodeDead == isDead)
        }
        // A crashed speaker's host that falls silent later is news.
        #expect(
            LiveMember(state: .dead, cause: .processGone).facts
                != LiveMember(state: .dead, cause: .silence).facts)
    }
}
