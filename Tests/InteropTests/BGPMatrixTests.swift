import Foundation
import Testing

extension RealNetwork {
    @Suite struct BGPMatrixTests {}
}

/// Every router × IPv4 and IPv6 routes × either transport × eBGP and iBGP × plain and MD5 ×
/// features. One router a round, with eight sessions to four nodes, each of its own way.
extension RealNetwork.BGPMatrixTests {
    private static let advertisement = """
        {localPref: 150, communities: ["64500:7", "large:64500:1:2", no-export]}
        """
    private static let routerAddresses = ["192.0.2.50", "2001:db8:2::50"]

    /// Four nodes, a router, and a session for each way and transport.
    private func lab(_ kind: RouterKind) throws -> (RouterLab, any Router) {
        let lab = try RouterLab(nodes: 4, advertisement: Self.advertisement)
        try lab.service("web", 10)
        var sessions: [RouterSession] = []
        for session in BGPMatrix.sessions {
            let way = session.way
            try lab.peer(
                session.name, at: Self.routerAddresses[session.isIPv6 ? 1 : 0], my: way.ownAS,
                node: way.node, "dualStackAddressFamily: true", "holdTime: 9s",
                "enableGracefulRestart: true",
                way.isSigned ? "password: \(RouterLab.password)" : "",
                way.isInternal ? "" : "role: customer")
            var own = RouterSession(session.name, session.nodeAddress, as: way.ownAS)
            own.password = way.isSigned ? RouterLab.password : nil
            if !way.isInternal, BGPMatrix.canDo(.role, kind) { own.role = "provider" }
            sessions.append(own)
        }
        let router = try lab.router(kind, sessions: sessions)
        return (lab, router)
    }

    @Test(
        "the matrix: all routes with their attributes, features, refresh, changes and signatures",
        arguments: RouterKind.chosen)
    func matrix(kind: RouterKind) throws {
        let (lab, router) = try lab(kind)
        let wire = try BGPConversation(lab.lan, on: "router-50")
        let begin = wallClock()
        for node in lab.lan.nodes { try lab.start(node) }
        try lab.expectEstablished()
        let names = BGPMatrix.sessions.map(\.name)
        let routes = try lab.expect(RouterLab.prefixes(10), at: router, sessions: names)
        report("\(kind): eight sessions up and all routes held", wallClock() - begin)
        for session in BGPMatrix.sessions {
            expectAttributes(session, of: routes, kind)
            try expectFeatures(session, kind, router, lab)
        }
        try expectSignatures(wire)
        if BGPMatrix.canDo(.asking, kind) { try expectRefresh(lab, router, wire) }
        try expectChanges(lab, router, wire)
        for (feature, reason) in BGPMatrix.lacking[kind] ?? [:] {
            print("matrix: \(kind), \(feature.rawValue): cannot: \(reason)")
        }
    }

    private func expectAttributes(
        _ session: BGPMatrix.Session, of routes: [RouterRoute], _ kind: RouterKind
    ) {
        for route in routes where route.session == session.name {
            let what: Comment = "\(kind), \(session.description): \(route)"
            let isInternal = session.way.isInternal
            let letter = session.way.letter
            let isIPv6 =
                route.isIPv6 || session.isIPv6 && BGPMatrix.alwaysExtendsNextHop.contains(kind)
            #expect(
                route.nextHops.first == BGPMatrix.Session.address(of: letter, isIPv6: isIPv6), what)
            #expect(route.asPath == (isInternal ? [] : [session.way.ownAS]), what)
            if isInternal {
                #expect(route.localPreference == 150, what)
            } else {
                // The router's own default: an external peer is told none.
                #expect(route.localPreference == 100 || route.localPreference == nil, what)
            }
            #expect(Self.plain(route.communities) == ["64500:7", "65535:65281"], what)
            #expect(route.largeCommunities == ["64500:1:2"], what)
        }
    }

    /// Some routers print the well-known one by its name.
    static func plain(_ communities: Set<String>) -> Set<String> {
        Set(
            communities.map {
                switch $0.lowercased() {
                case "no-export", "no_export", "noexport": "65535:65281"
                case "no-advertise", "no_advertise", "noadvertise": "65535:65282"
                default: $0
                }
            })
    }

    private func expectFeatures(
        _ session: BGPMatrix.Session, _ kind: RouterKind, _ router: any Router, _ lab: RouterLab
    ) throws {
        let own = RouterSession(session.name, session.nodeAddress, as: session.way.ownAS)
        let neighbor = try #require(try router.neighbor(own), lab.lastWords)
        let possible = BGPMatrix.features(session).filter { BGPMatrix.canDo($0, kind) }
        for feature in possible {
            #expect(
                neighbor.offers.contains(feature),
                "\(kind), \(session.description): \(feature.rawValue)")
        }
        let names = possible.map(\.rawValue).joined(separator: ", ")
        print("matrix: \(kind), \(session.description): IPv4 and IPv6 routes; \(names)")
    }

    /// Every segment of a session with a password is signed, and none of one without.
    private func expectSignatures(_ wire: BGPConversation) throws {
        let packets = try wire.packets()
        for session in BGPMatrix.sessions {
            let own = packets.filter {
                $0.source == session.nodeAddress && !$0.messages.isEmpty
            }
            #expect(!own.isEmpty)
            #expect(own.allSatisfy { $0.isSigned == session.way.isSigned }, "\(session.name)")
        }
    }

    /// A refresh that the router asks for on one session is answered there with the routes, and
    /// nothing else is said to anybody.
    private func expectRefresh(
        _ lab: RouterLab, _ router: any Router, _ wire: BGPConversation
    ) throws {
        let session = RouterSession("a4", BGPMatrix.sessions[0].nodeAddress, as: 64501)
        let before = try incarnations(router)
        let moment = wallClock()
        try router.askAgain(session)
        let isAnswered = try eventually(every: 0.1) {
            try wire.messages(from: session.neighbor, since: moment)
                .flatMap(\.prefixes).count >= 2
        }
        #expect(isAnswered != nil, lab.lastWords)
        usleep(300_000)
        let messages = try wire.messages(from: session.neighbor, since: moment)
        #expect(messages.allSatisfy { ["Update", "Route Refresh"].contains($0.type) })
        #expect(messages.flatMap(\.prefixes).sorted() == RouterLab.prefixes(10).sorted())
        #expect(!messages.contains { $0.isWithdrawal && !$0.isEndOfRIB })
        for other in BGPMatrix.sessions.dropFirst() {
            #expect(try wire.messages(from: other.nodeAddress, since: moment).isEmpty)
        }
        #expect(try incarnations(router) == before)
        try lab.expect(
            RouterLab.prefixes(10), at: router, sessions: BGPMatrix.sessions.map(\.name))
    }

    /// A new Service costs one UPDATE a family and session, and so does its end.
    private func expectChanges(
        _ lab: RouterLab, _ router: any Router, _ wire: BGPConversation
    ) throws {
        let names = BGPMatrix.sessions.map(\.name)
        let before = try incarnations(router)
        let begin = wallClock()
        try lab.service("shop", 11)
        try lab.expect(
            RouterLab.prefixes(10).union(RouterLab.prefixes(11)), at: router, sessions: names)
        let added = wallClock()
        try lab.lan.delete("shop.yaml")
        try lab.expect(RouterLab.prefixes(10), at: router, sessions: names)
        for session in BGPMatrix.sessions {
            // What the router knows already tcpdump may still be about to write.
            _ = try eventually(within: 2, every: 0.1) {
                try wire.messages(from: session.nodeAddress, since: begin).count >= 4
            }
            let messages = try wire.messages(from: session.nodeAddress, since: begin)
            let text = messages.map(\.text).joined(separator: "\n")
            let count = try wire.messages(from: session.nodeAddress, since: added).count
            #expect(messages.count == 4 && count == 2, "\(session.name): \(text)\n\(lab.lastWords)")
            #expect(messages.allSatisfy { $0.type == "Update" && $0.prefixes.count == 1 })
            #expect(messages.map(\.isWithdrawal) == [false, false, true, true], "\(text)")
            #expect(Set(messages.flatMap(\.prefixes)) == RouterLab.prefixes(11), "\(text)")
        }
        #expect(try incarnations(router) == before, lab.lastWords)
    }

    private func incarnations(_ router: any Router) throws -> [String] {
        try BGPMatrix.sessions.map { session in
            let own = RouterSession(session.name, session.nodeAddress, as: session.way.ownAS)
            return try router.neighbor(own)?.incarnation ?? "none"
        }
    }
}
