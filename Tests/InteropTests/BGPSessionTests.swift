import Foundation
import Testing

extension RealNetwork {
    @Suite struct BGPSessionTests {}
}

/// Ways to hold a session that the matrix leaves out.
extension RealNetwork.BGPSessionTests {
    private static let nodeAddresses = ["192.0.2.11", "2001:db8:2::11"]
    private static let routerAddresses = ["192.0.2.50", "2001:db8:2::50"]

    /// A node with a peer over each transport, `p4` and `p6`, and the router's two ends of it.
    private func lab(
        _ kind: RouterKind, own asn: UInt32 = 64501, _ fields: String...,
        change: (inout RouterSession) -> Void = { _ in }
    ) throws -> (RouterLab, any Router) {
        let lab = try RouterLab()
        try lab.service("web", 10)
        for (index, address) in Self.routerAddresses.enumerated() {
            try lab.peer(
                index == 0 ? "p4" : "p6", at: address, my: asn,
                (["dualStackAddressFamily: true"] + fields).joined(separator: ", "))
        }
        let sessions = zip(["p4", "p6"], Self.nodeAddresses).map { name, address in
            var session = RouterSession(name, address, as: asn)
            change(&session)
            return session
        }
        return (lab, try lab.router(kind, sessions: sessions))
    }

    private func expectBoth(_ lab: RouterLab, _ router: any Router) throws {
        try lab.expectEstablished()
        try lab.expect(RouterLab.prefixes(10), at: router, sessions: ["p4", "p6"])
    }

    @Test(
        "a passive peer is waited for: the router connects, to the port that was chosen",
        arguments: [nil, 1790])
    func passive(port: Int?) throws {
        let (lab, router) = try lab(.bird, "passive: true") { $0.port = port ?? 179 }
        let wire = try BGPConversation(lab.lan, on: "router-50")
        try lab.start("node-a", extra: port.map { ["--bgp-listen", "\($0)"] } ?? [])
        try expectBoth(lab, router)
        let openings = try wire.packets().filter(\.isOpening)
        #expect(!openings.isEmpty)
        #expect(openings.allSatisfy { Self.routerAddresses.contains($0.source) })
    }

    @Test("passive and signed: nothing comes up with a wrong password, and then with the right one")
    func passiveSigned() throws {
        let (lab, router) = try lab(
            .bird, "passive: true", "password: wrong"
        ) { $0.password = RouterLab.password }
        try lab.start("node-a")
        usleep(2_000_000)
        let early = try router.neighbor(RouterSession("p4", "192.0.2.11", as: 64501))
        #expect(early?.isEstablished == false)
        for (name, address) in zip(["p4", "p6"], Self.routerAddresses) {
            try lab.peer(
                name, at: address, my: 64501, "dualStackAddressFamily: true", "passive: true",
                "password: \(RouterLab.password)")
        }
        try expectBoth(lab, router)
    }

    @Test(
        "TTL security: segments leave with 255; a router that cannot prove its distance is deaf",
        arguments: [RouterKind.bird, .frr, .openbgpd])
    func security(kind: RouterKind) throws {
        let (lab, router) = try lab(kind, "ttlSecurity: 1") { $0.distance = .secured(1) }
        let wire = try BGPConversation(lab.lan, on: "router-50")
        // One that sends with TTL 1 as eBGP does, and is not believed.
        try lab.peer("far", at: "192.0.2.51", my: 64501, "ttlSecurity: 1")
        let weak = try lab.router(
            .bird, number: 51, sessions: [RouterSession("far", "192.0.2.11", as: 64501)])
        try lab.start("node-a")
        try lab.expect(RouterLab.prefixes(10), at: router, sessions: ["p4", "p6"], within: 20)
        let packets = try wire.packets().filter { Self.nodeAddresses.contains($0.source) }
        #expect(packets.count > 4)
        #expect(packets.allSatisfy { $0.hopLimit == 255 })
        let session = RouterSession("far", "192.0.2.11", as: 64501)
        #expect(try weak.neighbor(session)?.isEstablished == false)
    }

    @Test("hold time 0: no keepalives but the first, and the session stays")
    func holdZero() throws {
        let (lab, router) = try lab(.bird, "holdTime: 0s") { $0.holdTime = 0 }
        let wire = try BGPConversation(lab.lan, on: "router-50")
        try lab.start("node-a")
        try expectBoth(lab, router)
        // Longer than any keepalive interval that the shortest hold time leads to.
        usleep(3_000_000)
        for address in Self.nodeAddresses {
            let messages = try wire.packets().filter { $0.source == address }.flatMap(\.messages)
            #expect(messages.count { $0.type == "Keepalive" } == 1)
            #expect(messages.first { $0.type == "Open" }?.text.contains("Holdtime 0s") == true)
        }
        try expectBoth(lab, router)
    }

    @Test("the session is made from the source address, which is also the next hop")
    func sourceAddress() throws {
        let lab = try RouterLab()
        try lab.service("web", 10)
        try lab.lan.run(
            "node-a",
            "ip addr add 192.0.2.77/24 dev eth0; ip addr add 2001:db8:2::77/64 dev eth0 nodad")
        try lab.peer("p4", at: "192.0.2.50", my: 64501, "sourceAddress: 192.0.2.77")
        try lab.peer("p6", at: "2001:db8:2::50", my: 64501, "sourceAddress: '2001:db8:2::77'")
        let router = try lab.router(
            .frr,
            sessions: [
                RouterSession("p4", "192.0.2.77", as: 64501),
                RouterSession("p6", "2001:db8:2::77", as: 64501),
            ])
        try lab.start("node-a")
        try lab.expectEstablished()
        let prefixes = RouterLab.prefixes(10)
        let routes = try lab.expect(
            prefixes.filter { !$0.contains(":") }, at: router, sessions: ["p4"])
        #expect(routes.first { $0.session == "p4" }?.nextHops == ["192.0.2.77"])
        let others = try lab.expect(
            prefixes.filter { $0.contains(":") }, at: router, sessions: ["p6"])
        #expect(others.first { $0.session == "p6" }?.nextHops.first == "2001:db8:2::77")
    }

    @Test(
        "an external peer behind another router is reached with ebgpMultiHop",
        arguments: [RouterKind.bird, .frr, .gobgp, .openbgpd].filter(RouterKind.chosen.contains))
    func multihop(kind: RouterKind) throws {
        let lab = try RouterLab()
        try lab.service("web", 10)
        try lab.addFarHost()
        let addresses = RouterLab.farAddresses
        for (name, address) in zip(["p4", "p6"], addresses) {
            try lab.peer(
                name, at: address, my: 64501, "dualStackAddressFamily: true", "ebgpMultiHop: true")
        }
        let sessions = zip(["p4", "p6"], Self.nodeAddresses).map { name, address in
            var session = RouterSession(name, address, as: 64501)
            session.distance = .hops(3)
            return session
        }
        let router = try lab.router(kind, in: "far", number: 2, sessions: sessions) {
            $0.identifier = addresses[0]
            $0.addresses = addresses
        }
        try lab.start("node-a")
        try lab.expectEstablished()
        let routes = try lab.expect(RouterLab.prefixes(10), at: router, sessions: ["p4", "p6"])
        #expect(Set(routes.compactMap(\.nextHops.first)).isSubset(of: Set(Self.nodeAddresses)))
    }

    @Test("a router that knows AS numbers of two octets only is told AS_TRANS (RFC 6793)")
    func twoOctets() throws {
        let (lab, router) = try lab(.exabgp, own: 4_200_000_001) {
            $0.hasFourOctetAS = false
            $0.neighborAS = 23456
        }
        let wire = try BGPConversation(lab.lan, on: "router-50")
        try lab.start("node-a")
        try expectBoth(lab, router)
        let messages = try wire.messages(from: "192.0.2.11", since: 0)
        #expect(messages.first?.text.contains("my AS 23456") == true)
        let updates = messages.filter { $0.type == "Update" && !$0.isEndOfRIB }
        #expect(updates.count == 2)
        #expect(updates.allSatisfy { $0.text.contains("AS Path (2), length: 4, Flags [T]: 23456") })
        // The number itself goes beside (AS4_PATH).
        #expect(updates.allSatisfy { $0.text.contains("4200000001") })
    }

    @Test("of two routers the one that is stopped does not delay the other")
    func twoRouters() throws {
        let lab = try RouterLab()
        try lab.service("web", 10)
        var routers: [any Router] = []
        for (number, kind) in [(50, RouterKind.bird), (51, .frr)] {
            try lab.peer("p\(number)", at: "192.0.2.\(number)", my: 64501, "holdTime: 9s")
            routers.append(
                try lab.router(
                    kind, number: number,
                    sessions: [RouterSession("p\(number)", "192.0.2.11", as: 64501)]))
        }
        try lab.start("node-a")
        try lab.expectEstablished()
        let first = RouterLab.prefixes(10).filter { !$0.contains(":") }
        try lab.expect(first, at: routers[0], sessions: ["p50"])
        try lab.expect(first, at: routers[1], sessions: ["p51"])
        routers[0].process.signal(SIGSTOP, wait: false)
        for number in 11...14 {
            try lab.service("web-\(number)", number)
            let wanted = "198.18.0.\(number)/32"
            let isHeld = try eventually(within: 2, every: 0.02) {
                try routers[1].routes().contains { $0.prefix == wanted }
            }
            #expect(isHeld != nil, lab.lastWords)
        }
        routers[0].process.signal(SIGCONT, wait: false)
        let all = Set((10...14).map { "198.18.0.\($0)/32" })
        try lab.expect(all, at: routers[0], sessions: ["p50"])
    }
}

extension RouterLab {
    static let farAddresses = ["203.0.113.2", "2001:db8:3::2"]

    /// Adds the host `far` behind the host `hub`, which forwards between it and the LAN.
    func addFarHost() throws {
        try lan.attach("hub", host: 60)
        try lan.makeNamespace("far")
        try lan.run(
            "hub",
            """
            sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 &&
            ip link add far type veth peer name eth0 netns \(lan.namespace("far")) &&
            ip link set far up && ip addr add 203.0.113.1/24 dev far &&
            ip addr add 2001:db8:3::1/64 dev far nodad
            """)
        try lan.run(
            "far",
            """
            ip link set eth0 up && ip addr add 203.0.113.2/24 dev eth0 &&
            ip addr add 2001:db8:3::2/64 dev eth0 nodad &&
            ip route add default via 203.0.113.1 && ip route add default via 2001:db8:3::1
            """)
        for node in lan.nodes {
            try lan.run(
                node,
                """
                ip route add 203.0.113.0/24 via 192.0.2.60 &&
                ip route add 2001:db8:3::/64 via 2001:db8:2::60
                """)
        }
    }
}
