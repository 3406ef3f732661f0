import Kubernetes
import Testing

@Suite("List and watch: random walks")
struct ListWatchWalkTests {
    @Test(
        "whatever the server does, what is believed becomes true and never goes back",
        arguments: [
            1...100, 101...200, 201...300,
        ] as [ClosedRange<UInt64>])
    func walks(seeds: ClosedRange<UInt64>) {
        var counts: [String: Int] = [:]
        for seed in seeds {
            var walk = ListWatchWalk(seed: seed)
            walk.run(steps: 250)
            if let violation = walk.violations.first {
                Issue.record("seed \(seed): \(violation), \(walk.violations.count) in all")
                return
            }
            counts.merge(walk.counts, uniquingKeysWith: +)
        }
        let wanted = [
            "own write", "compaction", "failed request", "410 in pages", "410 of a watch",
            "stale list", "streaming list", "stale event", "duplicate", "cut", "list",
        ]
        for what in wanted {
            #expect(counts[what, default: 0] > 50, "walks that see no \(what) prove little")
        }
    }
}
