import BGP
import NetworkTypes
import Testing

@Suite struct RoutesTests {
    private func established(
        _ table: RouteTable, _ session: OutboundSession = RoutesGround.session()
    ) throws -> (AdjRIBOut, RoutesPeer) {
        var rib = AdjRIBOut()
        var peer = RoutesPeer(session)
        rib.want(table)
        rib.establish(session)
        try peer.read(rib.drain())
        peer.forgetHeard()
        return (rib, peer)
    }

    @Test func `A session begins with all routes and the End-of-RIB of each family after them`()
        throws
    {
        let session = RoutesGround.session()
        var rib = AdjRIBOut()
        var peer = RoutesPeer(session)
        rib.want(try RoutesGround.table(3, [.ipv4, .ipv6]))
        #expect(!rib.hasPending)
        rib.establish(session)
        try peer.read(rib.drain())
        #expect(peer.routes.count == 6)
        #expect(Set(peer.heard.suffix(2).map { "\($0)" }).count == 2)
        #expect(peer.heard.contains(.endOfRIB(.ipv4)) && peer.heard.contains(.endOfRIB(.ipv6)))
        #expect(peer.heard.count == 4)
        for (prefix, attributes) in peer.routes { #expect(rib.told(prefix) == attributes) }
        #expect(!rib.hasPending && rib.drain().isEmpty)
    }

    @Test func `An empty table is End-of-RIB and nothing else`() throws {
        let (rib, peer) = try established(RouteTable())
        #expect(peer.routes.isEmpty && rib.counts.updates == 2)
    }

    @Test func `End-of-RIB waits until it is known what is wanted`() throws {
        let session = RoutesGround.session()
        var rib = AdjRIBOut()
        var peer = RoutesPeer(session)
        rib.establish(session)
        #expect(!rib.hasPending && rib.drain().isEmpty)
        rib.want(try RoutesGround.table(2))
        try peer.read(rib.drain())
        #expect(peer.heard.count == 3 && peer.routes.count == 2)
        #expect(peer.heard.contains(.endOfRIB(.ipv4)))
    }

    @Test func `A route that comes while the initial table is being sent precedes End-of-RIB`()
        throws
    {
        let session = RoutesGround.session()
        var rib = AdjRIBOut()
        var peer = RoutesPeer(session)
        rib.want(try RoutesGround.table(3000))
        rib.establish(session)
        try peer.read(rib.drain(limit: 1))
        let late = try RoutesGround.prefix("203.0.113.7/32")
        rib.want([(late, Route(communities: [StandardCommunity(64496, 7)]))])
        try peer.read(rib.drain())
        #expect(peer.routes.count == 3001)
        let end = try #require(peer.heard.lastIndex(of: .endOfRIB(.ipv4)))
        let told = try #require(peer.heard.firstIndex(of: .announced([late])))
        #expect(told < end)
    }

    @Test func `A change sends what changed and nothing else`() throws {
        var (rib, peer) = try established(try RoutesGround.table(1000, [.ipv4, .ipv6]))
        let changed = try RoutesGround.prefix(500)
        let added = try RoutesGround.prefix("203.0.113.0/24")
        let gone = try RoutesGround.prefix(7, .ipv6)
        rib.want([
            (changed, Route(communities: [.gracefulShutdown])), (added, Route()), (gone, nil),
        ])
        #expect(rib.counts.pending == 3)
        try peer.read(rib.drain())
        #expect(peer.heard.first == .withdrawn([gone]))
        #expect(peer.heard.count == 3)
        #expect(peer.heard.contains(.announced([changed])))
        #expect(peer.heard.contains(.announced([added])))
        #expect(peer.routes[changed]?.communities == [.gracefulShutdown])
        #expect(peer.routes.count == 2000)
    }

    @Test func `A table that says the same sends nothing, and another sends the difference`() throws
    {
        let table = try RoutesGround.table(100, [.ipv4, .ipv6])
        var (rib, peer) = try established(table)
        rib.want(table)
        #expect(!rib.hasPending)
        var other = table
        let gone = try RoutesGround.prefix(3)
        let changed = try RoutesGround.prefix(4, .ipv6)
        other[gone] = nil
        other[changed] = Route(largeCommunities: [LargeCommunity(64496, 1, 2)])
        rib.want(other)
        try peer.read(rib.drain())
        #expect(peer.heard == [.withdrawn([gone]), .announced([changed])])
        rib.want(RouteTable())
        try peer.read(rib.drain())
        #expect(peer.routes.isEmpty && rib.counts.told == 0 && rib.counts.ipv4.wanted == 0)
    }

    @Test func `What changed back before it was sent is not sent`() throws {
        var (rib, _) = try established(try RoutesGround.table(10))
        let prefix = try RoutesGround.prefix(4)
        let fleeting = try RoutesGround.prefix("203.0.113.9/32")
        rib.want([(prefix, nil), (fleeting, Route())])
        #expect(rib.hasPending)
        rib.want([(prefix, Route()), (fleeting, nil)])
        #expect(!rib.hasPending)
        rib.want([(prefix, Route(communities: [.gracefulShutdown]))])
        rib.want([(prefix, Route())])
        #expect(!rib.hasPending && rib.drain().isEmpty)
    }

    @Test func `Local preference is nothing new to an external peer`() throws {
        var (rib, _) = try established(try RoutesGround.table(10))
        rib.want(try RoutesGround.table(10, [.ipv4], Route(localPreference: 200)))
        #expect(!rib.hasPending)
        let session = RoutesGround.session(isInternal: true)
        var (inside, peer) = try established(try RoutesGround.table(10), session)
        inside.want(try RoutesGround.table(10, [.ipv4], Route(localPreference: 200)))
        try peer.read(inside.drain())
        #expect(peer.routes.values.allSatisfy { $0.localPreference == 200 })
    }

    @Test func `After the session nothing is told, and the next begins from nothing`() throws {
        var (rib, _) = try established(try RoutesGround.table(10))
        rib.want([(try RoutesGround.prefix(0), nil)])
        rib.end()
        #expect(!rib.hasPending && rib.counts.told == 0 && rib.counts.ipv4.wanted == 9)
        #expect(rib.told(try RoutesGround.prefix(1)) == nil)
        #expect(rib.obstacle(for: try RoutesGround.prefix(1)) == .noSession)
        let session = RoutesGround.session(isInternal: true)
        var peer = RoutesPeer(session)
        rib.establish(session)
        try peer.read(rib.drain())
        #expect(peer.routes.count == 9)
        #expect(peer.routes.values.allSatisfy { $0.localPreference == 100 })
    }

    @Test func `A new next hop is told of its family only, and of none when it comes back`() throws
    {
        var (rib, peer) = try established(try RoutesGround.table(5, [.ipv4, .ipv6]))
        let before = [
            RouteFamily.ipv4: RoutesGround.nextHopIPv4, .ipv6: RoutesGround.nextHopIPv6,
        ]
        var other = before
        other[.ipv4] = NextHop(IPAddress(ipv4: 0xc000_0202))
        rib.update(nextHops: other)
        #expect(rib.counts.ipv4.pending == 5 && rib.counts.ipv6.pending == 0)
        rib.update(nextHops: before)
        #expect(!rib.hasPending)
        rib.update(nextHops: other)
        try peer.read(rib.drain())
        #expect(peer.routes.values.filter { $0.nextHop == other[.ipv4] }.count == 5)
        #expect(peer.heard.count == 1)
    }

    @Test func `What is about to go is marked once, in this session and the next, and unmarked`()
        throws
    {
        var (rib, peer) = try established(try RoutesGround.table(5, [.ipv4, .ipv6]))
        rib.mark(goingAway: true)
        rib.mark(goingAway: true)
        #expect(rib.counts.ipv4.pending == 5 && rib.counts.ipv6.pending == 5)
        try peer.read(rib.drain())
        #expect(
            peer.routes.values.allSatisfy { $0.communities.contains(.gracefulShutdown) })
        rib.end()
        let session = RoutesGround.session()
        peer = RoutesPeer(session)
        rib.establish(session)
        try peer.read(rib.drain())
        #expect(peer.routes.count == 10)
        #expect(
            peer.routes.values.allSatisfy { $0.communities.contains(.gracefulShutdown) })
        rib.mark(goingAway: false)
        try peer.read(rib.drain())
        #expect(
            !peer.routes.values.contains { $0.communities.contains(.gracefulShutdown) })
    }

    @Test func `A family without next hop is withdrawn, explained, and told again with one`() throws
    {
        var (rib, peer) = try established(try RoutesGround.table(5, [.ipv4, .ipv6]))
        rib.update(nextHops: [.ipv6: RoutesGround.nextHopIPv6])
        try peer.read(rib.drain())
        #expect(peer.routes.keys.allSatisfy { $0.family == .ipv6 })
        #expect(rib.obstacle(for: RouteFamily.ipv4) == .noNextHop)
        #expect(rib.obstacle(for: try RoutesGround.prefix(0)) == .noNextHop)
        #expect(rib.obstacle(for: try RoutesGround.prefix(0, .ipv6)) == nil)
        #expect(rib.counts.ipv4.obstructed == 5 && rib.counts.ipv4.wanted == 5)
        rib.update(nextHops: [
            .ipv4: RoutesGround.nextHopIPv4, .ipv6: RoutesGround.nextHopIPv6,
        ])
        try peer.read(rib.drain())
        #expect(peer.routes.count == 10 && rib.counts.ipv4.obstructed == 0)
    }

    @Test func `A family that was not agreed on is not told`() throws {
        let session = RoutesGround.session { $0.families = [.ipv4] }
        var (rib, peer) = try established(try RoutesGround.table(5, [.ipv4, .ipv6]), session)
        #expect(peer.routes.keys.allSatisfy { $0.family == .ipv4 })
        #expect(rib.obstacle(for: RouteFamily.ipv6) == .familyNotAgreed)
        #expect(rib.counts.ipv6.obstructed == 5 && rib.counts.ipv6.updates == 0)
        rib.refresh(.ipv6)
        #expect(!rib.hasPending)
        peer.forgetHeard()
    }

    @Test func `IPv4 routes have an IPv6 next hop only where the peer takes it`() throws {
        var session = RoutesGround.session()
        session.nextHops[.ipv4] = RoutesGround.nextHopIPv6
        let (rib, peer) = try established(try RoutesGround.table(5), session)
        #expect(peer.routes.isEmpty)
        #expect(rib.obstacle(for: RouteFamily.ipv4) == .nextHopNotUnderstood)
        session.parameters.extendedNextHop = [.ipv4]
        var (other, taker) = try established(try RoutesGround.table(5), session)
        #expect(taker.routes.count == 5)
        #expect(taker.routes.values.allSatisfy { $0.nextHop == RoutesGround.nextHopIPv6 })
        other.want(RouteTable())
        try taker.read(other.drain())
        #expect(taker.routes.isEmpty)
    }

    @Test func `A route with more communities than fit a message is withdrawn and explained`()
        throws
    {
        var (rib, peer) = try established(try RoutesGround.table(2))
        let prefix = try RoutesGround.prefix(1)
        let many = Route(communities: (0..<1000).map { StandardCommunity(64496, UInt16($0)) })
        rib.want([(prefix, many)])
        try peer.read(rib.drain())
        #expect(peer.heard == [.withdrawn([prefix])])
        #expect(rib.obstacle(for: prefix) == .attributesTooLong)
        #expect(rib.counts.ipv4.obstructed == 1)
        let wide = RoutesGround.session { $0.maximumLength = 65535 }
        var taker = RoutesPeer(wide)
        rib.establish(wide)
        try taker.read(rib.drain())
        #expect(taker.routes[prefix]?.communities.count == 1000)
    }

    @Test func `Attributes come and go without end and leave nothing behind`() throws {
        var (rib, peer) = try established(try RoutesGround.table(3))
        let prefix = try RoutesGround.prefix(1)
        for round in 0..<2000 {
            rib.want([(prefix, Route(communities: [StandardCommunity(64496, UInt16(round))]))])
            if round % 100 == 99 { try peer.read(rib.drain()) }
        }
        #expect(peer.heard.count == 20)
        #expect(peer.routes[prefix]?.communities == [StandardCommunity(64496, 1999)])
        #expect(rib.counts.ipv4.announcements == 23)
    }

    @Test func `A change among others that keep changing does not wait for them`() throws {
        var (rib, peer) = try established(try RoutesGround.table(3000))
        let communities = [StandardCommunity(64496, 1)]
        var restless = try RoutesGround.table(3000, [.ipv4], Route(communities: communities))
        let patient = try RoutesGround.prefix("203.0.113.1/32")
        restless[patient] = Route(communities: [StandardCommunity(64496, 2)])
        rib.want(restless)
        try peer.read(rib.drain(limit: 4097))
        #expect(peer.heard.count == 2)
        #expect(peer.heard.last == .announced([patient]))
    }
}
