import ClusterSource
import Kubernetes
import LinuxNetwork
import LoadBalancing
import Logging
import NetworkTypes
import Testing

@testable import Layer2
@testable import Speaker

@Suite("What a node reports of its wire")
struct NodeReportTests {
    private static let web = ObjectName(namespace: "shop", "web")
    private static let db = ObjectName(namespace: "shop", "db")

    private static func address(_ text: String) throws -> IPAddress {
        try #require(IPAddress(text))
    }

    private static func wire(
        _ name: String, answers: [IPAddress], isListening: Bool = true, silentFor: [IPAddress] = []
    ) -> Layer2InterfaceState {
        func state(_ address: IPAddress, since: Instant?) -> Layer2AddressState {
            Layer2AddressState(
                address: address, state: .active, answeringSince: since,
                counters: AddressCounters(), lastConflict: nil)
        }
        let now = Instant(nanoseconds: 1)
        return Layer2InterfaceState(
            interface: name, index: 2, macAddress: .zero, isListening: isListening, failure: nil,
            addresses: answers.map { state($0, since: now) }
                + silentFor.map { state($0, since: nil) },
            isAuthorized: true, lastHeard: nil, watchedCount: 0, findings: [:],
            schedulingNote: nil, drops: DropCounters(), counters: Layer2InterfaceCounters())
    }

    @Test("only what is answered counts: not what was intended, nor on a link that is down")
    func interfaces() throws {
        let (one, two) = (try Self.address("192.0.2.10"), try Self.address("192.0.2.11"))
        var report = NodeReport(node: "n1")
        report.note(
            [
                Self.wire("eth0", answers: [one], silentFor: [two]),
                Self.wire("eth1", answers: [one]),
                Self.wire("eth2", answers: [one, two], isListening: false),
            ],
            services: [one: [Self.web, Self.db], two: [Self.db]])
        #expect(
            report.interfaces == [Self.web: ["eth0", "eth1"], Self.db: ["eth0", "eth1"]])
    }

    @Test("a router has a Service when it was told a block that the Service's address makes")
    func peers() throws {
        let (one, two) = (try Self.address("192.0.2.10"), try Self.address("198.51.100.7"))
        let demand = RouteDemand(
            advertisements: ["all"], backing: .cluster(hasUsableEndpoint: true))
        let plan = RoutePlan.make(
            node: "n1", nodes: ["n1": NodeFacts()],
            offers: ["all": RouteOffer(blockLengths: [.ipv4: 24])],
            peers: ["tor-1": RoutePeer(), "tor-2": RoutePeer()],
            demands: [one: demand, two: demand])
        let block = try #require(Prefix("192.0.2.0/24"))
        let single = try #require(Prefix("198.51.100.7/32"))
        var report = NodeReport(node: "n1")
        // The second Service's own prefix is not what the plan makes of it.
        report.note(
            told: ["tor-1": [block, single], "tor-2": []], plan: plan,
            services: [one: [Self.web], two: [Self.db]])
        #expect(report.peers == [Self.web: ["tor-1"]])
        #expect(report.interfaces.isEmpty)
    }

    @Test("a Service that comes is told of with node and protocol, one that stays is not")
    func assignments() {
        var before = NodeReport(node: "n1")
        before.interfaces[Self.db] = ["eth0"]
        var after = before
        after.interfaces[Self.db] = ["eth0", "eth1"]
        after.interfaces[Self.web] = ["eth1", "eth0"]
        after.peers[Self.web] = Set((1...10).map { "tor-\($0)" })
        let events = after.assignments(since: before) { _ in false }
        #expect(events.allSatisfy { $0.reason == "nodeAssigned" && $0.severity == .normal })
        #expect(events.allSatisfy { $0.service == Self.web })
        #expect(
            events.map(\.message) == [
                "announcing from node \"n1\" with protocol \"bgp\" to tor-1, tor-10, tor-2, "
                    + "tor-3, tor-4, tor-5, tor-6, tor-7 and 2 more",
                "announcing from node \"n1\" with protocol \"layer2\" on eth0, eth1",
            ])
        #expect(after.assignments(since: after) { _ in false }.isEmpty)
    }

    @Test("what a former process of the node had is no news, what it had not is")
    func restart() {
        var report = NodeReport(node: "n1")
        report.interfaces = [Self.web: ["eth0"], Self.db: ["eth0"]]
        let events = report.assignments(since: nil) { $0 == Self.web }
        #expect(events.map(\.service) == [Self.db])
    }

    @Test("a speaker reports what is wrong with the configuration, once, and again when it changes")
    func problems() async throws {
        var state = ClusterState.example
        state.addNode("n1")
        let fault = Problem(
            .error, object: "BGPPeer metallb-system/tor", field: "spec.peerASN", rule: "is 0",
            remedy: "give a number")
        let other = Problem(.error, object: "Service shop/web", rule: "is odd", remedy: "even it")
        state.snapshot.problems = [fault, other]
        let source = SourceOfTest(state)
        let speaker = try NodeSpeaker(
            settings: .init(node: "n1", scope: ServiceScope(), interfaces: ["none"]),
            source: source, dataplane: nil, keepsDataplane: false,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await speaker.run() }
            #expect(try await comesTrue { source.reports.count == 1 })
            #expect(source.reports.first?.problems == [fault])
            source.change { $0.snapshot.problems = [other] }
            #expect(try await comesTrue { source.reports.count == 2 })
            #expect(source.reports.last?.problems == [])
            // What people wrote elsewhere is no change of what is reported.
            source.change { $0.snapshot.problems = [] }
            source.change { $0.snapshot.problems = [fault] }
            #expect(try await comesTrue { source.reports.last?.problems == [fault] })
            #expect(source.reports.count == 3)
            group.cancelAll()
            try await group.waitForAll()
        }
        // At its end it says that it answers for nothing.
        #expect(source.reports.last == NodeReport(node: "n1"))
        #expect(source.events.isEmpty)
    }
}
