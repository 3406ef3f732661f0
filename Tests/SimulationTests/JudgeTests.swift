import LoadBalancing
import NetworkTypes
import Simulation
import Testing

@Suite("The judge")
struct JudgeTests {
    @Test("It sees that two answer for one address, from 100 ms on")
    func doubles() throws {
        let scenario = Scenario(nodes: 3, addresses: 3)
        let world = scenario.world
        let owner = try #require(scenario.before[0].first)
        world.judge.began(world.addresses[0], at: (owner + 1) % 3, now: world.now)
        world.run(for: .milliseconds(90))
        #expect(world.judge.violations.isEmpty)
        world.run(for: .milliseconds(30))
        #expect(world.judge.violations.count == 1)
        #expect(world.judge.violations.first?.contains("both answered") == true)
    }

    @Test("It allows two that do not hear each other")
    func divided() throws {
        let scenario = Scenario(nodes: 2, addresses: 2)
        let world = scenario.world
        let owner = try #require(scenario.before[0].first)
        world.divide([[owner], [1 - owner]])
        world.judge.began(world.addresses[0], at: 1 - owner, now: world.now)
        world.run(for: .milliseconds(500))
        #expect(!world.judge.violations.contains { $0.contains("both answered") })
    }

    @Test("It sees that nobody answers although somebody could")
    func nobody() throws {
        let scenario = Scenario(nodes: 3, addresses: 3)
        let world = scenario.world
        let owner = try #require(scenario.before[0].first)
        world.judge.ended(world.addresses[0], at: owner, now: world.now)
        world.run(for: .milliseconds(450))
        #expect(world.judge.violations.isEmpty)
        world.run(for: .milliseconds(100))
        #expect(world.judge.violations.first?.contains("nobody has answered") == true)
        #expect(!world.judge.traceAtViolation.isEmpty)
    }

    @Test("It sees a move without a cause, and believes one that has a cause")
    func moves() {
        let scenario = Scenario(nodes: 3, addresses: 3)
        let world = scenario.world
        world.run(for: .seconds(10))
        let move = Tenure.Move(
            address: world.addresses[0], from: "node-0", to: "node-1",
            cause: .tookOver(from: "node-0", reason: .draining), epoch: 2, at: world.now)
        world.pause(0, for: .milliseconds(5))
        world.judge.moved(move, in: world)
        #expect(world.judge.violations.isEmpty)
        world.run(for: .seconds(10))
        world.judge.moved(move, in: world)
        #expect(world.judge.violations.count == 1)
    }

    @Test("It sees when the cluster is not of one mind")
    func disagreement() {
        let scenario = Scenario(nodes: 3, addresses: 3)
        #expect(scenario.world.judge.disagreements(in: scenario.world).isEmpty)
        scenario.world.divide([[0], [1, 2]])
        scenario.world.run(for: .seconds(2))
        #expect(!scenario.world.judge.disagreements(in: scenario.world).isEmpty)
    }

    @Test("Equal seeds give the same story to the last line")
    func determinism() {
        let first = RandomWalk.run(seed: 11)
        let second = RandomWalk.run(seed: 11)
        #expect(first.trace == second.trace)
        #expect(first.violations == second.violations)
        #expect(first.simulated == second.simulated)
    }

    @Test("A failing walk says how to see it again")
    func report() {
        let outcome = RandomWalk.Outcome(
            seed: 42, simulated: .seconds(9), violations: ["at 17.250 ms: this"],
            figures: Judge.Figures(), trace: "      12.000 ms  that")
        #expect(outcome.report.contains("SIMULATION_SEED=42 swift test --filter RandomWalkTests"))
        #expect(outcome.report.contains("at 17.250 ms: this"))
        #expect(outcome.report.contains("12.000 ms  that"))
    }
}
