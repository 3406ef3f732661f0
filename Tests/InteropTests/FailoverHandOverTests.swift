import Foundation
import Testing

extension RealNetwork {
    @Suite struct FailoverHandOverTests {}
}

/// Addresses that move because somebody asks for it.
extension RealNetwork.FailoverHandOverTests {
    @Test("a drained node hands over without a lost probe, and undrain moves nothing back")
    func drainAndUndrain() throws {
        let scene = try FailoverScene()
        let first = try #require(scene.owner(), scene.lan.lastWords)
        let witness = try #require(scene.lan.nodes.first { $0 != first })
        let train = try scene.train()
        usleep(500_000)
        // Asked of another node than the one that it concerns.
        let drained = try scene.command("drain", first, at: witness)
        #expect(drained.status == 0, "\(drained.text)")
        let done = wallClock()
        let heir = try #require(scene.heir(of: first), scene.lan.lastWords)
        usleep(1_000_000)
        #expect(scene.answerers(since: done + 0.2) == [heir], scene.lan.lastWords)
        scene.expectAgreement(heir, at: scene.lan.nodes)
        let shown = eventually {
            scene.lan.status(at: witness)?.gossip?.members.first { $0.node == first }?.draining
                == true
        }
        #expect(shown != nil, scene.lan.lastWords)

        let undrained = try scene.command("undrain", first, at: first)
        #expect(undrained.status == 0, "\(undrained.text)")
        let since = wallClock()
        usleep(2_000_000)
        #expect(scene.speakers(since: since) == [heir], scene.lan.lastWords)
        let outcome = try train.end()
        #expect(outcome.lost == 0, "\(outcome) \(scene.lan.lastWords)")
    }

    @Test("an address moves to the node that is asked for, without a lost probe, and stays")
    func moved() throws {
        let scene = try FailoverScene()
        let first = try #require(scene.owner(), scene.lan.lastWords)
        let train = try scene.train()
        usleep(500_000)
        for target in scene.lan.nodes where target != first {
            let moved = try scene.command("move", scene.address, "--to", target, at: first)
            #expect(moved.status == 0, "\(moved.text)")
            let done = wallClock()
            usleep(1_000_000)
            #expect(scene.answerers(since: done + 0.2) == [target], scene.lan.lastWords)
            scene.expectAgreement(target, at: scene.lan.nodes)
        }
        let last = try #require(scene.owner(), scene.lan.lastWords)
        // There is no such node, and nothing happens but that the operator is told.
        let begin = wallClock()
        let refused = try scene.command("move", scene.address, "--to", "node-z", at: first)
        #expect(refused.status != 0)
        #expect(refused.text.contains("node-z"), "\(refused.text)")
        usleep(500_000)
        #expect(scene.answerers(since: begin) == [last], scene.lan.lastWords)
        let outcome = try train.end()
        #expect(outcome.lost == 0, "\(outcome) \(scene.lan.lastWords)")
    }

    @Test("a node marked for drain in its Node object hands over")
    func drainedByAnnotation() throws {
        let scene = try FailoverScene()
        let first = try #require(scene.owner(), scene.lan.lastWords)
        let marked = FailoverScene.nodeObjects(scene.lan.nodes).replacing(
            "metadata: {name: \(first)}",
            with: "metadata: {name: \(first), annotations: {martlet.dev/drain: \"true\"}}")
        try scene.lan.write("nodes.yaml", marked)
        let heir = try #require(scene.heir(of: first), scene.lan.lastWords)
        try scene.lan.write("nodes.yaml", FailoverScene.nodeObjects(scene.lan.nodes))
        let since = wallClock()
        usleep(2_000_000)
        #expect(scene.speakers(since: since) == [heir], scene.lan.lastWords)
    }
}
