import LoadBalancing
import NetworkTypes
import Simulation
import Testing

@Suite("What happens when operators and schedulers do things")
struct OperatorTests {
    static let seeds = Array(UInt64(1)...4)

    /// The longest time without an answer, as the judge sees it: it looks every 5 ms.
    private func gap(_ scenario: Scenario) -> Duration { scenario.world.judge.figures.longestGap }

    @Test("A drained node hands over without a gap, and gets nothing back", arguments: seeds)
    func drain(seed: UInt64) {
        let scenario = Scenario(seed: seed, nodes: 3, addresses: 9)
        let owner = scenario.owner
        scenario.world.drain(owner)
        scenario.world.run(for: .seconds(2))
        #expect(scenario.after.allSatisfy { $0.count == 1 && $0 != [owner] })
        let drained = scenario.after
        scenario.world.undrain(owner)
        scenario.world.run(for: .seconds(3))
        #expect(scenario.after == drained)
        #expect(gap(scenario) == .zero)
        scenario.verifyAgreement()
    }

    @Test("When every node drains, the addresses stay where they are", arguments: seeds)
    func drainAll(seed: UInt64) {
        let scenario = Scenario(seed: seed, nodes: 3, addresses: 6)
        for node in 0..<3 { scenario.world.drain(node) }
        scenario.world.run(for: .seconds(4))
        #expect(scenario.after.allSatisfy { $0.count == 1 })
        #expect(gap(scenario) == .zero)
        scenario.verify()
    }

    @Test("An address moved by hand moves without a gap, alone, and stays there", arguments: seeds)
    func move(seed: UInt64) throws {
        let scenario = Scenario(seed: seed, nodes: 3, addresses: 6)
        let receiver = (scenario.owner + 1) % 3
        scenario.world.move(scenario.world.addresses[0], to: receiver)
        let took = try #require(
            scenario.world.run(atMost: .seconds(2)) { $0.answerers(of: 0) == [receiver] })
        #expect(took < .milliseconds(200))
        scenario.world.run(for: .seconds(3))
        var expected = scenario.before
        expected[0] = [receiver]
        #expect(scenario.after == expected)
        #expect(gap(scenario) == .zero)
        scenario.verifyAgreement()
    }

    @Test("A process that is asked to end hands over without a gap", arguments: seeds)
    func terminate(seed: UInt64) {
        let scenario = Scenario(seed: seed, nodes: 3, addresses: 9)
        let owner = scenario.owner
        scenario.world.terminate(owner)
        scenario.world.run(for: .seconds(3))
        #expect(scenario.world.speakers[owner].process == nil)
        #expect(scenario.after.allSatisfy { $0.count == 1 && $0 != [owner] })
        #expect(gap(scenario) == .zero)
        scenario.verifyAgreement()
    }

    @Test("All processes are restarted one after the other: no gap, all served", arguments: seeds)
    func rollingRestart(seed: UInt64) {
        let scenario = Scenario(seed: seed, nodes: 4, addresses: 8)
        for node in 0..<4 {
            scenario.world.terminate(node)
            scenario.world.run(for: .seconds(3))
            scenario.world.start(node)
            scenario.world.run(for: .seconds(2))
        }
        #expect(scenario.after.allSatisfy { $0.count == 1 })
        #expect(gap(scenario) == .zero)
        scenario.verifyAgreement()
    }

    @Test(
        "A process that was stopped and continues answers for nothing that has moved",
        arguments: seeds)
    func pause(seed: UInt64) {
        let scenario = Scenario(seed: seed, nodes: 3, addresses: 6)
        let owner = scenario.owner
        scenario.world.pause(owner, for: .seconds(3))
        scenario.world.run(for: .milliseconds(2_990))
        let meanwhile = scenario.after
        #expect(meanwhile.allSatisfy { $0.count == 1 && $0 != [owner] })
        let end = scenario.world.now + .seconds(5)
        while scenario.world.now < end {
            scenario.world.run(for: .milliseconds(1))
            #expect(scenario.after == meanwhile)
        }
        scenario.verifyAgreement()
    }

    @Test("A process that is stopped for 30 ms loses nothing", arguments: seeds)
    func hiccup(seed: UInt64) {
        let scenario = Scenario(seed: seed, nodes: 3, addresses: 6)
        for _ in 0..<10 {
            scenario.world.pause(scenario.owner, for: .milliseconds(30))
            scenario.world.run(for: .milliseconds(500))
        }
        #expect(scenario.after == scenario.before)
        scenario.verifyAgreement()
    }

    @Test("A node whose threads run up to 30 ms late is not dead", arguments: seeds)
    func slow(seed: UInt64) {
        let scenario = Scenario(seed: seed, nodes: 4, addresses: 8)
        scenario.world.slow(scenario.owner, by: .milliseconds(30))
        scenario.world.run(for: .seconds(20))
        #expect(scenario.world.judge.deaths.isEmpty)
        #expect(scenario.after == scenario.before)
        scenario.verify()
    }

    @Test("A node started with its clock set back an hour is believed", arguments: seeds)
    func clockSetBack(seed: UInt64) {
        let scenario = Scenario(seed: seed, nodes: 3, addresses: 6)
        let owner = scenario.owner
        scenario.world.kill(owner)
        scenario.world.run(for: .seconds(2))
        scenario.world.speakers[owner].wallClockError = .seconds(-3_600)
        scenario.world.start(owner)
        scenario.world.run(for: .seconds(5))
        scenario.verifyAgreement()
    }

    @Test("An owner whose frames are lost while its gossip works is found and replaced")
    func claimsAndDoesNotAnswer() {
        let scenario = Scenario(nodes: 3, addresses: 6)
        let owner = scenario.owner
        scenario.world.cut(owner, sending: true, datagrams: false)
        scenario.world.run(for: .seconds(25))
        for address in scenario.addresses(of: owner) {
            #expect(scenario.after[address].contains { $0 != owner })
        }
    }

    @Test("A node whose own frames are lost takes nothing from those that answer")
    func muteWatcher() {
        let scenario = Scenario(nodes: 3, addresses: 6)
        let owner = scenario.owner
        scenario.world.cut(owner, sending: true, datagrams: false)
        scenario.world.run(for: .seconds(60))
        for (address, nodes) in scenario.before.enumerated() where nodes != [owner] {
            #expect(scenario.after[address] == nodes)
        }
    }
}
