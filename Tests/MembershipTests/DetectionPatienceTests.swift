import Membership
import NetworkTypes
import Testing

@Suite("Who is only slow, or only badly heard, is not dead")
struct DetectionPatienceTests {
    @Test(
        "At 30 % loss nobody is called dead",
        arguments: [(2, 60), (3, 600), (5, 60), (10, 30)])
    func loss(count: Int, seconds: Int) {
        let cluster = DetectionCluster(count, seed: 7)
        #expect(cluster.settle())
        cluster.loss = 0.3
        cluster.run(milliseconds: seconds * 1_000)
        #expect(cluster.deaths.isEmpty, "\(cluster.deaths.prefix(3)), seed \(cluster.seed)")
        cluster.loss = 0
        cluster.run(milliseconds: 1_000)
        #expect(cluster.agreeAlive(0..<count))
    }

    @Test("Loss that begins at once at 30 % is no death either")
    func suddenLoss() {
        for seed in UInt64(1)...10 {
            let cluster = DetectionCluster(5, seed: seed)
            #expect(cluster.settle())
            cluster.loss = 0.3
            cluster.run(milliseconds: 2_000)
            #expect(cluster.deaths.isEmpty, "seed \(seed)")
        }
    }

    @Test("At 30 % loss a host that falls silent is still found within half a second")
    func silenceUnderLoss() throws {
        for seed in UInt64(1)...5 {
            let cluster = DetectionCluster(5, seed: seed)
            #expect(cluster.settle())
            cluster.loss = 0.3
            cluster.run(milliseconds: 3_000)
            cluster.powerOff(2)
            let time = try #require(
                cluster.run(limit: 1_000) { cluster.agreeDead(2, [0, 1, 3, 4]) })
            #expect(time < 500, "seed \(seed)")
        }
    }

    @Test("A member that stops for 50 ms over and over is not dead")
    func stallingTarget() {
        let cluster = DetectionCluster(5, seed: 3)
        #expect(cluster.settle())
        cluster.stall(2, milliseconds: 1...50)
        cluster.run(milliseconds: 30_000)
        #expect(cluster.deaths.isEmpty, "\(cluster.deaths.prefix(3))")
    }

    @Test("A watcher that stops for 300 ms over and over calls nobody dead")
    func stallingWatcher() {
        let cluster = DetectionCluster(5, seed: 4)
        #expect(cluster.settle())
        cluster.stall(2, milliseconds: 50...300)
        cluster.run(milliseconds: 20_000)
        #expect(cluster.nodes[2].changes.filter { $0.to == .dead }.isEmpty)
        #expect(cluster.deaths.allSatisfy { $0.name == "node-2" })
        #expect(cluster.nodes[2].agent.counters.pauses > 0)
        #expect(cluster.nodes[2].agent.localHealth > 0)
    }

    @Test("Machines that are all busy and wake up to 40 ms late call nobody dead")
    func allBusy() {
        let cluster = DetectionCluster(5, seed: 5)
        #expect(cluster.settle())
        for index in 0..<5 { cluster.stall(index, milliseconds: 1...40) }
        cluster.run(milliseconds: 30_000)
        #expect(cluster.deaths.isEmpty, "\(cluster.deaths.prefix(3))")
    }

    @Test("A member that is not heard by anybody is dead, though it hears everybody")
    func mute() throws {
        let cluster = DetectionCluster(5, seed: 6)
        #expect(cluster.settle())
        cluster.cut([1], [0, 2, 3, 4], bothWays: false)
        let time = try #require(
            cluster.run(limit: 1_000) { cluster.agreeDead(1, [0, 2, 3, 4]) })
        #expect(time < 200)
        cluster.run(milliseconds: 2_000)
        #expect(cluster.agreeAlive([0, 2, 3, 4]))
        // It ends up hearing nothing either, because nobody beats to the dead; what it makes of
        // that reaches nobody.
        #expect(cluster.nodes[1].agent.isolatedSince != nil)
    }

    @Test("A member that hears nobody is dead, though everybody hears it")
    func deaf() throws {
        let cluster = DetectionCluster(5, seed: 6)
        #expect(cluster.settle())
        cluster.cut([0, 2, 3, 4], [1], bothWays: false)
        let time = try #require(
            cluster.run(limit: 1_000) { cluster.agreeDead(1, [0, 2, 3, 4]) })
        #expect(time < 300)
        #expect(cluster.nodes[0].agent.members.contains { $0.cause == .deaf })
        cluster.run(milliseconds: 2_000)
        // What it believes of the others stays with it.
        #expect(cluster.agreeAlive([0, 2, 3, 4]))
        for index in [0, 2, 3, 4] {
            #expect(
                cluster.nodes[index].changes.allSatisfy { $0.to != .dead || $0.name == "node-1" })
        }
        #expect(cluster.nodes[1].agent.isolatedSince != nil)
    }

    @Test("When only the link between two is bad, nobody dies", arguments: [true, false])
    func badLink(bothWays: Bool) {
        for count in [3, 5, 10] {
            let cluster = DetectionCluster(count, seed: 8)
            #expect(cluster.settle())
            cluster.cut([0], [1], bothWays: bothWays)
            cluster.run(milliseconds: 10_000)
            #expect(cluster.deaths.isEmpty, "\(count) nodes: \(cluster.deaths.prefix(3))")
            guard count <= 5 else { continue }
            let isReported = cluster.nodes[0].troubles.contains(.badLink("node-1"))
            #expect(isReported || !bothWays)
        }
    }

    @Test("A member whose only link is bad is still found when it dies")
    func deathBehindABadLink() throws {
        let cluster = DetectionCluster(5, seed: 9)
        #expect(cluster.settle())
        cluster.cut([0], [1])
        cluster.run(milliseconds: 5_000)
        cluster.powerOff(1)
        let time = try #require(
            cluster.run(limit: 2_000) { cluster.agreeDead(1, [0, 2, 3, 4]) })
        #expect(time < 150)
    }

    @Test("Who is suspected refutes, and is not dead")
    func refutation() throws {
        let cluster = DetectionCluster(3, seed: 10)
        #expect(cluster.settle())
        let news = MemberNews(
            name: "node-1", endpoint: DetectionCluster.address(1),
            incarnation: cluster.nodes[1].agent.incarnation, state: .suspect, cause: .silence,
            witness: NodeID(name: "node-0"))
        for payload in DatagramCoder.encode([.news([news])]) {
            cluster.handle(
                .datagramReceived(
                    payload, from: DetectionCluster.address(0), sender: NodeID(name: "node-0")),
                at: 2)
        }
        #expect(cluster.state(of: 1, at: 2) == .suspect)
        cluster.run(milliseconds: 300)
        #expect(cluster.agreeAlive(0..<3))
        #expect(cluster.nodes[1].agent.counters.refutations == 1)
        #expect(cluster.nodes[1].agent.incarnation > news.incarnation)
        #expect(cluster.deaths.isEmpty)
    }

    @Test("One unreachable port is a question, not a verdict")
    func onePortUnreachable() {
        let cluster = DetectionCluster(3, seed: 11)
        #expect(cluster.settle())
        for _ in 0..<20 {
            cluster.handle(.portUnreachable(DetectionCluster.address(1)), at: 0)
            cluster.run(milliseconds: 25)
        }
        #expect(cluster.deaths.isEmpty)
    }
}
