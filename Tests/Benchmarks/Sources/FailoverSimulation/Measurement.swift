import NetworkTypes
import Simulation

/// What failures cost a cluster of one size, in simulated time.
struct Measurement {
    let nodes: Int
    let failure: Laboratory.Failure
    /// From the failure until the first other node knew of it, and until the last did.
    var firstVerdict = Distribution()
    var lastVerdict = Distribution()
    /// From the failure until all addresses of the node were answered for again.
    var answeredAgain = Distribution()
    /// Addresses that came to another node; and those of them that did not have to.
    var moved = 0
    var movedInVain = 0
    var failures = 0
    /// Failures after which some address stayed without an answer for 20 s.
    var unanswered = 0
    /// At rest, for each node and second.
    var datagramsPerSecond = 0.0
    var bytesPerSecond = 0.0
    var violations: [String] = []

    /// Measures all kinds of failures of a cluster size.
    static func measure(
        nodes: Int, failures: Int, until limit: Deadline
    ) -> [Measurement] {
        var all = Laboratory.Failure.allCases.map { Measurement(nodes: nodes, failure: $0) }
        // Small clusters are quickly made anew, and each has other positions and clocks.
        let worlds = nodes <= Laboratory.smallCluster ? max(failures / 5, 1) : 1
        for number in 0..<worlds where !limit.isOver {
            let laboratory = Laboratory(nodes: nodes, seed: UInt64(nodes * 1000 + number))
            for kind in all.indices {
                laboratory.rest(&all[kind])
                for _ in 0..<(failures + worlds - 1) / worlds where !limit.isOver {
                    laboratory.fail(all[kind].failure, &all[kind])
                }
            }
            all[0].violations += laboratory.world.judge.violations
        }
        return all
    }

    init(nodes: Int, failure: Laboratory.Failure) {
        self.nodes = nodes
        self.failure = failure
    }
}

/// Times of many events.
struct Distribution {
    private(set) var samples: [Duration] = []

    mutating func add(_ sample: Duration) { samples.append(sample) }

    /// Median, 99th percentile and longest, in milliseconds.
    var figures: (median: Double, p99: Double, longest: Double)? {
        let sorted = samples.sorted()
        guard let longest = sorted.last else { return nil }
        return (
            sorted[sorted.count / 2].milliseconds,
            sorted[min(sorted.count * 99 / 100, sorted.count - 1)].milliseconds,
            longest.milliseconds
        )
    }
}

extension Duration {
    var milliseconds: Double { Double(wholeNanoseconds / 10_000) / 100 }
}

/// When to stop, on the real clock.
struct Deadline {
    private let end: ContinuousClock.Instant

    init(after duration: Duration) { end = ContinuousClock.now + duration }

    var isOver: Bool { ContinuousClock.now >= end }
}
