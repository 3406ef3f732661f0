import LoadBalancing
import NetworkTypes
import Simulation
import Testing

/// A cluster that has settled, and what every scenario looks at.
struct Scenario {
    let world: Simulation
    /// Who answered for what when the story began.
    let before: [[Int]]

    init(
        seed: UInt64 = 1, nodes: Int = 3, addresses: Int? = nil,
        _ adapt: (inout Simulation.Settings) -> Void = { _ in }
    ) {
        var settings = Simulation.Settings(seed: seed, nodes: nodes, addresses: addresses)
        adapt(&settings)
        world = Simulation(settings)
        world.run(for: .seconds(4))
        world.judge.startOver()
        before = world.addresses.indices.map { [world] in world.answerers(of: $0) }
    }

    /// The addresses of a node when the story began.
    func addresses(of node: Int) -> [Int] { before.indices.filter { before[$0] == [node] } }

    /// A node that had addresses.
    var owner: Int { before[0].first ?? 0 }

    var after: [[Int]] { world.addresses.indices.map { world.answerers(of: $0) } }

    /// How long until each of these addresses is answered for by exactly one, not `excluded`.
    func answeredAgain(_ addresses: [Int], excluding excluded: Int) -> Duration? {
        world.run(atMost: .seconds(20)) { world in
            addresses.allSatisfy {
                let nodes = world.answerers(of: $0)
                return nodes.count == 1 && nodes != [excluded]
            }
        }
    }

    /// Fails with the trace when the judge saw something.
    func verify(_ comment: String = "", _ location: SourceLocation = #_sourceLocation) {
        guard !world.judge.violations.isEmpty else { return }
        Issue.record(
            """
            \(comment) seed \(world.settings.seed): \
            \(world.judge.violations.joined(separator: "\n"))
            \(world.judge.traceAtViolation)
            """, sourceLocation: location)
    }

    /// Fails when the cluster is not of one mind.
    func verifyAgreement(_ location: SourceLocation = #_sourceLocation) {
        verify("", location)
        let disagreements = world.judge.disagreements(in: world)
        guard !disagreements.isEmpty else { return }
        Issue.record(
            """
            seed \(world.settings.seed): \(disagreements.joined(separator: "\n"))
            \(world.trace.text)
            """, sourceLocation: location)
    }
}
