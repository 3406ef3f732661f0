import Membership
import NetworkTypes
import Testing

@Suite("Cuts, restarts and pauses")
struct DetectionPartitionTests {
    @Test(
        "After a cut heals everybody is alive again within 500 ms, and nobody dies of it",
        arguments: [(2, 1), (3, 1), (5, 2), (10, 5), (10, 1), (20, 10)])
    func heal(count: Int, cutOff: Int) throws {
        for seed in UInt64(1)...3 {
            let cluster = DetectionCluster(count, seed: seed)
            #expect(cluster.settle())
            let (left, right) = (0..<cutOff, cutOff..<count)
            cluster.cut(left, right)
            cluster.run(milliseconds: 3_000)
            for index in left { #expect(cluster.agreeDead(index, right), "seed \(seed)") }
            for index in right { #expect(cluster.agreeDead(index, left), "seed \(seed)") }
            #expect(cluster.agreeAlive(left) && cluster.agreeAlive(right))
            cluster.clearLogs()
            cluster.cuts = []
            let time = try #require(
                cluster.run(limit: 2_000) { cluster.agreeAlive(0..<count) }, "seed \(seed)")
            #expect(time <= 500, "seed \(seed)")
            cluster.run(milliseconds: 1_000)
            #expect(cluster.deaths.isEmpty, "seed \(seed): \(cluster.deaths.prefix(3))")
            #expect(cluster.nodes.allSatisfy { $0.agent.isolatedSince == nil })
        }
    }

    @Test("Who is cut off knows that it is alone, and when it is not any more")
    func isolation() throws {
        let cluster = DetectionCluster(3, seed: 1)
        #expect(cluster.nodes[0].agent.isolatedSince == nil)
        #expect(cluster.settle())
        #expect(cluster.nodes.allSatisfy { $0.agent.isolatedSince == nil })
        cluster.cut([0], [1, 2])
        #expect(cluster.run(limit: 150) { cluster.nodes[0].agent.isolatedSince != nil } != nil)
        #expect(cluster.nodes[1].agent.isolatedSince == nil)
        cluster.cuts = []
        #expect(cluster.run(limit: 500) { cluster.nodes[0].agent.isolatedSince == nil } != nil)
    }

    @Test("The survivor of two is not alone while the other's host answers that nobody listens")
    func hostAnswers() {
        let cluster = DetectionCluster(2, seed: 1)
        #expect(cluster.settle())
        cluster.kill(1)
        cluster.run(milliseconds: 5_000)
        #expect(cluster.state(of: 1, at: 0) == .dead)
        #expect(cluster.nodes[0].agent.isolatedSince == nil)
    }

    @Test("A goodbye is a fact: nobody is suspected, and nobody takes it for a death")
    func goodbye() throws {
        let cluster = DetectionCluster(5, seed: 2)
        #expect(cluster.settle())
        cluster.handle(.leave, at: 3)
        cluster.run(milliseconds: 15)
        cluster.kill(3)
        for index in [0, 1, 2, 4] { #expect(cluster.state(of: 3, at: index) == .left) }
        cluster.run(milliseconds: 5_000)
        #expect(cluster.deaths.isEmpty)
        #expect(cluster.nodes.allSatisfy { $0.changes.allSatisfy { $0.to != .suspect } })
    }

    @Test("A process that starts again under its name is alive again at once")
    func restart() throws {
        let cluster = DetectionCluster(5, seed: 3)
        #expect(cluster.settle())
        for after in [3, 50, 2_000] {
            cluster.kill(1)
            cluster.run(milliseconds: after)
            cluster.restart(1)
            let time = try #require(cluster.run(limit: 2_000) { cluster.agreeAlive(0..<5) })
            #expect(time <= 100)
            cluster.run(milliseconds: 1_000)
            #expect(cluster.agreeAlive(0..<5))
            #expect(!cluster.nodes[1].agent.isReassessing)
        }
    }

    @Test("A process that starts again with its clock set back rises above what others remember")
    func clockSetBack() throws {
        let cluster = DetectionCluster(3, seed: 4)
        #expect(cluster.settle())
        let key: [UInt8] = [1]
        cluster.handle(.entryChanged(key: key, value: [7]), at: 1)
        cluster.run(milliseconds: 100)
        cluster.kill(1)
        cluster.run(milliseconds: 500)
        cluster.restart(1, incarnation: 1_000)
        cluster.handle(.entryChanged(key: key, value: [9]), at: 1)
        cluster.run(milliseconds: 1_000)
        #expect(cluster.agreeAlive(0..<3))
        #expect(cluster.nodes[1].agent.incarnation > DetectionCluster.boot)
        for index in [0, 2] { #expect(cluster.nodes[index].entries["node-1"]?[key] == [9]) }
        #expect(cluster.nodes[1].troubles.contains(.clockBehind))
    }

    @Test(
        "After a pause there is no permit until the neighbours have answered",
        arguments: [60, 200, 10_000])
    func pause(milliseconds: Int) throws {
        let cluster = DetectionCluster(5, seed: 5)
        #expect(cluster.settle())
        let before = cluster.now
        cluster.pause(1, milliseconds: milliseconds)
        cluster.run(milliseconds: milliseconds - 1)
        #expect(cluster.nodes[1].agent.authorizedUntil <= before + .milliseconds(50))
        cluster.run(until: before + .milliseconds(milliseconds))
        #expect(cluster.nodes[1].agent.isReassessing)
        #expect(cluster.nodes[1].agent.authorizedUntil < cluster.now)
        let time = try #require(
            cluster.run(limit: 1_000) { !cluster.nodes[1].agent.isReassessing })
        #expect(time >= 1 && time < 200)
        #expect(cluster.run(limit: 500) { cluster.agreeAlive(0..<5) } != nil)
        #expect(cluster.nodes[1].changes.allSatisfy { $0.to != .dead })
    }

    @Test("After a pause the claims that others made meanwhile are known before the permit is back")
    func claimsAfterAPause() throws {
        let cluster = DetectionCluster(3, seed: 6)
        #expect(cluster.settle())
        cluster.pause(1, milliseconds: 5_000)
        cluster.run(milliseconds: 1_000)
        for number in 0..<200 {
            cluster.handle(.entryChanged(key: [UInt8(number)], value: [1]), at: 0)
        }
        cluster.run(milliseconds: 4_000)
        _ = cluster.run(limit: 1_000) { !cluster.nodes[1].agent.isReassessing }
        #expect(cluster.nodes[1].entries["node-0"]?.count == 200)
    }

    @Test("After a pause somebody whom nobody answers goes on alone after 200 ms")
    func pauseAlone() throws {
        let cluster = DetectionCluster(3, seed: 7)
        #expect(cluster.settle())
        cluster.cut([1], [0, 2])
        cluster.run(milliseconds: 1_000)
        cluster.pause(1, milliseconds: 100)
        cluster.run(milliseconds: 100)
        #expect(cluster.nodes[1].agent.isReassessing)
        let time = try #require(
            cluster.run(limit: 1_000) { !cluster.nodes[1].agent.isReassessing })
        #expect((195...230).contains(time))
    }

    @Test("Who was called dead while it was well has no permit until it knows the others' claims")
    func falselyDead() throws {
        let cluster = DetectionCluster(3, seed: 8)
        #expect(cluster.settle())
        cluster.cut([1], [0, 2])
        cluster.run(milliseconds: 500)
        cluster.handle(.entryChanged(key: [9], value: [9]), at: 0)
        #expect(!cluster.nodes[1].agent.isReassessing)
        cluster.cuts = []
        #expect(cluster.run(limit: 500) { cluster.nodes[1].agent.isReassessing } != nil)
        #expect(cluster.run(limit: 500) { !cluster.nodes[1].agent.isReassessing } != nil)
        #expect(cluster.nodes[1].entries["node-0"]?[[9]] == [9])
    }

    @Test("Who knows nobody has its permit at once; who has seeds that are silent, after 250 ms")
    func start() throws {
        let alone = DetectionCluster(1, seed: 9)
        #expect(!alone.nodes[0].agent.isReassessing)
        #expect(alone.nodes[0].agent.authorizedUntil == alone.now + .milliseconds(50))
        alone.run(milliseconds: 1_000)
        #expect(alone.nodes[0].agent.authorizedUntil >= alone.now + .milliseconds(29))

        let waiting = DetectionCluster(2, seed: 9)
        waiting.powerOff(1)
        #expect(waiting.nodes[0].agent.isReassessing)
        let time = try #require(
            waiting.run(limit: 1_000) { !waiting.nodes[0].agent.isReassessing })
        #expect((245...280).contains(time))
    }
}
