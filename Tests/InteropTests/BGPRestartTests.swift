import Foundation
import Testing

extension RealNetwork {
    @Suite struct BGPRestartTests {}
}

/// Ends of the daemon, and what the router holds meanwhile.
extension RealNetwork.BGPRestartTests {
    private static let session = RouterSession("p4", "192.0.2.11", as: 64501)

    /// Follows what a router's kernel or, where it has no part in it, its table loses.
    private func watch(_ kind: RouterKind, _ lab: RouterLab) throws -> Background {
        let program =
            kind == .gobgp
            ? ["gobgp", "monitor", "global", "rib"]
            : ["stdbuf", "-oL", "ip", "-o", "monitor", "route"]
        return try lab.lan.start("router-50", program, log: "losses.log")
    }

    private func losses(_ watch: Background, of prefix: String) -> [Substring] {
        let address = prefix.prefix { $0 != "/" }
        return watch.text.split(separator: "\n").filter { line in
            (line.hasPrefix("Deleted ") || line.contains("DELROUTE")) && line.contains(address)
        }
    }

    @Test(
        "killed and started again within the restart time, the router never loses a route",
        arguments: [RouterKind.bird, .frr, .gobgp].filter(RouterKind.chosen.contains))
    func restart(kind: RouterKind) throws {
        let lab = try RouterLab()
        try lab.service("web", 10)
        try lab.service("gone", 11)
        try lab.peer(
            "p4", at: "192.0.2.50", my: 64501, "dualStackAddressFamily: true",
            "enableGracefulRestart: true", "gracefulRestartTime: 30s")
        let router = try lab.router(kind, sessions: [Self.session])
        let daemon = try lab.start("node-a")
        let both = RouterLab.prefixes(10).union(RouterLab.prefixes(11))
        try lab.expect(both, at: router, sessions: ["p4"], within: 20)
        let first = try #require(try router.neighbor(Self.session)?.incarnation)
        let watch = try watch(kind, lab)
        usleep(300_000)

        let begin = wallClock()
        daemon.signal(SIGKILL)
        try lab.lan.delete("gone.yaml")
        // Down for long enough that the router has noticed.
        let isNoticed = try eventually(every: 0.1) {
            try router.neighbor(Self.session)?.isEstablished == false
        }
        #expect(isNoticed != nil)
        usleep(1_000_000)
        #expect(Set(try router.routes().map(\.prefix)) == both, lab.lastWords)
        try lab.start("node-a")
        let isBack = try eventually(within: 25, every: 0.05) {
            let neighbor = try router.neighbor(Self.session)
            return try neighbor?.isEstablished == true && neighbor?.incarnation != first
                && Set(router.routes().map(\.prefix)) == RouterLab.prefixes(10)
        }
        #expect(isBack != nil, lab.lastWords)
        report("\(kind): killed, a second's wait, back and swept", wallClock() - begin)
        // The judge sees losses: of what is gone, and of nothing else.
        let isSeen = eventually {
            !losses(watch, of: "198.18.0.11/32").isEmpty
        }
        #expect(isSeen != nil, "\(watch.text)")
        for prefix in RouterLab.prefixes(10) {
            #expect(losses(watch, of: prefix).isEmpty, "\(watch.text)")
        }
    }

    @Test("told to end, the daemon marks its routes, waits, withdraws and says farewell")
    func farewell() throws {
        let lab = try RouterLab()
        try lab.service("web", 10)
        try lab.peer(
            "p4", at: "192.0.2.50", my: 64501, "dualStackAddressFamily: true",
            "shutdownMessage: 'rack moves, back at noon'")
        let router = try lab.router(.bird, sessions: [Self.session])
        let daemon = try lab.start("node-a", extra: ["--bgp-drain-time", "1"])
        try lab.expect(RouterLab.prefixes(10), at: router, sessions: ["p4"], within: 20)
        let wire = try BGPConversation(lab.lan, on: "router-50")
        let begin = wallClock()
        daemon.signal(SIGTERM, wait: false)
        let isMarked = try eventually(within: 0.9) {
            let routes = try router.routes()
            return routes.count == 2 && routes.allSatisfy { $0.communities == ["65535:0"] }
        }
        #expect(isMarked != nil, lab.lastWords)
        let isOver = eventually(within: 8, every: 0.05) { !daemon.isRunning }
        #expect(isOver != nil, lab.lastWords)
        try lab.expect([], at: router, sessions: ["p4"])
        let packets = try wire.packets(since: begin).filter {
            $0.source == "192.0.2.11" && $0.messages.contains { $0.type != "Keepalive" }
        }
        let messages = packets.flatMap(\.messages).filter { $0.type != "Keepalive" }
        let types = messages.map { $0.isWithdrawal ? "Withdrawal" : $0.type }
        #expect(
            types == ["Update", "Update", "Withdrawal", "Withdrawal", "Notification"], "\(types)")
        let withdrawal = packets.first { $0.messages.contains(where: \.isWithdrawal) }
        #expect((withdrawal?.time ?? 0) - (packets.first?.time ?? 0) > 0.9)
        // BIRD has understood the text (RFC 9003).
        #expect(
            router.process.text.contains("rack moves, back at noon"), "\(router.process.text)")
    }

    @Test(
        "what a router announces is counted and not installed, and ends the session above a limit")
    func inbound() throws {
        let lab = try RouterLab()
        try lab.service("web", 10)
        try lab.peer("p4", at: "192.0.2.50", my: 64501, "dualStackAddressFamily: true")
        let own = (0..<20).map { "203.0.113.\($0)/32" } + ["2001:db8:9::/48"]
        let router = try lab.router(.bird, sessions: [Self.session]) { $0.exports = own }
        try lab.start("node-a")
        try lab.expect(RouterLab.prefixes(10), at: router, sessions: ["p4"], within: 20)
        let isCounted = try eventually {
            try Shell.run(
                [
                    NamespacedLAN.executable, "status", "--admin", lab.lan.adminSocket("node-a"),
                    "-o", "json",
                ]
            ).text.contains(/"prefixesReceived"\s*:\s*21\b/)
        }
        #expect(isCounted != nil, lab.lastWords)
        let kernel = try lab.lan.run("node-a", "ip route; ip -6 route").text
        #expect(!kernel.contains("203.0.113.") && !kernel.contains("2001:db8:9::"))

        try lab.peer(
            "p4", at: "192.0.2.50", my: 64501, "dualStackAddressFamily: true",
            "maximumPrefixes: 20")
        let isEnded = eventually(within: 10, every: 0.05) {
            router.process.text.localizedStandardContains("maximum number of prefixes")
        }
        #expect(isEnded != nil, "\(router.process.text) \(lab.lastWords)")
    }
}
