import NetworkTypes
import Simulation

/// What failures cost a cluster of one size, in simulated time.
struct Measurement {
    let nodes: Int
    let addresses: Int
    /// From the failure until the first other node knew of it, and until the last did.
    var firstVerdict = Distribution()
    var lastVerdict = Distribution()
    /// From the failure until all addresses of the node were answered for again.
    var answeredAgain = Distribution()
    /// Addresses that came to another node, beside those that had to.
    var movedInVain = 0
    var moved = 0
    var failures = 0
    /// Failures after which some address stayed without an answer for 20 s.
    var unanswered = 0
    /// At rest, for each node and second.
    var datagramsPerSecond = 0.0
    var bytesPerSecond = 0.0
    var largestDatagram = 0
    var violations: [String] = []

    init(nodes: Int, addressesPerNode: Int) {
        self.nodes = nodes
        addresses = nodes * addressesPerNode
    }

    /// Lets `count` nodes fail one after the other, in clusters that begin settled. `hasPower`: the
    /// process is killed, the machine goes on; else the machine is gone.
    mutating func run(failures count: Int, hasPower: Bool, seed: UInt64, until limit: Deadline) {
        var settings = Simulation.Settings(seed: seed, nodes: nodes, addresses: addresses)
        settings.beginsSettled = true
        settings.traceCapacity = nodes <= 10 ? 400 : 0
        settings.watchesAnswers = nodes <= 100
        settings.inspection = nodes <= 100 ? .milliseconds(5) : .milliseconds(50)
        let world = Simulation(settings)
        world.run(for: .seconds(5))
        rest(world)
        for _ in 0..<count where !limit.isOver {
            fail(hasPower: hasPower, world)
        }
        violations += world.judge.violations
    }

    private mutating func rest(_ world: Simulation) {
        let before = world.gossip.counters
        world.run(for: .seconds(2))
        let after = world.gossip.counters
        datagramsPerSecond = Double(after.datagrams - before.datagrams) / Double(2 * nodes)
        bytesPerSecond = Double(after.bytes - before.bytes) / Double(2 * nodes)
        largestDatagram = after.largest
    }

    private mutating func fail(hasPower: Bool, _ world: Simulation) {
        let victim = world.random.below(nodes)
        let owners = world.addresses.indices.map { world.answerers(of: $0) }
        let lost = owners.indices.filter { owners[$0] == [victim] }
        world.judge.startOver()
        let begin = world.now
        if hasPower { world.kill(victim) } else { world.powerOff(victim) }
        let took = world.run(atMost: .seconds(20)) { world in
            lost.allSatisfy { index in
                world.answerers(of: index).contains { $0 != victim }
            }
        }
        if let took { answeredAgain.add(took) } else { unanswered += 1 }
        world.run(for: .seconds(1))
        let deaths = world.judge.deaths[Cast.name(victim)] ?? [:]
        if let first = deaths.values.min() { firstVerdict.add(first - begin) }
        if let last = deaths.values.max(), deaths.count == nodes - 1 {
            lastVerdict.add(last - begin)
        }
        failures += 1
        moved += world.judge.figures.moves
        movedInVain += world.judge.figures.moves - lost.count
        world.start(victim)
        world.run(for: .seconds(2))
    }
}

/// Times of many events.
struct Distribution {
    private(set) var samples: [Duration] = []

    mutating func add(_ sample: Duration) { samples.append(sample) }

    mutating func merge(_ other: Distribution) { samples += other.samples }

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
