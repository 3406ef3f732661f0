import Membership
import Foundation
import NetworkTypes
import Testing
@Suite(.serialized) struct ZStressTests {
    @Test func chaosMany() { for seed in UInt64(400)...440 { DetectionChaosTests().chaos(seed: seed) } }
    @Test func lossMany() {
        for (count, seconds) in [(2,600),(5,600),(10,300)] { for seed in UInt64(1)...1 {
            let cluster = DetectionCluster(count, seed: seed)
            #expect(cluster.settle())
            cluster.loss = 0.3
            cluster.run(milliseconds: seconds * 1000)
            let c = cluster.nodes[0].agent.counters
            FileHandle.standardError.write(Data(("\nSTRESS loss \(count) seed \(seed): deaths \(cluster.deaths.count) suspicions \(cluster.nodes.map{Int($0.agent.counters.suspicions)}.reduce(0,+)) refut \(cluster.nodes.map{Int($0.agent.counters.refutations)}.reduce(0,+)) datagrams/s \(Int(c.datagramsSent)/seconds) \(Int(c.bytesSent)/seconds)" + "\n").utf8))
            #expect(cluster.deaths.isEmpty)
        } }
    }
    @Test func healBig() throws {
        for (count, cut) in [(100, 50)] {
            let cluster = DetectionCluster(count, seed: 1)
            let ok = cluster.settle(milliseconds: 3000)
            cluster.cut(0..<cut, cut..<count)
            cluster.run(milliseconds: 3000)
            let all = (0..<cut).allSatisfy { cluster.agreeDead($0, cut..<count) }
            let all2 = (cut..<count).allSatisfy { cluster.agreeDead($0, 0..<cut) }
            cluster.clearLogs(); cluster.cuts = []
            let t = cluster.run(limit: 5000) { cluster.agreeAlive(0..<count) }
            FileHandle.standardError.write(Data(("\nSTRESS heal \(count)/\(cut) settled \(ok) alldead \(all) \(all2) healed \(String(describing: t)) deaths \(cluster.deaths.count) max datagrams \(cluster.nodes.map{$0.agent.counters.datagramsSent}.max()!)" + "\n").utf8))
        }
    }
    @Test func thousand() throws {
        let cluster = DetectionCluster(1000, seed: 1)
        let t0 = { () -> Int? in cluster.run(milliseconds: 1500); return cluster.agreeAlive(0..<1000) ? 1500 : nil }()
        FileHandle.standardError.write(Data(("\nSTRESS 1000 agree after \(String(describing: t0))" + "\n").utf8))
        cluster.run(milliseconds: 500)
        FileHandle.standardError.write(Data(("\nSTRESS 1000 reassessing \(cluster.nodes.filter{$0.agent.isReassessing}.count)" + "\n").utf8))
        let before = cluster.nodes.map(\.agent.counters)
        cluster.run(milliseconds: 1000)
        let d = zip(before, cluster.nodes).map { $1.agent.counters.datagramsSent - $0.datagramsSent }
        let b = zip(before, cluster.nodes).map { $1.agent.counters.bytesSent - $0.bytesSent }
        FileHandle.standardError.write(Data(("\nSTRESS 1000 datagrams/s max \(d.max()!) bytes max \(b.max()!)" + "\n").utf8))
        cluster.powerOff(500)
        let t = cluster.run(limit: 500) { cluster.agreeDead(500, (0..<1000).filter { $0 != 500 }) }
        FileHandle.standardError.write(Data(("\nSTRESS 1000 death known after \(String(describing: t))" + "\n").utf8))
    }
}
