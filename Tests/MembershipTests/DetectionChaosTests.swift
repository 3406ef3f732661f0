import Membership
import NetworkTypes
import Testing

@Suite("Whatever happens, views become one")
struct DetectionChaosTests {
    @Test("After random faults all views and all entries are equal within two seconds")
    func convergence() {
        for seed in UInt64(1)...8 { chaos(seed: seed) }
    }

    func chaos(seed: UInt64) {
        var random = TestRandom(state: seed)
        let count = Int.random(in: 2...9, using: &random)
        let cluster = DetectionCluster(count, seed: seed)
        cluster.run(milliseconds: 1_000)
        for step in 0..<12 {
            let index = Int.random(in: 0..<count, using: &random)
            let other = Int.random(in: 0..<count, using: &random)
            switch Int.random(in: 0..<9, using: &random) {
            case 0: cluster.kill(index)
            case 1: cluster.powerOff(index)
            case 2 where !cluster.nodes[index].isRunning:
                cluster.restart(index)
            case 3:
                cluster.pause(index, milliseconds: Int.random(in: 1...1_500, using: &random))
            case 4: cluster.cut([index], [other], bothWays: Bool.random(using: &random))
            case 5: cluster.cut(0..<count / 2, count / 2..<count)
            case 6: cluster.cuts = []
            case 7: cluster.loss = Double.random(in: 0...0.4, using: &random)
            default: break
            }
            cluster.handle(
                .entryChanged(key: [UInt8(step % 4)], value: [UInt8(step)]), at: other)
            cluster.run(milliseconds: Int.random(in: 1...600, using: &random))
        }
        cluster.cuts = []
        cluster.loss = 0
        for index in 0..<count where !cluster.nodes[index].isRunning { cluster.restart(index) }
        cluster.run(milliseconds: 1_600)
        // What a boot publishes replaces what was published before it, as soon as there is any.
        for index in 0..<count { cluster.handle(.entryChanged(key: [9], value: [1]), at: index) }
        cluster.clearLogs()
        let isDone = cluster.run(limit: 2_000) { isOne(cluster, count) }
        #expect(isDone != nil, "seed \(seed)")
        cluster.run(milliseconds: 1_000)
        #expect(cluster.deaths.isEmpty, "seed \(seed)")
    }

    private func isOne(_ cluster: DetectionCluster, _ count: Int) -> Bool {
        guard cluster.agreeAlive(0..<count) else { return false }
        return (0..<count).allSatisfy { index in
            let agent = cluster.nodes[index].agent
            return !agent.isReassessing && agent.isolatedSince == nil
                && (0..<count).allSatisfy { other in
                    let name = cluster.nodes[other].name
                    let truth = cluster.nodes[other].agent.entries(of: name)
                    let told = cluster.nodes[index].entries[name] ?? [:]
                    return agent.entries(of: name) == truth && (index == other || told == truth)
                }
        }
    }
}
