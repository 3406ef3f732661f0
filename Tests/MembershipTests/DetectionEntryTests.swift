import Membership
import NetworkTypes
import Testing

@Suite("Entries go to everybody")
struct DetectionEntryTests {
    @Test("An entry is known to 30 nodes within 10 ms, and so is its end")
    func push() throws {
        let cluster = DetectionCluster(30, seed: 1)
        #expect(cluster.settle())
        cluster.handle(.entryChanged(key: [1, 2], value: [3]), at: 4)
        let others = (0..<30).filter { $0 != 4 }
        let arrival = cluster.run(limit: 100) {
            others.allSatisfy { cluster.nodes[$0].entries["node-4"]?[[1, 2]] == [3] }
        }
        #expect(try #require(arrival) <= 10)
        cluster.handle(.entryChanged(key: [1, 2], value: nil), at: 4)
        let end = cluster.run(limit: 100) {
            others.allSatisfy { cluster.nodes[$0].entries["node-4"]?.isEmpty == true }
        }
        #expect(try #require(end) <= 10)
    }

    @Test("At 30 % loss, and in large numbers, all entries arrive nevertheless")
    func manyUnderLoss() throws {
        let cluster = DetectionCluster(5, seed: 2)
        #expect(cluster.settle())
        cluster.loss = 0.3
        let entries = (0..<3_000).map {
            EntryChange(key: [UInt8($0 & 255), UInt8($0 >> 8)], value: [UInt8($0 & 255), 1, 2, 3])
        }
        cluster.handle(.entriesChanged(entries), at: 0)
        let time = cluster.run(limit: 10_000) {
            (1..<5).allSatisfy { cluster.nodes[$0].entries["node-0"]?.count == 3_000 }
        }
        #expect(try #require(time) < 5_000)
        #expect(cluster.deaths.isEmpty)
    }

    @Test("A newcomer learns of everybody's entries, also of the dead, before its permit")
    func newcomer() throws {
        let cluster = DetectionCluster(4, seed: 3)
        #expect(cluster.settle())
        for index in 0..<4 {
            cluster.handle(.entryChanged(key: [5], value: [UInt8(index)]), at: index)
        }
        cluster.run(milliseconds: 100)
        cluster.powerOff(3)
        cluster.run(milliseconds: 500)
        let newcomer = cluster.add("newcomer")
        cluster.give(newcomer, seeds: [0], named: false)
        #expect(
            cluster.run(limit: 1_000) { !cluster.nodes[newcomer].agent.isReassessing } != nil)
        for index in 0..<3 {
            #expect(cluster.nodes[newcomer].entries["node-\(index)"]?[[5]] == [UInt8(index)])
        }
        cluster.run(milliseconds: 500)
        #expect(cluster.nodes[newcomer].entries["node-3"]?[[5]] == [3])
        #expect(cluster.state(of: 3, at: newcomer) == .dead)
    }

    @Test("What the dead claimed is remembered for an hour, then forgotten with its name")
    func forgetting() {
        let cluster = DetectionCluster(2, seed: 4, seedsEach: 0)
        cluster.give(0, seeds: [1], named: false)
        cluster.run(milliseconds: 1_000)
        cluster.handle(.entryChanged(key: [5], value: [5]), at: 1)
        cluster.run(milliseconds: 100)
        cluster.powerOff(1)
        cluster.run(milliseconds: 3_590_000)
        #expect(cluster.nodes[0].agent.entries(of: "node-1") == [[5]: [5]])
        cluster.run(milliseconds: 20_000)
        #expect(cluster.nodes[0].agent.entries(of: "node-1").isEmpty)
        #expect(cluster.nodes[0].forgotten == ["node-1"])
        #expect(cluster.nodes[0].agent.members.isEmpty)
    }
}
