import Foundation
import Testing

extension RealNetwork {
    @Suite struct ClusterSpeakerTests {}
}

/// Controller and speakers as processes that know their cluster by an API server.
extension RealNetwork.ClusterSpeakerTests {
    /// What an operator or a controller of the cluster does to a node.
    enum Mishap: String, CaseIterable {
        case excluded, cordoned, notReady, outOfService

        /// The path below the node, and the body of a merge patch.
        var patch: (path: String, body: String) {
            switch self {
            case .excluded:
                let label = "node.kubernetes.io/exclude-from-external-load-balancers"
                return ("", #"{"metadata": {"labels": {"\#(label)": ""}}}"#)
            case .cordoned: return ("", #"{"spec": {"unschedulable": true}}"#)
            case .notReady: return ("/status", ready("False"))
            case .outOfService:
                let taint = #"{"key": "node.kubernetes.io/out-of-service", "effect": "NoExecute"}"#
                return ("", #"{"spec": {"taints": [\#(taint)]}}"#)
            }
        }

        /// What takes it back.
        var remedy: (path: String, body: String) {
            switch self {
            case .excluded: ("", #"{"metadata": {"labels": null}}"#)
            case .cordoned: ("", #"{"spec": {"unschedulable": null}}"#)
            case .notReady: ("/status", ready("True"))
            case .outOfService: ("", #"{"spec": {"taints": null}}"#)
            }
        }

        private func ready(_ status: String) -> String {
            #"{"status": {"conditions": [{"type": "Ready", "status": "\#(status)"}]}}"#
        }
    }

    @Test("what happens to a Node object moves the address, and its ServiceL2Status follows")
    func nodeObjects() throws {
        let scene = try ClusterScene(nodes: 2)
        var owner = try scene.begin(service: ["node-a", "node-b"])
        for mishap in Mishap.allCases {
            let node = "/api/v1/nodes/\(owner)"
            let begin = wallClock()
            try scene.server.merge(node + mishap.patch.path, mishap.patch.body)
            let heir = try #require(scene.heir(of: owner), "\(mishap): \(scene.lastWords)")
            if let first = scene.judge.answers(since: begin).first(where: { $0.node == heir }) {
                report("\(mishap): the other node answers", first.time - begin)
            }
            try scene.expectStatus(heir)
            try scene.server.merge(node + mishap.remedy.path, mishap.remedy.body)
            owner = heir
        }
        try scene.server.demand("DELETE", "/api/v1/nodes/\(owner)")
        let heir = try #require(scene.heir(of: owner), "deleted: \(scene.lastWords)")
        try scene.expectStatus(heir)
    }

    /// Twenty seconds stand for an hour: what waits longer than that for an API server, a watch
    /// that has ended and a token that is old, is tried against the source alone.
    @Test("while the API server is away nothing changes by itself, and restarts and deaths go well")
    func outage() throws {
        let scene = try ClusterScene(nodes: 3)
        // Node c has no endpoint: it only takes part in finding out who lives.
        let first = try scene.begin(service: ["node-a", "node-b"], policy: "Local")
        let second = first == "node-a" ? "node-b" : "node-a"
        usleep(2_000_000)

        let cut = wallClock()
        try scene.lan.inflict(.apart, on: ClusterScene.control.name)
        usleep(4_000_000)
        #expect(scene.speakers(since: cut) == [first], scene.lastWords)
        #expect(scene.judge.announcements(since: cut).isEmpty)

        scene.signal(second, SIGKILL)
        let restart = wallClock()
        try scene.startSpeaker(second)
        let isRestored = eventually(within: 6, every: 0.05) {
            scene.lan.status(at: second)?.lastGood?.restored == true
        }
        #expect(isRestored != nil, scene.lastWords)
        report("started without an API server: at work from its journal", wallClock() - restart)
        let isHeard = eventually(within: 5, every: 0.05) {
            scene.lan.status(at: second)?.gossip?.aliveCount == 3
                && scene.lan.status(at: "node-c")?.gossip?.aliveCount == 3
        }
        #expect(isHeard != nil, scene.lastWords)
        #expect(scene.speakers(since: cut) == [first], scene.lastWords)

        let death = wallClock()
        scene.signal(first, SIGKILL)
        #expect(scene.heir(of: first) == second, scene.lastWords)
        if let answer = scene.judge.answers(since: death).first(where: { $0.node == second }) {
            report("killed without an API server: the other node answers", answer.time - death)
        }

        usleep(UInt32(max(0, cut + 20 - wallClock()) * 1e6))
        let asked = try scene.server.requestCount()
        let back = wallClock()
        try scene.lan.heal()
        let isCurrent = eventually(within: 45, every: 0.1) {
            [second, "node-c"].allSatisfy {
                let status = scene.lan.status(at: $0)
                return status != nil && status?.lastGood == nil
            }
        }
        #expect(isCurrent != nil, scene.lastWords)
        report("the API server is back: all speakers follow it", wallClock() - back)
        usleep(2_000_000)
        #expect(scene.speakers(since: back) == [second], scene.lastWords)
        #expect(scene.judge.announcements(since: back).isEmpty, scene.lastWords)
        #expect(try scene.server.answeringNodes(of: "web").contains(second), scene.lastWords)
        // What has changed is that the second node answers.
        let writes = try scene.server.requests(after: asked).filter {
            $0.isWrite && $0.resource != "leases"
        }
        let written = Set(writes.map(\.resource))
        #expect(
            written.isSubset(of: ["servicel2statuses", "servicel2statuses/status", "events"]),
            "\(writes)")
        #expect(writes.count <= 4, "\(writes)")
    }

    @Test("--fencing lease: a node cut off from all but clients is silent before another speaks")
    func fencing() throws {
        let scene = try ClusterScene(nodes: 3, parts: ["components/lease-fencing/rbac.yaml"])
        let duration = 6.0
        let first = try scene.begin(
            service: scene.lan.nodes,
            speaker: ["--fencing", "lease", "--fencing-duration", "\(Int(duration))"])
        let cut = wallClock()
        try scene.strand(first)
        // Meanwhile the node that is elected says what it waits for.
        let waiting = eventually(within: duration, every: 0.05) {
            scene.lan.nodes.contains { node in
                let fence = node == first ? nil : scene.lan.status(at: node)?.fence
                return fence?.waiting == 1 && fence?.awaited.map(\.node) == [first]
                    && scene.lan.explain("192.0.2.200", at: node)?.first?.addresses.first?.nodes
                        .contains { $0.node == node && !$0.owns && $0.reason.contains(first) }
                        == true
            }
        }
        #expect(waiting != nil, scene.lastWords)
        let heir = try #require(
            scene.heir(of: first, within: duration + 4), scene.lastWords)
        usleep(500_000)
        #expect(scene.lan.status(at: first)?.fence?.freshForSeconds == nil, scene.lastWords)
        #expect(scene.lan.status(at: heir)?.fence?.waiting == 0, scene.lastWords)
        let metrics = try scene.lan.run(
            heir,
            "curl -s --unix-socket \(scene.lan.adminSocket(heir)) http://martlet/metrics"
        ).text
        #expect(metrics.contains("\nmartlet_fence_waiting 0\n"))
        #expect(metrics.contains("\nmartlet_fence_fresh_seconds "))
        #expect(metrics.contains("\nmartlet_last_good 0\n"))
        #expect(metrics.contains("martlet_api_requests_total{verb=\"patch\",outcome=\"ok\"}"))
        let answers = scene.judge.answers(since: cut)
        let last = try #require(answers.last { $0.node == first }?.time)
        let next = try #require(answers.first { $0.node != first }?.time)
        report("cut off from all but clients: silent", last - cut)
        report("cut off from all but clients: another node answers", next - cut)
        #expect(last < next, scene.lastWords)
        #expect(next - cut < duration + 3, scene.lastWords)
        #expect(Set(answers.map(\.node)) == [first, heir], scene.lastWords)
    }
}
