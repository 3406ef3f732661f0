import ClusterSource
import Kubernetes
import LinuxNetwork
import LoadBalancing
import Logging
import Membership
import NetworkTypes
import SealedDatagrams
import Testing

@testable import Speaker

/// Speakers without any interface: what they decide, say and publish, not what they answer.
@Suite("Speakers as operators see them")
struct NodeSpeakerTests {
    private static let address = IPAddress(family: .ipv4, bits: 0xc000_020a)
    private static let loopback = IPAddress(family: .ipv4, bits: 0x7f00_0001)

    private static var state: ClusterState {
        var state = ClusterState.example
        state.addNode("n1")
        state.addNode("n2")
        state.add(Service("web", has: "192.0.2.10"))
        state.addEndpoints(of: "web", .init("198.51.100.1"))
        return state
    }

    private struct Node: Sendable {
        let speaker: NodeSpeaker
        let source: SourceOfTest
    }

    private static func node(
        _ name: String, _ state: ClusterState = state,
        gossip: MembershipSpeaker.Settings? = nil
    ) throws -> Node {
        let source = SourceOfTest(state)
        return Node(
            speaker: try NodeSpeaker(
                settings: .init(
                    node: name, scope: ServiceScope(), interfaces: ["none"], gossip: gossip),
                source: source, dataplane: nil, keepsDataplane: false,
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }),
            source: source)
    }

    /// Runs speakers for as long as the body takes.
    private static func run(
        _ nodes: [Node], _ body: () async throws -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for node in nodes { group.addTask { try await node.speaker.run() } }
            for node in nodes {
                #expect(try await comesTrue { await node.speaker.hasApplied })
            }
            let result: Result<Void, any Error>
            do { result = .success(try await body()) } catch { result = .failure(error) }
            group.cancelAll()
            try await group.waitForAll()
            try result.get()
        }
    }

    /// Runs n1 and n2, which gossip, until both know each other, and then the body.
    private static func pair(
        _ state: ClusterState = state,
        _ body: (_ first: Node, _ second: Node) async throws -> Void
    ) async throws {
        let scratch = try ScratchFolder()
        let keys = MembershipSpeaker.KeySource.file(
            path: try scratch.keys("gossip.keys"), isMadeIfMissing: false)
        let places = [
            try GossipingNode.place(loopback), try GossipingNode.place(loopback),
        ]
        let nodes = try zip(["n1", "n2"], places).map { name, place in
            try node(
                name, state,
                gossip: .init(
                    node: name, address: place.address, port: place.port,
                    join: places.filter { $0 != place }, keys: keys))
        }
        try await run(nodes) { () async throws in
            for (node, other) in zip(nodes, ["n2", "n1"]) {
                #expect(
                    try await comesTrue {
                        await node.speaker.status().members[other]?.liveness == .alive
                    })
            }
            try await body(nodes[0], nodes[1])
        }
    }

    @Test("a node is drained and undrained from another one, and says so to everybody")
    func drain() async throws {
        try await Self.pair { first, second async throws in
            let drained = await first.speaker.perform(.drain(node: "n2"))
            #expect(drained == .done("n2 has handed over 0 addresses"))
            #expect(await second.speaker.status().isDraining)
            #expect(
                try await comesTrue {
                    await first.speaker.status().members["n2"]?.isDraining == true
                })
            // It outlives the process.
            #expect(
                try await comesTrue { second.source.published.last?.handOver == .drained })
            let undrained = await first.speaker.perform(.undrain(node: "n2"))
            #expect(undrained == .done("n2 takes part again"))
            #expect(await !second.speaker.status().isDraining)
            #expect(try await comesTrue { second.source.published.last?.handOver == nil })
            // Neither the question nor the answer is left behind.
            #expect(
                try await comesTrue {
                    let members = await (
                        first.speaker.status().members, second.speaker.status().members
                    )
                    return members.0["n2"]?.answers.isEmpty == true
                        && members.1["n1"]?.requests.isEmpty == true
                })
        }
    }

    @Test("a drain that an earlier process was told of is said from the first word on")
    func drainedBefore() async throws {
        var state = Self.state
        state.speakers["n2"] = SpeakerRecord(
            node: "n2", claims: [Self.address: 6], handOver: .drained)
        try await Self.pair(state) { first, second async throws in
            #expect(await second.speaker.status().isDraining)
            #expect(
                try await comesTrue {
                    let member = await first.speaker.status().members["n2"]
                    return member?.isDraining == true && member?.claims == [Self.address: 6]
                })
        }
    }

    @Test("a move that cannot be is refused with the reason, wherever it is asked")
    func move() async throws {
        try await Self.pair { first, second async throws in
            let reason = RequestReason("n2 has no usable interface")
            #expect(reason.isIn(await first.speaker.perform(.move(Self.address, to: "n2"))))
            #expect(reason.isIn(await second.speaker.perform(.move(Self.address, to: "n2"))))
            let unused = try #require(IPAddress("192.0.2.77"))
            #expect(
                RequestReason("no Service has the address 192.0.2.77").isIn(
                    await first.speaker.perform(.move(unused, to: "n2"))))
        }
    }

    @Test("who is not there cannot be asked, and the refusal says who is")
    func nobody() async throws {
        try await Self.pair { first, _ async throws in
            let outcome = await first.speaker.perform(.drain(node: "n9"))
            #expect(RequestReason("n9").isIn(outcome))
            #expect(RequestReason("n1, n2").isIn(outcome))
        }
    }

    @Test("what the dead once asked for is not carried out")
    func requestOfTheDead() async throws {
        let scratch = try ScratchFolder()
        let keys = MembershipSpeaker.KeySource.file(
            path: try scratch.keys("gossip.keys"), isMadeIfMissing: false)
        let place = try GossipingNode.place(Self.loopback)
        let witness = try GossipingNode(
            "n3", at: try GossipingNode.place(Self.loopback), keys: keys)
        let asker = try GossipingNode(
            "n2", at: try GossipingNode.place(Self.loopback), join: [witness.place], keys: keys)
        try witness.start()
        try asker.start(saying: [.request(5, .drain(node: "n1"))])
        #expect(
            try await comesTrue { witness.membership.members["n2"]?.requests.count == 1 })
        asker.stop()
        #expect(try await witness.sees("n2", .dead))
        let node = try Self.node(
            "n1",
            gossip: .init(
                node: "n1", address: place.address, port: place.port, join: [witness.place],
                keys: keys))
        try await Self.run([node]) { () async throws in
            #expect(
                try await comesTrue {
                    await node.speaker.status().members["n2"]?.requests.count == 1
                })
            // Requests are worked off in order: once this one is, that one would be.
            witness.membership.spread(.request(6, .undrain(node: "n1")))
            #expect(
                try await comesTrue {
                    witness.membership.members["n1"]?.answers[6] != nil
                })
            #expect(await !node.speaker.status().isDraining)
            #expect(witness.membership.members["n1"]?.answers[5] == nil)
        }
    }

    @Test("without gossip a node can be asked only itself")
    func withoutGossip() async throws {
        let node = try Self.node("n1")
        try await Self.run([node]) { () async throws in
            #expect(
                RequestReason("runs without gossip").isIn(
                    await node.speaker.perform(.drain(node: "n2"))))
            #expect(
                await node.speaker.perform(.drain(node: "n1"))
                    == .done("n1 has handed over 0 addresses"))
            #expect(try await comesTrue { node.source.published.last?.handOver == .drained })
        }
    }

    @Test("a second process of one node is shown as trouble, and gone when the first is")
    func nodeTaken() async throws {
        let node = try Self.node("n1")
        let taken = SourceError.nodeTaken(node: "n1", holder: "process 7")
        node.source.refuse(taken)
        try await Self.run([node]) { () async throws in
            #expect(
                try await comesTrue {
                    await node.speaker.status().publishingTrouble == taken.description
                })
            let events = await node.speaker.status().recentEvents
            #expect(events.contains { $0.reason == "nameTaken" && $0.isWarning })
            node.source.refuse(nil)
            #expect(
                try await comesTrue { await node.speaker.status().publishingTrouble == nil })
            #expect(node.source.published.last?.node == "n1")
        }
    }

    @Test("one that stops with nothing to hand over says goodbye and does not linger")
    func stops() async throws {
        try await Self.pair { first, second async throws in
            await second.speaker.handOverAll()
            #expect(
                try await comesTrue {
                    await first.speaker.status().members["n2"]?.state == .left
                })
            #expect(second.source.published.last?.handOver == .stopping)
        }
    }

    @Test("at its end a speaker publishes that it serves no more")
    func end() async throws {
        let node = try Self.node("n1")
        try await Self.run([node]) { () async throws in
            #expect(try await comesTrue { node.source.published.last?.isServing == true })
        }
        #expect(node.source.published.last?.isServing == false)
    }

    /// Words that a refusal is to have.
    private struct RequestReason {
        let words: String

        init(_ words: String) { self.words = words }

        func isIn(_ outcome: OperatorAnswer) -> Bool {
            !outcome.isDone && outcome.text.contains(words)
        }
    }
}
