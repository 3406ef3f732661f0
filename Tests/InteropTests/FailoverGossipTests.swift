import Foundation
import Testing

extension RealNetwork {
    @Suite struct FailoverGossipTests {}
}

/// Speakers that are set up wrongly, or found by other means.
extension RealNetwork.FailoverGossipTests {
    /// What a node's operator reads in its status.
    private func words(_ scene: FailoverScene, _ node: String) throws -> String {
        try scene.command("status", at: node).text
    }

    @Test("a speaker with another key is no member, takes nothing, and is reported")
    func wrongKey() throws {
        let scene = try FailoverScene()
        let first = try #require(scene.owner(), scene.lan.lastWords)
        let stray = try #require(scene.lan.nodes.first { $0 != first })
        scene.signal(stray, SIGTERM)
        let begin = wallClock()
        let other = scene.lan.folder.appending(path: "other.keys")
        try FailoverScene.makeKey(other)
        try scene.start(stray, key: other.path)
        for node in scene.lan.nodes {
            let isReported = try eventually(within: 10, every: 0.1) {
                try words(scene, node).contains("seals with a key")
            }
            #expect(isReported != nil, "\(node): \(scene.lan.lastWords)")
        }
        usleep(2_000_000)
        #expect(scene.alive(at: first).contains(stray) == false, scene.lan.lastWords)
        #expect(scene.speakers(since: begin) == [first], scene.lan.lastWords)
        // The right key, written over the wrong one, is read without a restart.
        let right = try Data(contentsOf: scene.lan.folder.appending(path: "gossip.keys"))
        try right.write(to: other)
        let isMember = eventually(within: 10, every: 0.05) {
            scene.alive(at: first) == scene.lan.nodes
        }
        #expect(isMember != nil, scene.lan.lastWords)
        usleep(1_000_000)
        #expect(scene.speakers(since: begin) == [first], scene.lan.lastWords)
    }

    @Test("two speakers under one name are reported, and the address stays where it is")
    func sameName() throws {
        let scene = try FailoverScene()
        let first = try #require(scene.owner(), scene.lan.lastWords)
        let others = scene.lan.nodes.filter { $0 != first }
        scene.signal(others[1], SIGTERM)
        let begin = wallClock()
        try scene.start(others[1], as: others[0])
        let isReported = try eventually(within: 10, every: 0.1) {
            try others.contains { node in
                let text = try words(scene, node)
                return text.contains("this node's name") || text.contains("uses the node name")
            }
        }
        #expect(isReported != nil, scene.lan.lastWords)
        usleep(1_000_000)
        #expect(scene.speakers(since: begin) == [first], scene.lan.lastWords)
    }

    @Test("a speaker that no Node object locates joins by the address of another")
    func joined() throws {
        let scene = try FailoverScene(joined: true)
        for node in scene.lan.nodes {
            #expect(scene.alive(at: node) == scene.lan.nodes, scene.lan.lastWords)
        }
    }
}
