import Foundation
import Simulation
import Testing

/// Seeds in CI; a night's run takes many more in the release build of `Tests/Benchmarks`.
///
/// With `SIMULATION_SEED` set, that walk alone; with `SIMULATION_SEEDS`, this many from 1 on.
@Suite("Random walks")
struct RandomWalkTests {
    static let lanes = 2

    static let seeds: [UInt64] = {
        let environment = ProcessInfo.processInfo.environment
        if let seed = environment["SIMULATION_SEED"].flatMap(UInt64.init) { return [seed] }
        let count = environment["SIMULATION_SEEDS"].flatMap(UInt64.init) ?? 200
        return Array(1...max(count, 1))
    }()

    @Test("Whatever happens, the invariants hold", arguments: 0..<lanes)
    func walks(lane: Int) {
        for (number, seed) in Self.seeds.enumerated() where number % Self.lanes == lane {
            let outcome = RandomWalk.run(seed: seed)
            if !outcome.violations.isEmpty { Issue.record("\(outcome.report)") }
        }
    }
}
