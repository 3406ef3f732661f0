import NetworkTypes
import Simulation

/// A cluster in which nodes fail one after the other.
struct Laboratory {
    /// How the nodes of a cluster fail.
    enum Failure: String, CaseIterable {
        /// The process is killed, the machine goes on.
        case killed = "process killed"
        /// The machine is gone.
        case powerless = "no power"
    }

    /// Up to this many nodes each carries ten addresses; of more, only so many do, because each
    /// node keeps what every other claims.
    static let mostCarriers = 100
    /// Addresses on each node that carries any.
    static let addressesPerCarrier = 10
    /// Clusters of more nodes than this are made once, and what fails in them stays away.
    static let smallCluster = 10

    let world: Simulation
    private let carriers: Int

    /// A cluster that has found together, with every address in use.
    init(nodes: Int, seed: UInt64) {
        carriers = min(nodes, Self.mostCarriers)
        var settings = Simulation.Settings(
            seed: seed, nodes: nodes, addresses: carriers * Self.addressesPerCarrier)
        settings.beginsSettled = true
        settings.carriers = carriers
        settings.traceCapacity = nodes <= Self.smallCluster ? 400 : 0
        settings.watchesAnswers = nodes <= Self.smallCluster
        settings.inspection = nodes <= Self.mostCarriers ? .milliseconds(5) : .milliseconds(50)
        let isLarge = nodes > Self.mostCarriers
        if isLarge { settings.startSpacing = .milliseconds(3) }
        let starting = settings.startSpacing * nodes
        settings.firstDecision =
            Instant(nanoseconds: 0)
            + (nodes <= Self.smallCluster ? .zero : starting + .seconds(2))
        world = Simulation(settings)
        // What must hold is about clusters that have found together.
        let bounds = world.judge.bounds
        world.judge.bounds.answeredAgain = .seconds(20)
        world.run(for: starting + .seconds(5))
        world.judge.bounds = bounds
    }

    /// Measures what the gossip costs while nothing happens.
    func rest(_ measurement: inout Measurement) {
        let seconds = world.speakers.count <= Self.mostCarriers ? 2 : 1
        let before = world.gossip.counters
        world.run(for: .seconds(seconds))
        let after = world.gossip.counters
        let share = Double(seconds * world.speakers.count)
        measurement.datagramsPerSecond = Double(after.datagrams - before.datagrams) / share
        measurement.bytesPerSecond = Double(after.bytes - before.bytes) / share
    }

    /// Lets one node with addresses fail.
    func fail(_ failure: Failure, _ measurement: inout Measurement) {
        let owners = world.addresses.indices.map { world.answerers(of: $0) }
        let candidates = Set(owners.flatMap { $0 }).sorted()
        guard let victim = world.random.element(of: candidates) else { return }
        let running = world.speakers.count(where: \.isRunning)
        let lost = owners.indices.filter { owners[$0] == [victim] }
        world.judge.startOver()
        let begin = world.now
        switch failure {
        case .killed: world.kill(victim)
        case .powerless: world.powerOff(victim)
        }
        let took = world.run(atMost: .seconds(20)) { world in
            lost.allSatisfy { index in world.answerers(of: index).contains { $0 != victim } }
        }
        if let took { measurement.answeredAgain.add(took) } else { measurement.unanswered += 1 }
        world.run(for: .milliseconds(500))
        let deaths = world.judge.deaths[Cast.name(victim)] ?? [:]
        if let first = deaths.values.min() { measurement.firstVerdict.add(first - begin) }
        if let last = deaths.values.max(), deaths.count == running - 1 {
            measurement.lastVerdict.add(last - begin)
        }
        measurement.failures += 1
        measurement.moved += world.judge.figures.moves
        measurement.movedInVain += world.judge.figures.moves - lost.count
        // Where there are many, those that have failed stay away.
        guard world.speakers.count <= Self.mostCarriers else { return }
        world.start(victim)
        world.run(for: .seconds(2))
    }
}
