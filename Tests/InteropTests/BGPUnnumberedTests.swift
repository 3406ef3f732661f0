import Foundation
import Testing

extension RealNetwork {
    @Suite struct BGPUnnumberedTests {}
}

/// Peering over an interface, and IPv4 routes that point to IPv6 next hops (RFC 8950).
extension RealNetwork.BGPUnnumberedTests {
    @Test(
        "unnumbered: the router is found by its advertisements and takes routes of both families",
        arguments: [RouterKind.frr, .bird].filter(RouterKind.chosen.contains))
    func unnumbered(kind: RouterKind) throws {
        let lab = try RouterLab()
        try lab.service("web", 10)
        // Nothing but link-local addresses on the link.
        try lab.lan.run(
            "node-a",
            "ip addr del 192.0.2.11/24 dev eth0; ip addr del 2001:db8:2::11/64 dev eth0")
        try lab.peer("p", at: "eth0", my: 64501)
        var session = RouterSession("p", "eth0", as: 64501)
        session.hasExtendedNextHop = true
        session.isPassive = kind == .bird
        let router = try lab.router(kind, sessions: [session]) { $0.addresses = [] }
        let begin = wallClock()
        try lab.start("node-a")
        try lab.expectEstablished(within: 30)
        report("\(kind): unnumbered session established", wallClock() - begin)
        let routes = try lab.expect(RouterLab.prefixes(10), at: router, sessions: ["p"])
        for route in routes {
            #expect(route.nextHops.allSatisfy { $0.hasPrefix("fe80:") }, "\(route)")
            #expect(!route.nextHops.isEmpty && route.asPath == [64501], "\(route)")
        }
        #expect(try router.neighbor(session)?.offers.contains(.extendedNextHop) == true)
        // The router's kernel can use them: the IPv4 route goes out over the IPv6 neighbour.
        if kind == .frr {
            let isInstalled = try eventually {
                try lab.lan.run("router-50", "ip route show 198.18.0.10").text
                    .contains("via inet6 fe80:")
            }
            #expect(isInstalled != nil, lab.lastWords)
        }
    }

    @Test(
        "over IPv6 alone, IPv4 routes have the node's IPv6 address as next hop",
        arguments: BGPMatrix.routers(with: .extendedNextHop))
    func extendedNextHop(kind: RouterKind) throws {
        let lab = try RouterLab()
        try lab.service("web", 10)
        try lab.lan.run("node-a", "ip addr del 192.0.2.11/24 dev eth0")
        try lab.peer("p6", at: "2001:db8:2::50", my: 64501, "dualStackAddressFamily: true")
        var session = RouterSession("p6", "2001:db8:2::11", as: 64501)
        session.hasExtendedNextHop = true
        let router = try lab.router(kind, sessions: [session])
        try lab.start("node-a")
        try lab.expectEstablished()
        let routes = try lab.expect(RouterLab.prefixes(10), at: router, sessions: ["p6"])
        #expect(routes.allSatisfy { $0.nextHops.first == "2001:db8:2::11" }, "\(routes)")
        #expect(try router.neighbor(session)?.offers.contains(.extendedNextHop) == true)
        print("matrix: \(kind), \(RouterFeature.extendedNextHop.rawValue): IPv4 over IPv6")
    }

    @Test("a router that takes no IPv6 next hops is not told of IPv4 routes, and status says why")
    func withoutNextHop() throws {
        let lab = try RouterLab()
        try lab.service("web", 10)
        try lab.lan.run("node-a", "ip addr del 192.0.2.11/24 dev eth0")
        try lab.peer("p6", at: "2001:db8:2::50", my: 64501, "dualStackAddressFamily: true")
        let router = try lab.router(
            .bird, sessions: [RouterSession("p6", "2001:db8:2::11", as: 64501)])
        try lab.start("node-a")
        try lab.expectEstablished()
        try lab.expect(
            RouterLab.prefixes(10).filter { $0.contains(":") }, at: router, sessions: ["p6"])
        let status = try Shell.run(
            [
                NamespacedLAN.executable, "status", "--admin", lab.lan.adminSocket("node-a"), "-o",
                "json",
            ]
        ).text
        #expect(status.contains("next hop"), "\(status)")
    }
}
