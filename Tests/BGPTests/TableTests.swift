import BGP
import NetworkTypes
import Testing

@Suite struct TableTests {
    @Test func `A table holds what was set last, of prefixes of both families and all lengths`()
        throws
    {
        var table = RouteTable()
        var model: [Prefix: Route] = [:]
        var state: UInt64 = 7
        for _ in 0..<20000 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let family: IPAddress.Family = state >> 60 & 1 == 0 ? .ipv4 : .ipv6
            let bits = family == .ipv4 ? UInt128(state >> 33 & 0xfff) << 20 : UInt128(state >> 40)
            let length = Int(state >> 20 & 0xff) % (family.bitWidth + 1)
            let address = IPAddress(family: family, bits: bits)
            let prefix = try #require(Prefix(address, length: length))
            let route =
                state >> 50 & 3 == 0
                ? nil : Route(localPreference: UInt32(truncatingIfNeeded: state >> 45 & 7))
            table[prefix] = route
            model[prefix] = route
        }
        #expect(table.count == model.count)
        for (prefix, route) in model { #expect(table[prefix] == route) }
        var seen = 0
        table.forEach { prefix, route in
            seen += 1
            #expect(model[prefix] == route)
        }
        #expect(seen == model.count)
        for prefix in model.keys { table[prefix] = nil }
        #expect(table.isEmpty && table == RouteTable())
    }

    @Test func `A prefix and its parts are entries of their own`() throws {
        var table = RouteTable()
        let wide = try RoutesGround.prefix("192.0.2.0/24")
        let narrow = try RoutesGround.prefix("192.0.2.0/25")
        let all = try RoutesGround.prefix("0.0.0.0/0")
        let allIPv6 = try RoutesGround.prefix("::/0")
        table[wide] = Route(localPreference: 1)
        table[narrow] = Route(localPreference: 2)
        table[all] = Route(localPreference: 3)
        #expect(table[allIPv6] == nil)
        table[wide] = nil
        #expect(table[narrow]?.localPreference == 2 && table[all]?.localPreference == 3)
        #expect(table.count == 2)
    }

    @Test func `Tables are equal when they say the same, whatever their history`() throws {
        var one = RouteTable()
        var other = RouteTable()
        let marked = Route(communities: [StandardCommunity(64496, 2), StandardCommunity(64496, 1)])
        for index in 0..<100 { one[try RoutesGround.prefix(index)] = Route() }
        one[try RoutesGround.prefix(5)] = marked
        other[try RoutesGround.prefix(200)] = marked
        for index in (0..<100).reversed() {
            other[try RoutesGround.prefix(index)] = index == 5 ? marked : Route()
        }
        #expect(one != other)
        other[try RoutesGround.prefix(200)] = nil
        #expect(one == other)
        other[try RoutesGround.prefix(6)] = marked
        #expect(one != other)
    }

    @Test func `A copy of a table stays as it was`() throws {
        var table = try RoutesGround.table(10, [.ipv4, .ipv6])
        let copy = table
        table[try RoutesGround.prefix(3)] = nil
        table[try RoutesGround.prefix(4, .ipv6)] = Route(localPreference: 1)
        #expect(copy.count == 20 && table.count == 19)
        #expect(copy[try RoutesGround.prefix(4, .ipv6)] == Route())
    }

    @Test func `Communities of a route are in order and each there once`() {
        let route = Route(
            communities: [.gracefulShutdown, StandardCommunity(1, 2), .gracefulShutdown],
            largeCommunities: [LargeCommunity(2, 0, 0), LargeCommunity(1, 9, 9)])
        #expect(route.communities == [StandardCommunity(1, 2), .gracefulShutdown])
        #expect(route.largeCommunities == [LargeCommunity(1, 9, 9), LargeCommunity(2, 0, 0)])
        #expect(route.adding(.gracefulShutdown) == route)
        #expect(Route().adding(.gracefulShutdown).communities == [.gracefulShutdown])
    }
}
