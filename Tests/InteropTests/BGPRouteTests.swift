import Foundation
import Testing

extension RealNetwork {
    @Suite struct BGPRouteTests {}
}

/// What routers come to hold of which Services, judged from their tables.
extension RealNetwork.BGPRouteTests {
    /// `count` nodes, each with an internal session `a4`, `b4` … to one router.
    private func lab(
        nodes count: Int, advertisement: String = "{}", kind: RouterKind = .bird
    ) throws -> (RouterLab, any Router) {
        let lab = try RouterLab(nodes: count, advertisement: advertisement)
        try lab.peer(
            "tor", at: "192.0.2.50", my: RouterLab.routerAS, "dualStackAddressFamily: true")
        let sessions = lab.lan.nodes.enumerated().map { index, node in
            RouterSession("\(node.suffix(1))4", "192.0.2.\(11 + index)", as: RouterLab.routerAS)
        }
        let router = try lab.router(kind, sessions: sessions)
        for node in lab.lan.nodes { try lab.start(node) }
        try lab.expectEstablished()
        return (lab, router)
    }

    @Test(
        "with Local policy the nodes with a usable endpoint announce, and follow it",
        arguments: [RouterKind.bird])
    func localPolicy(kind: RouterKind) throws {
        let (lab, router) = try lab(nodes: 2, kind: kind)
        try lab.service("web", 10, nodes: ["node-a"], policy: "Local")
        try lab.expect(RouterLab.prefixes(10), at: router, sessions: ["a4"])
        #expect(try !router.routes().contains { $0.session == "b4" })
        let wire = try BGPConversation(lab.lan, on: "router-50")
        let begin = wallClock()
        try lab.service("web", 10, nodes: ["node-b"], policy: "Local")
        try lab.expect(RouterLab.prefixes(10), at: router, sessions: ["b4"])
        try lab.expect([], at: router, sessions: ["a4"])
        let updates = try wire.packets(since: begin).filter {
            $0.messages.contains { $0.type == "Update" }
        }
        let last = try #require(updates.last?.time)
        report("endpoint moved: the last UPDATE of both nodes", last - begin)
        #expect(last - begin < 0.3)
    }

    @Test("aggregation: many Services are one route, which goes with the last of them")
    func aggregation() throws {
        let (lab, router) = try lab(
            nodes: 1, advertisement: "{aggregationLength: 28, aggregationLengthV6: 124}")
        let block: Set = ["198.18.0.16/28", "2001:db8:100::10/124"]
        for number in 17...19 { try lab.service("web-\(number)", number) }
        try lab.expect(block, at: router, sessions: ["a4"])
        let wire = try BGPConversation(lab.lan, on: "router-50")
        let begin = wallClock()
        try lab.lan.delete("web-17.yaml")
        try lab.lan.delete("web-18.yaml")
        // A Service outside the block shows that the two changes have been dealt with.
        try lab.service("web-40", 40)
        let more: Set = ["198.18.0.32/28", "2001:db8:100::20/124"]
        try lab.expect(block.union(more), at: router, sessions: ["a4"])
        let prefixes = try wire.messages(from: "192.0.2.11", since: begin).flatMap(\.prefixes)
        #expect(Set(prefixes) == more && prefixes.count == 2)
        try lab.lan.delete("web-19.yaml")
        try lab.expect(more, at: router, sessions: ["a4"])
    }

    @Test("overlapping advertisements are united; a peer's name and a node's limit them")
    func union() throws {
        let (lab, router) = try lab(nodes: 2, advertisement: #"{communities: ["64500:1"]}"#)
        try lab.service("web", 10)
        try lab.expect(RouterLab.prefixes(10), at: router, sessions: ["a4", "b4"])
        try lab.advertise("more", #"{communities: ["64500:2"], peers: [tor]}"#)
        try lab.advertise("none", #"{communities: ["64500:3"], peers: [another]}"#)
        try lab.advertise(
            "block",
            """
            {aggregationLength: 24, aggregationLengthV6: 120, nodeSelectors: \
            [{matchLabels: {kubernetes.io/hostname: node-b}}]}
            """)
        let blocks: Set = ["198.18.0.0/24", "2001:db8:100::/120"]
        try lab.expect(RouterLab.prefixes(10).union(blocks), at: router, sessions: ["b4"])
        let isUnited = try eventually(every: 0.1) {
            try router.routes().filter { RouterLab.prefixes(10).contains($0.prefix) }
                .allSatisfy { $0.communities == ["64500:1", "64500:2"] }
        }
        #expect(isUnited != nil, lab.lastWords)
        let routes = try lab.expect(RouterLab.prefixes(10), at: router, sessions: ["a4"])
        #expect(routes.filter { blocks.contains($0.prefix) }.allSatisfy { $0.communities.isEmpty })
    }
}
