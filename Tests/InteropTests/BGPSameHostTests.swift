import Foundation
import Testing

extension RealNetwork {
    @Suite struct BGPSameHostTests {}
}

/// Beside another BGP speaker on the node, which has port 179 and a session with the router: what
/// Docs/BGP.md gives as recipes.
extension RealNetwork.BGPSameHostTests {
    private static let localAS: UInt32 = 64512

    /// The node's own BIRD, which holds a session with the router at 192.0.2.50 and passes on what
    /// it hears from `neighbor` on the node itself.
    private func startLocalDaemon(
        _ lab: RouterLab, neighbors: [(name: String, address: String, local: String, port: Int)],
        isPassive: Bool
    ) throws -> (String) throws -> String {
        let folder = try lab.lan.makeFolder(of: "local-bird")
        let inner = neighbors.map { neighbor in
            """
            protocol bgp \(neighbor.name) {
              local \(neighbor.local) as \(Self.localAS);
              neighbor \(neighbor.address) port \(neighbor.port) as 64501;
              multihop; \(isPassive ? "passive on;" : "")
              connect delay time 1; connect retry time 1; error wait time 1,2;
              ipv4 { import all; export none; };
              ipv6 { import all; export none; };
            }
            """
        }
        let text = """
            router id 192.0.2.11;
            log stderr all;
            protocol device {}
            \(inner.joined(separator: "\n"))
            protocol bgp up {
              local 192.0.2.11 as \(Self.localAS); neighbor 192.0.2.50 as \(RouterLab.routerAS);
              connect delay time 1; connect retry time 1; error wait time 1,2;
              ipv4 { import all; export where source = RTS_BGP; next hop self; };
              ipv6 {
                import all; export where source = RTS_BGP; next hop address 2001:db8:2::11;
              };
            }
            """
        try text.write(toFile: "\(folder)/bird.conf", atomically: true, encoding: .utf8)
        let process = try lab.lan.start(
            "node-a",
            [
                "bird", "-f", "-c", "\(folder)/bird.conf", "-s", "\(folder)/ctl", "-P",
                "\(folder)/pid",
            ],
            log: "local-bird.log")
        let ask: (String) throws -> String = { command in
            try Shell.run("birdc -s \(folder)/ctl \(command)", allowFailure: true).text
        }
        try lab.lan.waitUntil("the local BIRD answers", log: process) {
            try ask("show status").contains("Daemon is up")
        }
        return ask
    }

    /// A router that knows the node's BIRD as `node`, and perhaps more.
    private func router(_ lab: RouterLab, beside others: [RouterSession] = []) throws -> any Router
    {
        try lab.router(
            .bird,
            sessions: [RouterSession("node", "192.0.2.11", as: Self.localAS)] + others)
    }

    @Test(
        "peering over loopback: the node's daemon takes the routes and passes them on",
        arguments: ["127.0.0.1", "::1"])
    func loopback(address: String) throws {
        let lab = try RouterLab()
        try lab.service("web", 10)
        try lab.peer(
            "local", at: address, as: Self.localAS, my: 64501, "dualStackAddressFamily: true",
            "ebgpMultiHop: true")
        let router = try router(lab)
        let ask = try startLocalDaemon(
            lab, neighbors: [("inner", address, address, 179)], isPassive: true)
        try lab.start("node-a")
        let isUp = try eventually(within: 15, every: 0.1) {
            try ask("show protocols inner").contains("Established")
        }
        let inner = try ask("show protocols all inner")
        #expect(isUp != nil, "\(inner) \(lab.lastWords)")
        let routes = try lab.expect(RouterLab.prefixes(10), at: router, sessions: ["node"])
        for route in routes {
            #expect(route.asPath == [Self.localAS, 64501], "\(route)")
            let own = route.isIPv6 ? "2001:db8:2::11" : "192.0.2.11"
            #expect(route.nextHops.first == own, "\(route)")
        }
    }

    @Test("another source address: both speakers of the node hold a session with the same router")
    func anotherAddress() throws {
        let lab = try RouterLab()
        try lab.service("web", 10)
        try lab.lan.run("node-a", "ip addr add 192.0.2.77/24 dev eth0")
        try lab.peer(
            "tor", at: "192.0.2.50", my: 64501, "sourceAddress: 192.0.2.77",
            "dualStackAddressFamily: true")
        let router = try router(lab, beside: [RouterSession("own", "192.0.2.77", as: 64501)])
        _ = try startLocalDaemon(lab, neighbors: [], isPassive: true)
        try lab.start("node-a")
        try lab.expectEstablished()
        let routes = try lab.expect(RouterLab.prefixes(10), at: router, sessions: ["own"])
        #expect(
            routes.filter { $0.session == "own" && !$0.isIPv6 }
                .allSatisfy { $0.nextHops == ["192.0.2.77"] })
    }

    @Test("a passive port: the node's daemon connects to it, port 179 stays the daemon's")
    func passivePort() throws {
        let lab = try RouterLab()
        try lab.service("web", 10)
        try lab.peer(
            "local", at: "127.0.0.1", as: Self.localAS, my: 64501, "dualStackAddressFamily: true",
            "ebgpMultiHop: true", "passive: true")
        let router = try router(lab)
        let ask = try startLocalDaemon(
            lab, neighbors: [("inner", "127.0.0.1", "127.0.0.1", 1790)], isPassive: false)
        try lab.start("node-a", extra: ["--bgp-listen", "127.0.0.1:1790"])
        let isUp = try eventually(within: 15, every: 0.1) {
            try ask("show protocols inner").contains("Established")
        }
        let inner = try ask("show protocols all inner")
        #expect(isUp != nil, "\(inner) \(lab.lastWords)")
        try lab.expect(RouterLab.prefixes(10), at: router, sessions: ["node"])
    }
}
