import Foundation
import Testing

extension RealNetwork {
    @Suite struct FailoverCutTests {}
}

/// Cables and firewalls that fail while every process is well.
extension RealNetwork.FailoverCutTests {
    @Test("an owner that is cut off is replaced by one node; when the cut heals one answers")
    func cutOff() throws {
        let scene = try FailoverScene()
        let first = try #require(scene.owner(), scene.lan.lastWords)
        let begin = wallClock()
        try scene.lan.inflict(.apart, on: first)
        let heir = try #require(scene.heir(of: first), scene.lan.lastWords)
        report("owner cut off: \(heir) alone answers", wallClock() - begin)
        usleep(1_000_000)
        #expect(
            Set(scene.answerers(since: begin)).subtracting([first]) == [heir], scene.lan.lastWords)
        try scene.lan.heal()
        let healed = wallClock()
        usleep(1_000_000)
        // Whoever it is, from a second after the heal on it is one.
        let owner = try #require(scene.expectOneOwner(within: 0.3), scene.lan.lastWords)
        let both = scene.answerers(since: healed)
        report("cut healed: \(owner) alone answers (\(both.count) at first)", 1)
        scene.expectAgreement(owner, at: scene.lan.nodes)
    }

    @Test("each half of a LAN that is cut in two is served; one owner is left a second after")
    func halves() throws {
        let scene = try FailoverScene()
        let first = try #require(scene.owner(), scene.lan.lastWords)
        let train = try scene.train()
        usleep(300_000)
        // The client stays with the owner, the judge with the two others.
        try scene.lan.inflict(.apart, on: first, "client")
        let heir = try #require(scene.heir(of: first), scene.lan.lastWords)
        usleep(2_000_000)
        #expect(
            try scene.lan.answerers(scene.address) == [scene.lan.macAddress(first)],
            scene.lan.lastWords)
        #expect(scene.owner() == heir, scene.lan.lastWords)
        try scene.lan.heal()
        usleep(1_000_000)
        let owner = try #require(scene.expectOneOwner(within: 0.3), scene.lan.lastWords)
        #expect(
            try scene.lan.answerers(scene.address) == [scene.lan.macAddress(owner)],
            scene.lan.lastWords)
        scene.expectAgreement(owner, at: scene.lan.nodes)
        let outcome = try train.end()
        #expect(outcome.longestGap < 1, "\(outcome)")
    }

    @Test(
        "an owner that is not heard, or hears nothing, is replaced; one answers after the heal too",
        arguments: [NamespacedLAN.Fault.mute, .deaf])
    func oneWay(fault: NamespacedLAN.Fault) throws {
        let scene = try FailoverScene()
        let first = try #require(scene.owner(), scene.lan.lastWords)
        let begin = wallClock()
        try scene.lan.inflict(fault, on: first)
        let heir = try #require(scene.heir(of: first), scene.lan.lastWords)
        report("owner \(fault.rawValue): \(heir) alone answers", wallClock() - begin)
        usleep(1_000_000)
        #expect(scene.answerers(since: wallClock() - 0.5) == [heir], scene.lan.lastWords)
        try scene.lan.heal()
        usleep(1_000_000)
        let owner = try #require(scene.expectOneOwner(within: 0.3), scene.lan.lastWords)
        scene.expectAgreement(owner, at: scene.lan.nodes)
    }

    @Test("with the gossip blocked and the LAN whole nothing moves, and status says so")
    func gossipBlocked() throws {
        let scene = try FailoverScene()
        let first = try #require(scene.owner(), scene.lan.lastWords)
        let begin = wallClock()
        try scene.lan.blockGossip()
        for node in scene.lan.nodes {
            let isSaid = eventually(within: 8, every: 0.05) {
                guard let status = scene.lan.status(at: node) else { return false }
                let isHeld = status.held?.contains { $0.address == scene.address } == true
                return status.gossip?.isolatedForSeconds != nil && (node == first || isHeld)
            }
            #expect(isSaid != nil, "\(node): \(scene.lan.lastWords)")
        }
        usleep(5_000_000)
        #expect(scene.speakers(since: begin) == [first], scene.lan.lastWords)
        try scene.lan.unblockGossip()
        let isOver = eventually(within: 10, every: 0.05) {
            scene.lan.nodes.allSatisfy { node in
                scene.alive(at: node) == scene.lan.nodes
                    && scene.lan.status(at: node)?.held?.isEmpty == true
            }
        }
        #expect(isOver != nil, scene.lan.lastWords)
        usleep(1_000_000)
        #expect(scene.speakers(since: begin) == [first], scene.lan.lastWords)
        scene.expectAgreement(first, at: scene.lan.nodes)
    }

    @Test("with three frames in ten lost, or every core busy, nothing moves")
    func hardship() throws {
        let scene = try FailoverScene()
        let first = try #require(scene.owner(), scene.lan.lastWords)
        let begin = wallClock()
        try scene.lan.inflict(.lossy, on: "node-a", "node-b", "node-c")
        usleep(5_000_000)
        try scene.lan.heal()
        #expect(scene.speakers(since: begin) == [first], scene.lan.lastWords)

        let loops = try (0..<2 * ProcessInfo.processInfo.activeProcessorCount).map { number in
            try scene.lan.start(
                "client", ["sh", "-c", "while :; do :; done"], log: "busy-\(number)")
        }
        usleep(5_000_000)
        loops.forEach { $0.stop() }
        #expect(scene.speakers(since: begin) == [first], scene.lan.lastWords)
    }
}
