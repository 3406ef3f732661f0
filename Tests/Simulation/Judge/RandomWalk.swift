import LoadBalancing
import NetworkTypes

/// A cluster to which things happen at random, all from one seed: processes and machines that die
/// and come back, pauses, cuts of every kind, loss, slow nodes, operators. At the end everything is
/// mended, and the cluster has to be of one mind.
///
/// What cannot be judged is not made to happen together: see ``step()``.
package struct RandomWalk {
    /// How a walk ended.
    package struct Outcome: Sendable {
        /// Its seed.
        package var seed: UInt64
        /// How much time of the simulation it took.
        package var simulated: Duration
        /// What did not hold; empty when all is well.
        package var violations: [String]
        /// What the judge saw.
        package var figures: Judge.Figures
        /// What happened last, before the first thing that did not hold.
        package var trace: String

        /// An outcome of these.
        package init(
            seed: UInt64, simulated: Duration, violations: [String], figures: Judge.Figures,
            trace: String
        ) {
            self.seed = seed
            self.simulated = simulated
            self.violations = violations
            self.figures = figures
            self.trace = trace
        }

        /// For a person: what was wrong, how to see it again, and what happened.
        package var report: String {
            """
            seed \(seed): \(violations.count) thing(s) did not hold
            \(violations.map { "  " + $0 }.joined(separator: "\n"))
            replay: \(RandomWalk.command(seed: seed))
            \(trace)
            """
        }
    }

    /// The command that does exactly this walk again.
    package static func command(seed: UInt64) -> String {
        "SIMULATION_SEED=\(seed) swift test --filter RandomWalkTests"
    }

    /// How long everything is left alone at the end before the cluster has to be of one mind.
    package static let settling = Duration.seconds(3)

    private let seed: UInt64
    private let world: Simulation
    private var random: SeededRandom
    private var cut = Cut.none

    private enum Cut { case none, whole, gossip, oneWay }

    private init(seed: UInt64) {
        self.seed = seed
        random = SeededRandom(seed: seed &+ 0x5eed)
        var settings = Simulation.Settings(
            seed: seed, nodes: 3 + random.below(5), addresses: 2 + random.below(9))
        settings.clients = 1 + random.below(2)
        settings.askInterval = .milliseconds(40)
        settings.detectsConflicts = random.chance(700)
        settings.beginsSettled = random.chance(300)
        if random.chance(200) { settings.preemption = .gradual }
        world = Simulation(settings)
    }

    /// Walks.
    package static func run(seed: UInt64) -> Outcome {
        var walk = RandomWalk(seed: seed)
        return walk.run()
    }

    private mutating func run() -> Outcome {
        world.run(for: .seconds(2))
        let end = world.now + random.duration(in: .seconds(3)..<(.seconds(9)))
        while world.now < end, world.judge.violations.isEmpty {
            step()
            world.run(for: random.duration(in: .milliseconds(20)..<(.milliseconds(2500))))
        }
        if world.judge.violations.isEmpty { mend() }
        var violations = world.judge.violations
        var trace = world.judge.traceAtViolation
        if violations.isEmpty {
            violations = world.judge.disagreements(in: world).map { "at the end: " + $0 }
            trace = world.trace.text
        }
        return Outcome(
            seed: seed, simulated: world.now - Instant(nanoseconds: 0), violations: violations,
            figures: world.judge.figures, trace: trace)
    }

    private mutating func mend() {
        world.heal()
        world.setLoss(datagrams: 0, frames: 0)
        world.setDisorder(perMille: 0)
        world.change { cluster in
            for name in cluster.nodes.keys {
                cluster.nodes[name]?.isReady = true
                cluster.nodes[name]?.isCordoned = false
            }
        }
        for speaker in world.speakers {
            world.slow(speaker.index, by: .zero)
            if speaker.isDraining { world.undrain(speaker.index) }
            world.start(speaker.index)
        }
        world.run(for: Self.settling)
        // A process that was ending when all was mended has ended meanwhile.
        let ended = world.speakers.filter { $0.process == nil }.map(\.index)
        guard !ended.isEmpty else { return }
        for node in ended { world.start(node) }
        world.run(for: Self.settling)
    }

    private var running: [Int] { world.speakers.filter(\.isRunning).map(\.index) }

    /// One thing happens.
    ///
    /// While only datagrams are cut, no process starts, pauses, ends or runs late: one that has
    /// forgotten what happened, and can ask nobody, is asked by nobody; one that answers later than
    /// a check waits looks like an absent owner. While anything is cut, frames are not lost: a lost
    /// question looks like an absent owner as well.
    private mutating func step() {
        switch random.below(18) {
        case 0, 1: if let node = victim() { world.kill(node) }
        case 2: if let node = victim() { world.powerOff(node) }
        case 3: if let node = victim() { world.terminate(node) }
        case 4, 5, 6: startOne()
        case 7:
            if cut != .gossip, let node = random.element(of: running) {
                world.pause(node, for: random.duration(in: .milliseconds(5)..<(.seconds(4))))
            }
        case 8: if cut == .none { divide() } else { heal() }
        case 9: if cut == .none { cutGossip() } else { heal() }
        case 10: if cut == .none { cutOneWay() } else { heal() }
        case 11: lose()
        case 12:
            if cut != .gossip, let node = random.element(of: running) {
                world.slow(node, by: random.duration(below: .milliseconds(40)))
            }
        case 13:
            if let node = random.element(of: running), !world.speakers[node].isDraining {
                world.drain(node)
            }
        case 14:
            let draining = world.speakers.filter(\.isDraining).map(\.index)
            if let node = random.element(of: draining) { world.undrain(node) }
        case 15, 16: changeObjects()
        default:
            if let node = random.element(of: running),
                let address = random.element(of: world.addresses)
            {
                world.move(address, to: node)
            }
        }
    }

    /// Somebody who can go: one stays at least.
    private mutating func victim() -> Int? {
        guard cut != .gossip, running.count > 1 else { return nil }
        return random.element(of: running)
    }

    private mutating func startOne() {
        let down = world.speakers.filter { $0.process == nil }.map(\.index)
        guard cut != .gossip, let node = random.element(of: down) else { return }
        world.start(node, remembers: random.chance(700))
    }

    private mutating func divide() {
        var parts: [[Int]] = Array(repeating: [], count: 2 + random.below(2))
        for node in world.speakers.indices { parts[random.below(parts.count)].append(node) }
        parts.removeAll(where: \.isEmpty)
        guard parts.count > 1 else { return }
        world.setLoss(datagrams: 0, frames: 0)
        world.divide(parts, homes: world.clients.indices.map { $0 % parts.count })
        cut = .whole
    }

    private mutating func cutGossip() {
        // With a process down or stopped the case of `step` would be there.
        guard running.count == world.speakers.count else { return }
        for node in world.speakers.indices { world.slow(node, by: .zero) }
        let parts = [
            world.speakers.indices.filter { $0 % 2 == 0 },
            world.speakers.indices.filter { $0 % 2 == 1 },
        ]
        world.setLoss(datagrams: 0, frames: 0)
        world.divide(parts, frames: false)
        cut = .gossip
    }

    private mutating func cutOneWay() {
        guard let node = random.element(of: world.speakers.indices) else { return }
        world.setLoss(datagrams: 0, frames: 0)
        world.cut(node, sending: random.chance(500))
        cut = .oneWay
    }

    private mutating func heal() {
        world.heal()
        cut = .none
    }

    /// A node is cordoned or not ready, or not any more.
    private mutating func changeObjects() {
        let name = Cast.name(random.below(world.speakers.count))
        let isAboutReady = random.chance(500)
        world.change { cluster in
            if isAboutReady {
                cluster.nodes[name]?.isReady.toggle()
            } else {
                cluster.nodes[name]?.isCordoned.toggle()
            }
        }
        let facts = world.cluster.nodes[name]
        world.note(
            "\(name) is \(facts?.isReady == true ? "ready" : "not ready")"
                + (facts?.isCordoned == true ? ", cordoned" : ""))
    }

    private mutating func lose() {
        guard cut == .none else { return }
        if random.chance(400) {
            world.setLoss(datagrams: 0, frames: 0)
            world.setDisorder(perMille: 0)
        } else {
            world.setLoss(datagrams: random.below(300), frames: random.below(100))
            world.setDisorder(perMille: random.below(200))
        }
    }
}
