import LoadBalancing
import NetworkTypes
import Simulation
import Testing

@Suite("What happens when nodes die")
struct DeathTests {
    static let seeds = Array(UInt64(1)...4)

    @Test("A cluster that starts answers for every address once, and agrees", arguments: seeds)
    func start(seed: UInt64) {
        let scenario = Scenario(seed: seed, nodes: 4, addresses: 10)
        #expect(scenario.before.allSatisfy { $0.count == 1 })
        scenario.verifyAgreement()
    }

    @Test(
        "The addresses of a killed process are answered for within 100 ms, and no others move",
        arguments: seeds)
    func kill(seed: UInt64) throws {
        let scenario = Scenario(seed: seed, nodes: 4, addresses: 12)
        let owner = scenario.owner
        let lost = scenario.addresses(of: owner)
        scenario.world.kill(owner)
        let took = try #require(scenario.answeredAgain(lost, excluding: owner))
        #expect(took < .milliseconds(100))
        scenario.world.run(for: .seconds(2))
        for (index, nodes) in scenario.after.enumerated() where !lost.contains(index) {
            #expect(nodes == scenario.before[index])
        }
        scenario.verifyAgreement()
    }

    @Test(
        "The addresses of a node without power are answered for within 250 ms, and no others move",
        arguments: seeds)
    func powerOff(seed: UInt64) throws {
        let scenario = Scenario(seed: seed, nodes: 4, addresses: 12)
        let owner = scenario.owner
        let lost = scenario.addresses(of: owner)
        scenario.world.powerOff(owner)
        let took = try #require(scenario.answeredAgain(lost, excluding: owner))
        #expect(took < .milliseconds(250))
        scenario.world.run(for: .seconds(6))
        for (index, nodes) in scenario.after.enumerated() where !lost.contains(index) {
            #expect(nodes == scenario.before[index])
        }
        scenario.verifyAgreement()
    }

    @Test("Of two nodes, the one that is left takes everything over", arguments: seeds)
    func twoNodes(seed: UInt64) throws {
        let scenario = Scenario(seed: seed, nodes: 2, addresses: 4)
        let owner = scenario.owner
        scenario.world.powerOff(owner)
        let took = try #require(
            scenario.answeredAgain(scenario.addresses(of: owner), excluding: owner))
        #expect(took < .milliseconds(1500))
        scenario.verify()
    }

    @Test("A node that comes back takes nothing back", arguments: seeds, [true, false])
    func comesBack(seed: UInt64, remembers: Bool) {
        let scenario = Scenario(seed: seed, nodes: 3, addresses: 6)
        let owner = scenario.owner
        scenario.world.kill(owner)
        scenario.world.run(for: .seconds(2))
        let meanwhile = scenario.after
        scenario.world.start(owner, remembers: remembers)
        scenario.world.run(for: .seconds(4))
        #expect(scenario.after == meanwhile)
        scenario.verifyAgreement()
    }

    @Test("After a power cut of everything the addresses are where they were", arguments: seeds)
    func blackout(seed: UInt64) {
        let scenario = Scenario(seed: seed, nodes: 3, addresses: 6)
        for node in 0..<3 { scenario.world.powerOff(node) }
        scenario.world.run(for: .seconds(5))
        for node in 0..<3 { scenario.world.start(node) }
        scenario.world.run(for: .seconds(4))
        #expect(scenario.after == scenario.before)
        scenario.verifyAgreement()
    }

    @Test("A single node that is killed and started again goes on with its addresses")
    func alone() {
        let scenario = Scenario(nodes: 1, addresses: 4)
        #expect(scenario.before == [[0], [0], [0], [0]])
        scenario.world.kill(0)
        scenario.world.run(for: .milliseconds(100))
        #expect(scenario.after == [[], [], [], []])
        scenario.world.start(0)
        scenario.world.run(for: .milliseconds(500))
        #expect(scenario.after == scenario.before)
        scenario.verify()
    }
}
