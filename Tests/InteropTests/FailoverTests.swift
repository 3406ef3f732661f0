import Foundation
import Testing

extension RealNetwork {
    @Suite struct FailoverTests {}
}

/// Owners that die, stop, leave and come back, judged by a capture on the LAN.
extension RealNetwork.FailoverTests {
    @Test(
        "when the owner's process is killed one other node takes over, and it keeps the address",
        arguments: FailoverScene.addresses)
    func killed(address: String) throws {
        let scene = try FailoverScene(address)
        let first = try #require(scene.owner(), scene.lan.lastWords)
        let begin = wallClock()
        scene.signal(first, SIGKILL)
        let heir = try #require(scene.heir(of: first), scene.lan.lastWords)
        report("owner killed: \(heir) alone answers", wallClock() - begin)
        usleep(1_000_000)
        #expect(
            Set(scene.answerers(since: begin)).subtracting([first]) == [heir], scene.lan.lastWords)
        let others = scene.lan.nodes.filter { $0 != first }
        scene.expectAgreement(heir, at: others)
        // Whoever asks why is told: the old owner, and what befell it.
        let move = scene.lan.explain(address, at: heir)?.first?.addresses
            .first { $0.address == address }?.lastMove
        #expect(move?.from == first && move?.to == heir)
        #expect(move?.cause.contains(first) == true, "\(move?.cause ?? "no move")")

        // It comes back, and takes nothing back.
        let back = wallClock()
        try scene.start(first)
        let isBack = eventually(within: 10, every: 0.05) {
            scene.alive(at: first) == scene.lan.nodes
        }
        #expect(isBack != nil, scene.lan.lastWords)
        usleep(1_000_000)
        #expect(scene.answerers(since: back) == [heir], scene.lan.lastWords)
        #expect(scene.speakers(since: back) == [heir], scene.lan.lastWords)
        scene.expectAgreement(heir, at: scene.lan.nodes)
    }

    @Test("a speaker that was stopped and continues answers nothing of what others took over")
    func stoppedAndContinued() throws {
        let scene = try FailoverScene()
        let first = try #require(scene.owner(), scene.lan.lastWords)
        scene.signal(first, SIGSTOP)
        let heir = scene.heir(of: first)
        #expect(heir != nil, scene.lan.lastWords)
        // A backlog of questions waits for it in its socket.
        usleep(500_000)
        let awake = wallClock()
        scene.signal(first, SIGCONT)
        usleep(2_000_000)
        #expect(!scene.speakers(since: awake).contains(first), scene.lan.lastWords)
        #expect(scene.answerers(since: awake) == [heir], scene.lan.lastWords)
        let knows = eventually {
            scene.lan.owner(of: scene.address, at: first) == heir
                && scene.alive(at: first) == scene.lan.nodes
        }
        #expect(knows != nil, scene.lan.lastWords)
    }

    @Test(
        "a speaker that is told to end hands over without a lost probe",
        arguments: FailoverScene.addresses)
    func terminated(address: String) throws {
        let scene = try FailoverScene(address)
        let first = try #require(scene.owner(), scene.lan.lastWords)
        let train = try scene.train()
        usleep(500_000)
        let begin = wallClock()
        scene.signal(first, SIGTERM)
        report("owner told to end: its process is gone", wallClock() - begin)
        let gone = wallClock()
        let heir = scene.heir(of: first)
        #expect(heir != nil, scene.lan.lastWords)
        usleep(1_000_000)
        #expect(Set(scene.answerers(since: gone)) == [heir], scene.lan.lastWords)
        let outcome = try train.end()
        #expect(outcome.sent > 300)
        #expect(outcome.lost == 0, "\(outcome) \(scene.lan.lastWords)")
    }

    @Test("killed together and started again, everybody has what they had")
    func restartedTogether() throws {
        let scene = try FailoverScene()
        let first = try #require(scene.owner(), scene.lan.lastWords)
        // Its claim moves it away from where a fresh election would put it.
        let other = try #require(scene.lan.nodes.first { $0 != first })
        let moved = try scene.command("move", scene.address, "--to", other, at: other)
        #expect(moved.status == 0, "\(moved.text)")
        #expect(scene.heir(of: first) == other, scene.lan.lastWords)
        // Until the claim is on disk.
        usleep(1_000_000)
        // At once, so that none has the time to take over from another.
        for node in scene.lan.nodes { scene.signal(node, SIGSTOP) }
        for node in scene.lan.nodes { scene.signal(node, SIGKILL) }
        let again = wallClock()
        for node in scene.lan.nodes { try scene.start(node) }
        let isAnswered = eventually(within: 10, every: 0.05) { scene.owner() != nil }
        #expect(isAnswered != nil, scene.lan.lastWords)
        usleep(1_000_000)
        #expect(scene.answerers(since: again) == [other], scene.lan.lastWords)
        scene.expectAgreement(other, at: scene.lan.nodes)
    }

    @Test("a speaker killed and started again at once finds who has its address, and one answers")
    func restartedAtOnce() throws {
        let scene = try FailoverScene()
        let first = try #require(scene.owner(), scene.lan.lastWords)
        scene.signal(first, SIGKILL)
        try scene.start(first)
        let isBack = eventually(within: 10, every: 0.05) {
            scene.alive(at: first) == scene.lan.nodes
        }
        #expect(isBack != nil, scene.lan.lastWords)
        let owner = try #require(scene.expectOneOwner(), scene.lan.lastWords)
        scene.expectAgreement(owner, at: scene.lan.nodes)
    }
}
