import Foundation
import Testing

extension RealNetwork {
    @Suite struct BGPOutageTests {}
}

/// BFD and graceful restart together: what a router does when the daemon dies, and when the node
/// does, by how the router is told to take BFD's word.
extension RealNetwork.BGPOutageTests {
    /// How long a route was still there, by session; none: it was never missing.
    private typealias Losses = [String: Double]

    private func lab() throws -> RouterLab {
        let lab = try RouterLab(nodes: 2)
        try lab.service("web", 10)
        try lab.lan.write(
            "fast.yaml",
            """
            apiVersion: metallb.io/v1beta1
            kind: BFDProfile
            metadata: {name: fast, namespace: metallb-system}
            spec: {receiveInterval: 50, transmitInterval: 50}

            """)
        try lab.peer(
            "router", at: "192.0.2.50", my: 64501, "bfdProfile: fast",
            "enableGracefulRestart: true", "gracefulRestartTime: 30s")
        try lab.lan.prepareFaults()
        return lab
    }

    /// Looks at a router for a while: since when is a session's route missing?
    private func watch(
        _ sessions: [String], for seconds: Double, _ holders: () throws -> Set<String>,
        after event: () throws -> Void
    ) throws -> Losses {
        var losses: Losses = [:]
        let begin = wallClock()
        try event()
        repeat {
            let held = try holders()
            let now = wallClock() - begin
            for session in sessions where !held.contains(session) && losses[session] == nil {
                losses[session] = now
            }
            usleep(5_000)
        } while wallClock() - begin < seconds
        return losses
    }

    private func say(_ what: String, _ losses: Losses, _ sessions: [String: String]) {
        for (session, way) in sessions.sorted(by: { $0.key < $1.key }) {
            let outcome =
                losses[session].map { "route gone after \(Int($0 * 1000)) ms" }
                ?? "route never missing"
            print("measured: BFD and graceful restart: \(way): \(what): \(outcome)")
        }
    }

    /// Kills the daemons, then starts them again, then cuts the nodes off.
    private func measure(
        _ lab: RouterLab, _ sessions: [String: String],
        isReady: () throws -> Bool, _ holders: () throws -> Set<String>
    ) throws -> (end: Losses, process: Losses, node: Losses) {
        func expectReady() throws {
            guard try eventually(within: 20, every: 0.1, isReady) != nil else {
                throw Unmet(description: "not up\n\(lab.lastWords)")
            }
            // BFD has agreed on its intervals when it has been up for a second.
            usleep(1_000_000)
        }
        let names = sessions.keys.sorted()
        for node in lab.lan.nodes { try lab.start(node, extra: ["--bgp-stop", "keep"]) }
        try expectReady()
        let end = try watch(names, for: 2.5, holders) {
            for daemon in lab.daemons.values { daemon.signal(SIGTERM, wait: false) }
        }
        for daemon in lab.daemons.values { daemon.stop() }
        say("ended with --bgp-stop keep", end, sessions)
        for node in lab.lan.nodes { try lab.start(node) }
        try expectReady()
        let process = try watch(names, for: 1.5, holders) {
            for daemon in lab.daemons.values { daemon.signal(SIGKILL) }
        }
        say("process killed", process, sessions)
        for node in lab.lan.nodes { try lab.start(node) }
        let back = try watch(names.filter { process[$0] == nil }, for: 4, holders) {}
        #expect(back.isEmpty, "what was kept is kept until it is told again: \(back)")
        try expectReady()
        let node = try watch(names, for: 2, holders) {
            try lab.lan.inflict(.apart, on: "node-a", "node-b")
        }
        say("node cut off", node, sessions)
        return (end, process, node)
    }

    @Test("BIRD: graceful BFD keeps routes over a restart, plain BFD takes a dead node's away")
    func bird() throws {
        let lab = try lab()
        try lab.lan.attach("router", host: 50)
        let ways = ["node_a": "on", "node_b": "graceful"]
        let sessions = ways.sorted { $0.key < $1.key }.enumerated().map { index, way in
            """
            protocol bgp \(way.key) {
              local 192.0.2.50 as 64500; neighbor 192.0.2.\(11 + index) as 64501; direct;
              bfd \(way.value); graceful restart on;
              connect delay time 1; connect retry time 1; error wait time 1, 2;
              ipv4 { import all; export none; };
            }
            """
        }
        let router = try RawRouter(
            lab.lan, in: "router", number: 50,
            """
            protocol bfd { interface "eth0" { interval 50 ms; multiplier 3; }; }
            \(sessions.joined(separator: "\n"))
            """)
        let losses = try measure(
            lab, ways.mapValues { "BIRD, bfd \($0)" },
            isReady: {
                try router.ask("show protocols").matches(of: /Established/).count == 2
                    && router.ask("show bfd sessions").matches(of: /\sUp\s/).count == 2
            },
            {
                let text = try router.ask("show route for 198.18.0.10")
                return Set(text.matches(of: /\[(node_.)\s/).map { String($0.1) })
            })
        #expect(losses.end["node_b"] == nil && losses.process["node_b"] == nil)
        #expect((losses.node["node_a"] ?? .infinity) < 0.5)
    }

    @Test("FRR: plain BFD keeps routes over a restart and takes a dead node's away")
    func frr() throws {
        let lab = try lab()
        let sessions = ["a": "192.0.2.11", "b": "192.0.2.12"].sorted { $0.key < $1.key }.map {
            var session = RouterSession($0.key, $0.value, as: 64501)
            session.bfdInterval = 50
            return session
        }
        let router = try lab.router(.frr, sessions: sessions)
        let frr = try #require(router as? FRRRouter)
        try frr.ask(
            "configure terminal' -c 'router bgp 64500' -c "
                + "'neighbor 192.0.2.12 bfd check-control-plane-failure")
        let losses = try measure(
            lab, ["a": "FRR, bfd", "b": "FRR, bfd check-control-plane-failure"],
            isReady: {
                try sessions.allSatisfy { try router.neighbor($0)?.isEstablished == true }
                    && frr.ask("show bfd peers brief").matches(of: /\sup\s/).count == 2
            },
            {
                let text = try frr.ask("show bgp ipv4 unicast 198.18.0.10/32 json")
                return Set(sessions.filter { text.contains("\"\($0.neighbor)\"") }.map(\.name))
            })
        // The connection ends before BFD notices: FRR has begun to wait by then.
        #expect(losses.end.isEmpty && losses.process.isEmpty)
        #expect((losses.node["a"] ?? .infinity) < 0.6)
    }
}
