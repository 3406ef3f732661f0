import Membership
import NetworkTypes
import Testing

@Suite("Many members, much traffic, strange members")
struct DetectionScaleTests {
    @Test("Among 100 nodes a death is known to all within 150 ms, by silence or by its port")
    func hundred() throws {
        let cluster = DetectionCluster(100, seed: 1)
        #expect(cluster.settle(milliseconds: 1_500))
        cluster.powerOff(17)
        let others = (0..<100).filter { $0 != 17 && $0 != 42 }
        let silence = try #require(cluster.run(limit: 500) { cluster.agreeDead(17, others) })
        cluster.kill(42)
        let gone = try #require(
            cluster.run(limit: 500) { cluster.agreeDead(42, others) })
        #expect(silence < 150)
        #expect(gone < 30)
        #expect(cluster.agreeAlive(others))
    }

    @Test("What a node sends does not grow with the number of nodes", arguments: [3, 10, 60])
    func traffic(count: Int) {
        let cluster = DetectionCluster(count, seed: 2)
        #expect(cluster.settle())
        let before = cluster.nodes.map(\.agent.counters)
        cluster.run(milliseconds: 1_000)
        let sent = zip(before, cluster.nodes).map {
            (
                $1.agent.counters.datagramsSent - $0.datagramsSent,
                $1.agent.counters.bytesSent - $0.bytesSent
            )
        }
        let (datagrams, bytes) = (sent.map(\.0).max() ?? 0, sent.map(\.1).max() ?? 0)
        #expect(datagrams <= 215)
        #expect(bytes <= 8_000)
    }

    @Test("Garbage is counted and changes nothing")
    func garbage() {
        let cluster = DetectionCluster(3, seed: 3)
        #expect(cluster.settle())
        var random = TestRandom(state: 3)
        for _ in 0..<3_000 {
            let length = Int.random(in: 0...80, using: &random)
            var bytes = (0..<length).map { _ in UInt8.random(in: 0...255, using: &random) }
            if Bool.random(using: &random), !bytes.isEmpty { bytes[0] = 1 }
            let sender = NodeID(name: Bool.random(using: &random) ? "node-1" : "stranger")
            cluster.handle(
                .datagramReceived(bytes, from: DetectionCluster.address(1), sender: sender), at: 0)
        }
        #expect(cluster.nodes[0].agent.counters.undecodable > 1_000)
        cluster.run(milliseconds: 1_000)
        #expect(cluster.agreeAlive(0..<3))
    }

    @Test("Invented members fill the table and no more, and the real ones stay watched")
    func inventedMembers() throws {
        let cluster = DetectionCluster(3, seed: 4)
        #expect(cluster.settle())
        for batch in 0..<300 {
            let news = (0..<20).map { number in
                MemberNews(
                    name: "invented-\(batch * 20 + number)",
                    endpoint: SocketAddress(
                        IPAddress(ipv4: 0xcb00_7100 + UInt32(number)), port: 9),
                    incarnation: 5, state: batch.isMultiple(of: 2) ? .dead : .alive,
                    cause: .silence, witness: NodeID(name: "node-1"))
            }
            for payload in DatagramCoder.encode([.news(news)]) {
                cluster.handle(
                    .datagramReceived(
                        payload, from: DetectionCluster.address(1), sender: NodeID(name: "node-1")),
                    at: 0)
            }
        }
        #expect(cluster.nodes[0].agent.members.count <= Roster.maximumMembers)
        #expect(cluster.state(of: 1, at: 0) == .alive)
        #expect(
            cluster.nodes[0].agent.members.count { $0.session != nil }
                <= MembershipAgent.maximumSessions)
    }

    @Test("Of two names with the same endpoint or an impossible incarnation no harm comes")
    func impossibleNews() {
        let cluster = DetectionCluster(2, seed: 5)
        #expect(cluster.settle())
        let news = ["node-1", "node-0"].map {
            MemberNews(
                name: $0, endpoint: DetectionCluster.address(1), incarnation: .max, state: .dead,
                cause: .processGone, witness: NodeID(name: "node-1"))
        }
        for payload in DatagramCoder.encode([.news(news)]) {
            cluster.handle(
                .datagramReceived(
                    payload, from: DetectionCluster.address(1), sender: NodeID(name: "node-1")),
                at: 0)
        }
        cluster.run(milliseconds: 500)
        #expect(cluster.agreeAlive(0..<2))
        #expect(cluster.nodes[0].agent.counters.newsRefused == 2)
    }

    @Test("Another process under our name is reported once, and not believed")
    func nameTaken() {
        let cluster = DetectionCluster(2, seed: 6)
        #expect(cluster.settle())
        let stranger = SocketAddress(IPAddress(ipv4: 0xcb00_7107), port: 7481)
        let news = MemberNews(
            name: "node-0", endpoint: stranger, incarnation: 77, state: .alive,
            witness: NodeID(name: "node-0"))
        for _ in 0..<3 {
            for payload in DatagramCoder.encode([.news([news])]) {
                cluster.handle(
                    .datagramReceived(payload, from: stranger, sender: NodeID(name: "node-0")),
                    at: 0)
            }
        }
        #expect(cluster.nodes[0].troubles == [.nameTaken(stranger)])
        #expect(cluster.agreeAlive(0..<2))
    }
}
