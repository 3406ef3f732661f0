import NetworkTypes
import Testing

@testable import BGP

/// What an Adj-RIB-Out holds grows with what is wanted and told at one time, not with what ever
/// was.
@Suite struct RoutesBoundTests {
    private let session = RoutesGround.session()

    @Test func `Routes and attributes that went out of use are forgotten`() throws {
        var family = OutboundFamily<UInt32>(.ipv4)
        family.isPlanned = true
        family.establish(session)
        for round in 0..<500 {
            let route = Route(communities: [StandardCommunity(64496, UInt16(round))])
            family.want(try RoutesGround.prefix(round % 7), route)
            var changed = session
            changed.nextHops[.ipv4] = NextHop(IPAddress(ipv4: 0xc000_0200 + UInt32(round % 200)))
            if round % 3 == 0 { family.update(changed) }
            var bytes: [UInt8] = []
            if round % 5 == 0 { while family.writeNext(into: &bytes) {} }
        }
        #expect(family.routes.bound <= 8)
        // Seven that are wanted and seven that were told, each twice while next hops change.
        #expect(family.attributes.bound <= 28)
    }

    @Test func `Tables that replace each other leave nothing behind`() throws {
        var family = OutboundFamily<UInt32>(.ipv4)
        family.establish(session)
        for round in 0..<50 {
            var table = RouteTable()
            for index in round..<round + 20 {
                let route = Route(communities: [StandardCommunity(64496, UInt16(index))])
                table[try RoutesGround.prefix(index)] = route
            }
            family.want(table.ipv4, table.routes)
            var bytes: [UInt8] = []
            while family.writeWithdrawals(into: &bytes) || family.writeNext(into: &bytes) {}
        }
        #expect(family.counts.wanted == 20 && family.counts.told == 20)
        #expect(family.store.bound <= 41 && family.routes.bound <= 41)
        #expect(family.attributes.bound <= 61)
    }

    @Test func `When nothing is wanted or told any more, nothing is held`() throws {
        var family = OutboundFamily<UInt32>(.ipv4)
        family.establish(session)
        let table = try RoutesGround.table(1000)
        family.want(table.ipv4, table.routes)
        var bytes: [UInt8] = []
        while family.writeNext(into: &bytes) {}
        family.want(RouteTable().ipv4, RouteTable().routes)
        while family.writeWithdrawals(into: &bytes) {}
        #expect(family.store.bound == 0 && family.links.isEmpty && !family.hasPending)
        #expect(family.routes.uses(of: 0) == 0 && family.attributes.uses(of: 0) == 0)
    }
}
