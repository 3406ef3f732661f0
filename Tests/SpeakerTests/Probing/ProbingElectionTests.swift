import ClusterSource
import Kubernetes
import LinuxNetwork
import LoadBalancing
import Logging
import NetworkTypes
import Testing

@testable import Speaker

/// Two speakers that gossip, without any interface, each with an endpoint of one Local Service.
private struct ProbingPair {
    static let web = ObjectName(namespace: "shop", "web")
    static let address = IPAddress(ipv4: 0xc000_020a)
    /// The endpoint on n1 and that on n2.
    static let endpoints = [IPAddress(ipv4: 0x7f00_0001), IPAddress(ipv4: 0x7f00_0002)]

    let speakers: [NodeSpeaker]
    let sources: [SourceOfTest]

    /// Runs n1 and n2 until both know each other, and then the body.
    ///
    /// - Parameter ports: what n1, and what n2 asks at every endpoint.
    static func run(
        asking ports: [UInt16], _ body: (ProbingPair) async throws -> Void
    ) async throws {
        let scratch = try ScratchFolder()
        let keys = MembershipSpeaker.KeySource.file(
            path: try scratch.keys("gossip.keys"), isMadeIfMissing: false)
        let places = try (0..<2).map { _ in try GossipingNode.place(endpoints[0]) }
        let sources = ports.map { SourceOfTest(state(asking: $0)) }
        let speakers = try zip(["n1", "n2"], zip(places, sources)).map { name, rest in
            try NodeSpeaker(
                settings: .init(
                    node: name, scope: ServiceScope(), interfaces: ["none"],
                    gossip: .init(
                        node: name, address: rest.0.address, port: rest.0.port,
                        join: places.filter { $0 != rest.0 }, keys: keys)),
                source: rest.1, dataplane: nil, keepsDataplane: false,
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for speaker in speakers { group.addTask { try await speaker.run() } }
            for (speaker, other) in zip(speakers, ["n2", "n1"]) {
                #expect(
                    try await comesTrue {
                        await speaker.status().members[other]?.liveness == .alive
                    })
            }
            try await body(ProbingPair(speakers: speakers, sources: sources))
            group.cancelAll()
            try await group.waitForAll()
        }
    }

    private static func state(asking port: UInt16) -> ClusterState {
        var state = ClusterState.example
        state.addNode("n1")
        state.addNode("n2")
        state.add(
            Service("web", has: "192.0.2.10") {
                $0.externalTrafficPolicy = .local
                $0.healthCheck = HealthCheck(.tcp)
                $0.healthCheck?.port = port
                $0.healthCheck?.interval = .milliseconds(100)
                $0.healthCheck?.rise = 1
            })
        state.addEndpoints(
            of: "web", .init("127.0.0.1", on: "n1"), .init("127.0.0.2", on: "n2"))
        return state
    }

    /// The endpoints that n1, and those that n2 finds alive.
    func alive() async -> [Set<IPAddress>] {
        var alive: [Set<IPAddress>] = []
        for speaker in speakers {
            let slices = await speaker.state.snapshot.endpointSlices[Self.web] ?? []
            alive.append(Set(slices.flatMap(\.endpoints).filter(\.isUsable).map(\.address)))
        }
        return alive
    }

    /// What n1, and what n2 elects, were their interfaces usable.
    func elections() async -> [Ownership] {
        var elections: [Ownership] = []
        for speaker in speakers {
            var input = await speaker.electionInput()
            for name in input.nodes.keys { input.nodes[name]?.interfaces = nil }
            elections.append(input.elect())
        }
        return elections
    }

    /// Both nodes' words on who has no endpoint.
    func unserving() async -> [Set<String>?] {
        var words: [Set<String>?] = []
        for speaker in speakers {
            words.append(await speaker.electionInput().demands[Self.address]?.unservingNodes)
        }
        return words
    }
}

@Suite("What health checks make of who owns an address")
struct ProbingElectionTests {
    private let address = ProbingPair.address

    @Test("a node whose only endpoint is out says so, all elect the other, until it is back")
    func said() async throws {
        let port = try AnsweringPort("", at: ProbingPair.endpoints[1])
        defer { port.stop() }
        let number = port.address.port
        try await ProbingPair.run(asking: [number, number]) { pair async throws in
            #expect(try await comesTrue { await pair.unserving() == [["n1"], ["n1"]] })
            for ownership in await pair.elections() {
                #expect(ownership.owner(of: address) == "n2")
                #expect(ownership.lossReason(of: "n1", for: address) == .failsHealthChecks)
            }
            let member = await pair.speakers[1].status().members["n1"]
            #expect(member?.unserving == [address])
            // Who is no longer asked is taken at its object's word.
            for source in pair.sources {
                source.change { $0.snapshot.services[ProbingPair.web]?.healthCheck = nil }
            }
            #expect(try await comesTrue { await pair.unserving() == [[], []] })
        }
    }

    @Test("two nodes of which each finds only its own endpoint alive elect the same one")
    func differing() async throws {
        let ports = try ProbingPair.endpoints.map { try AnsweringPort("", at: $0) }
        defer { ports.forEach { $0.stop() } }
        try await ProbingPair.run(asking: ports.map(\.address.port)) { pair async throws in
            let own = ProbingPair.endpoints.map { Set([$0]) }
            #expect(try await comesTrue { await pair.alive() == own })
            // Each has an endpoint, so none has anything to say; what it sees of the other is moot.
            for speaker in pair.speakers { await speaker.tellUnserving() }
            #expect(await pair.unserving() == [[], []])
            let owners = await pair.elections().map { $0.owner(of: address) }
            #expect(owners[0] != nil)
            #expect(owners[0] == owners[1])
        }
    }

    @Test("two nodes of which each finds only the other's endpoint alive leave it to nobody")
    func crossed() async throws {
        let ports = try ProbingPair.endpoints.reversed().map { try AnsweringPort("", at: $0) }
        defer { ports.forEach { $0.stop() } }
        try await ProbingPair.run(asking: ports.map(\.address.port)) { pair async throws in
            let both: Set<String> = ["n1", "n2"]
            #expect(try await comesTrue { await pair.unserving() == [both, both] })
            for ownership in await pair.elections() {
                #expect(ownership.owner(of: address) == nil)
            }
        }
    }
}
