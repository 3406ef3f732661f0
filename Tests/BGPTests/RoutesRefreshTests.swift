import BGP
import NetworkTypes
import Testing

@Suite struct RoutesRefreshTests {
    private func established(
        _ count: Int, isEnhanced: Bool, limit: Int = .max
    ) throws -> (AdjRIBOut, RoutesPeer) {
        let session = RoutesGround.session { $0.hasEnhancedRouteRefresh = isEnhanced }
        var rib = AdjRIBOut()
        var peer = RoutesPeer(session)
        peer.tolerates = true
        rib.want(try RoutesGround.table(count, [.ipv4, .ipv6]))
        rib.establish(session)
        try peer.read(rib.drain(limit: limit))
        peer.forgetHeard()
        return (rib, peer)
    }

    private func mark(_ kind: RouteRefreshMessage.Kind) -> RoutesPeer.Heard {
        .mark(RouteRefreshMessage(family: .ipv4, kind: kind))
    }

    @Test func `A refresh sends the family again and nothing of the other`() throws {
        var (rib, peer) = try established(10, isEnhanced: false)
        rib.refresh(.ipv4)
        #expect(rib.hasPending && rib.counts.ipv4.told == 10)
        try peer.read(rib.drain())
        #expect(peer.heard.count == 1)
        guard case .announced(let prefixes)? = peer.heard.first else { return }
        #expect(prefixes.count == 10 && prefixes.allSatisfy { $0.family == .ipv4 })
        #expect(!rib.hasPending)
    }

    @Test func `An enhanced refresh is marked at both ends, also when there is nothing`() throws {
        var (rib, peer) = try established(10, isEnhanced: true)
        rib.refresh(.ipv4)
        try peer.read(rib.drain())
        #expect(peer.heard.count == 3)
        #expect(peer.heard.first == mark(.begin) && peer.heard.last == mark(.end))
        rib.want(RouteTable())
        try peer.read(rib.drain())
        peer.forgetHeard()
        rib.refresh(.ipv4)
        try peer.read(rib.drain())
        #expect(peer.heard == [mark(.begin), mark(.end)])
    }

    @Test func `The beginning of a refresh is not marked before End-of-RIB`() throws {
        var (rib, peer) = try established(3000, isEnhanced: true, limit: 1)
        rib.refresh(.ipv4)
        try peer.read(rib.drain())
        let end = try #require(peer.heard.firstIndex(of: .endOfRIB(.ipv4)))
        let begin = try #require(peer.heard.firstIndex(of: mark(.begin)))
        #expect(end < begin && peer.heard.contains(mark(.end)))
        #expect(rib.counts.ipv4.announcements == 6000)
    }

    @Test func `Any number of requests during a refresh are one more refresh`() throws {
        var (rib, peer) = try established(3000, isEnhanced: true)
        rib.refresh(.ipv4)
        try peer.read(rib.drain(limit: 100))
        for _ in 0..<50 { rib.refresh(.ipv4) }
        try peer.read(rib.drain())
        #expect(peer.heard.filter { $0 == mark(.begin) }.count == 2)
        #expect(peer.heard.filter { $0 == mark(.end) }.count == 2)
        #expect(rib.counts.ipv4.refreshes == 2 && rib.counts.ipv4.announcements == 9000)
        #expect(!rib.hasPending)
    }

    @Test func `What goes or changes during a refresh is told once, as it is last`() throws {
        var (rib, peer) = try established(3000, isEnhanced: true)
        rib.refresh(.ipv4)
        try peer.read(rib.drain(limit: 100))
        let gone = try RoutesGround.prefix(2999)
        let changed = try RoutesGround.prefix(2998)
        rib.want([(gone, nil), (changed, Route(communities: [.gracefulShutdown]))])
        try peer.read(rib.drain())
        #expect(peer.routes[gone] == nil)
        #expect(peer.routes[changed]?.communities == [.gracefulShutdown])
        #expect(peer.heard.last == mark(.end))
        #expect(rib.counts.ipv4.announcements == 5999)
    }

    @Test func `A refresh that is under way when the session ends is forgotten`() throws {
        var (rib, _) = try established(3000, isEnhanced: true)
        rib.refresh(.ipv4)
        _ = rib.drain(limit: 100)
        rib.refresh(.ipv4)
        rib.end()
        #expect(!rib.hasPending && rib.drain().isEmpty)
        let session = RoutesGround.session()
        var peer = RoutesPeer(session)
        rib.establish(session)
        try peer.read(rib.drain())
        #expect(peer.routes.count == 6000)
        #expect(peer.heard.filter { $0 == .endOfRIB(.ipv4) }.count == 1)
    }
}
