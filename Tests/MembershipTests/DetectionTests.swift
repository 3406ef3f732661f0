import Membership
import NetworkTypes
import Testing

@Suite("Who is alive")
struct DetectionTests {
    /// Times until all others knew, in milliseconds, over many phases of the beats.
    private func detection(
        _ count: Int, runs: Int, _ fault: (DetectionCluster, Int) -> Void
    ) throws -> (median: Int, worst: Int) {
        var times: [Int] = []
        for run in 0..<runs {
            let cluster = DetectionCluster(count, seed: UInt64(run + 1))
            #expect(cluster.settle())
            cluster.run(milliseconds: run % 20)
            let victim = run % count
            fault(cluster, victim)
            let others = (0..<count).filter { $0 != victim }
            times.append(
                try #require(cluster.run(limit: 1_000) { cluster.agreeDead(victim, others) }))
            #expect(cluster.agreeAlive(others))
            #expect(cluster.deaths.allSatisfy { $0.name == "node-\(victim)" })
        }
        times.sort()
        return (times[times.count / 2], times[times.count - 1])
    }

    @Test("A host that falls silent is dead everywhere within 120 ms", arguments: [2, 3, 5, 10])
    func silence(count: Int) throws {
        let (median, worst) = try detection(count, runs: 6) { $0.powerOff($1) }
        #expect(worst < 120)
        // Of two nobody else can be asked, which takes more evidence.
        #expect(median < (count == 2 ? 100 : 80))
    }

    @Test("A process that dies is dead everywhere within 25 ms", arguments: [2, 3, 5, 10])
    func processGone(count: Int) throws {
        let (median, worst) = try detection(count, runs: 6) { $0.kill($1) }
        #expect(worst <= 25)
        #expect(median <= 20)
    }
}
