import Foundation
import Testing

extension RealNetwork.Chain {
    @Suite struct ChainSurvivalTests {}
}

/// Connections that are open stay open.
extension RealNetwork.Chain.ChainSurvivalTests {
    /// One way to the stream server: through the address of a Service with policy Local, and
    /// through a node port of one with policy Cluster, masqueraded and over the overlay.
    private struct Ways {
        var near = ChainService(
            name: "near", number: 218,
            ports: [.init(transport: "TCP", port: 80, target: ChainStreams.port)], endpoints: [.a])
        var far = ChainService(
            name: "far", number: 219,
            ports: [.init(transport: "TCP", port: 80, target: ChainStreams.port)], endpoints: [.b])

        init() {
            near.policy = "Local"
        }
    }

    @Test("a WebSocket and a download survive changes, a drain, a restart and a kill of Martlet")
    func survival() throws {
        let scene = try ChainScene.here()
        for pod in [ChainPod.a, .b] { try ChainStreams.serve(pod, in: scene) }
        let ways = Ways()
        try scene.withServices(ways.near, ways.far) {
            let begun = eventually { scene.lan.owner(of: ways.near.addresses[0]) == "node-a" }
            #expect(begun != nil, "\(scene.lastWords)")
            let streams = try open(ways, scene)
            func check(_ after: String, location: SourceLocation = #_sourceLocation) throws {
                let gaps = try streams.map { try $0.expectAlive(after, location: location) }
                report("\(after): the longest silence", gaps.max() ?? 0)
            }
            try check("nothing")
            try change(ways, scene)
            try check("new endpoints, and old ones that end")
            try restrict(ways, scene)
            try check("source ranges, affinity and another choice")

            let drained = try scene.martlet("drain", at: "node-a")
            #expect(drained.status == 0, "\(drained.text)")
            try check("a drain")
            #expect(try scene.martlet("undrain", at: "node-a").status == 0)

            // An orderly end leaves the table as a kill does, unless told otherwise.
            for (signal, name) in [(SIGTERM, "a restart"), (SIGKILL, "kill -9")] {
                scene.end("node-a", by: signal)
                try check("\(name), while nobody is there")
                try scene.start("node-a")
                let isBack = eventually(within: 15) { scene.lan.status(at: "node-a") != nil }
                #expect(isBack != nil, "\(scene.lastWords)")
                try check(name)
            }
        }
    }

    /// Waits until every way is open, and then opens streams on it.
    private func open(_ ways: Ways, _ scene: ChainScene) throws -> [ChainStreams] {
        let node = ChainNode.addresses("a")
        let places =
            ways.near.addresses.map { ($0, 80) } + node.map { ($0, ways.far.nodePort()) }
        for (address, port) in places {
            let host = address.contains(":") ? "[\(address)]" : address
            let isOpen = try eventually(within: 8) {
                // Curl ends by its time in the middle of the endless body.
                try scene.lan.run(
                    "client",
                    "curl -gs -m 0.2 -w ' %{http_code}' -o /dev/null http://\(host):\(port)/",
                    allowFailure: true
                ).text.hasSuffix(" 200")
            }
            #expect(isOpen != nil, "\(address): \(scene.lastWords)")
        }
        return try places.map { try ChainStreams(scene, to: $0.0, port: $0.1) }
    }

    /// New endpoints come, and those that serve the streams begin to end.
    private func change(_ ways: Ways, _ scene: ChainScene) throws {
        for (service, pods) in [
            (ways.near, [ChainPod.a.terminating, .a2]), (ways.far, [ChainPod.b.terminating, .a]),
        ] {
            var changed = service
            changed.endpoints = pods
            try scene.put(changed)
        }
        try settle(scene, "198.51.100.11", isThere: true)
    }

    /// Everything else about the Services changes; their old endpoints are back.
    private func restrict(_ ways: Ways, _ scene: ChainScene) throws {
        for service in [ways.near, ways.far] {
            var changed = service
            changed.spec = [
                "loadBalancerSourceRanges: [192.0.2.0/24, '2001:db8:2::/64']",
                "sessionAffinity: ClientIP",
            ]
            changed.annotations = ["martlet.dev/endpoint-choice: consistent"]
            try scene.put(changed)
        }
        try settle(scene, "198.51.100.11", isThere: false)
    }

    /// Waits until node a's table has an endpoint, or has it no more.
    private func settle(_ scene: ChainScene, _ address: String, isThere: Bool) throws {
        let isSettled = try eventually {
            try scene.lan.run("node-a", "nft list table inet martlet", allowFailure: true).text
                .contains("\(address) . \(ChainStreams.port)") == isThere
        }
        #expect(isSettled != nil, "\(scene.lastWords)")
    }
}
