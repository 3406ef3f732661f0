import LoadBalancing
import NetworkTypes
import Simulation
import Testing

@Suite("What happens when networks are cut")
struct CutTests {
    static let seeds = Array(UInt64(1)...4)

    @Test(
        "A LAN cut in two: each half is served, and one second after healing there is one owner",
        arguments: seeds)
    func halves(seed: UInt64) {
        let scenario = Scenario(seed: seed, nodes: 4, addresses: 8) { $0.clients = 2 }
        scenario.world.divide([[0, 1], [2, 3]], homes: [0, 1])
        scenario.world.run(for: .seconds(3))
        for nodes in scenario.after {
            #expect(nodes.count == 2, "one in each half")
            #expect(Set(nodes.map { $0 / 2 }).count == 2)
        }
        scenario.world.heal()
        scenario.world.run(for: .seconds(1))
        #expect(scenario.after.allSatisfy { $0.count == 1 })
        scenario.world.run(for: .seconds(4))
        scenario.verifyAgreement()
    }

    @Test("A LAN cut in three comes together again", arguments: seeds)
    func thirds(seed: UInt64) {
        let scenario = Scenario(seed: seed, nodes: 6, addresses: 6) { $0.clients = 3 }
        scenario.world.divide([[0, 1], [2, 3], [4, 5]], homes: [0, 1, 2])
        scenario.world.run(for: .seconds(3))
        #expect(scenario.after.allSatisfy { $0.count == 3 })
        scenario.world.heal()
        scenario.world.run(for: .seconds(1))
        #expect(scenario.after.allSatisfy { $0.count == 1 })
        scenario.world.run(for: .seconds(4))
        scenario.verifyAgreement()
    }

    @Test(
        "A node that is not heard, or hears nobody, is replaced; two never answer",
        arguments: seeds, [true, false])
    func oneWay(seed: UInt64, sending: Bool) {
        let scenario = Scenario(seed: seed, nodes: 4, addresses: 8)
        let owner = scenario.owner
        scenario.world.cut(owner, sending: sending)
        scenario.world.run(for: .seconds(4))
        for nodes in scenario.after {
            #expect(nodes.contains { $0 != owner })
            #expect(nodes.filter { $0 != owner }.count == 1)
        }
        scenario.world.heal()
        scenario.world.run(for: .seconds(1))
        #expect(scenario.after.allSatisfy { $0.count == 1 })
        scenario.world.run(for: .seconds(4))
        scenario.verifyAgreement()
    }

    @Test(
        "Gossip blocked while the LAN works: nothing moves and nobody else answers",
        arguments: seeds)
    func gossipBlocked(seed: UInt64) {
        let scenario = Scenario(seed: seed, nodes: 4, addresses: 8)
        scenario.world.divide([[0], [1], [2], [3]], frames: false)
        let end = scenario.world.now + .seconds(20)
        while scenario.world.now < end {
            scenario.world.run(for: .milliseconds(100))
            #expect(scenario.after == scenario.before)
        }
        #expect(scenario.world.judge.figures.holds > 0)
        scenario.world.heal()
        scenario.world.run(for: .seconds(4))
        #expect(scenario.after == scenario.before)
        scenario.verifyAgreement()
    }

    @Test("Gossip of one node blocked while the LAN works: its addresses stay", arguments: seeds)
    func gossipOfOneBlocked(seed: UInt64) {
        let scenario = Scenario(seed: seed, nodes: 4, addresses: 8)
        let owner = scenario.owner
        let others = (0..<4).filter { $0 != owner }
        scenario.world.divide([[owner], others], frames: false)
        scenario.world.run(for: .seconds(10))
        #expect(scenario.after == scenario.before)
        scenario.world.heal()
        scenario.world.run(for: .seconds(4))
        #expect(scenario.after == scenario.before)
        scenario.verifyAgreement()
    }

    @Test(
        "With 30 % of everything lost for a minute nothing moves", arguments: [3, 5, 10])
    func loss(nodes: Int) {
        let scenario = Scenario(seed: UInt64(nodes), nodes: nodes, addresses: 6)
        scenario.world.setLoss(datagrams: 300, frames: 300)
        scenario.world.run(for: .seconds(60))
        #expect(scenario.after == scenario.before)
        #expect(scenario.world.judge.deaths.isEmpty)
        scenario.verify()
    }

    @Test("Datagrams that are doubled and overtake each other move nothing", arguments: seeds)
    func disorder(seed: UInt64) {
        let scenario = Scenario(seed: seed, nodes: 4, addresses: 8)
        scenario.world.setDisorder(perMille: 300)
        scenario.world.run(for: .seconds(10))
        #expect(scenario.after == scenario.before)
        scenario.verify()
    }
}
