import BGP
import NetworkTypes
import Testing

/// The bytes of messages, and how full they are.
@Suite struct PackingTests {
    private func first(
        _ table: RouteTable, _ session: OutboundSession = RoutesGround.session()
    ) -> [UInt8] {
        var rib = AdjRIBOut()
        rib.want(table)
        rib.establish(session)
        return rib.drain(limit: 1)
    }

    private func one(_ text: String, _ route: Route = Route()) throws -> RouteTable {
        var table = RouteTable()
        table[try RoutesGround.prefix(text)] = route
        return table
    }

    private func hex(_ bytes: [UInt8]) -> String {
        bytes.map {
            String($0 >> 4, radix: 16) + String($0 & 15, radix: 16)
        }.joined()
    }

    private let marker = String(repeating: "ff", count: 16)

    @Test func `An IPv4 route to an external peer is these bytes`() throws {
        let route = Route(
            localPreference: 200, communities: [StandardCommunity(64496, 1), .gracefulShutdown],
            largeCommunities: [LargeCommunity(64496, 2, 3)])
        let message = first(try one("203.0.113.128/25", route))
        #expect(
            hex(message) == marker + "004a" + "02" + "0000" + "002e"
                + "40010100" + "4002060201" + "0000fbf0" + "400304c0000201"
                + "c00808" + "fbf00001" + "ffff0000"
                + "c0200c" + "0000fbf0" + "00000002" + "00000003" + "19cb007180")
    }

    @Test func `An IPv4 route to an internal peer is these bytes`() throws {
        let message = first(
            try one("203.0.113.7/32"), RoutesGround.session(isInternal: true))
        #expect(
            hex(message) == marker + "0031" + "02" + "0000" + "0015"
                + "40010100" + "400200" + "400304c0000201" + "40050400000064" + "20cb007107")
    }

    @Test func `An IPv6 route has its prefixes in the first attribute`() throws {
        var session = RoutesGround.session { $0.families = [.ipv6] }
        session.nextHops[.ipv6]?.linkLocal = IPAddress(
            family: .ipv6, bits: 0xfe80_0000_0000_0000_0000_0000_0000_0001)
        let message = first(try one("2001:db8:5::/48"), session)
        #expect(
            hex(message) == marker + "0054" + "02" + "0000" + "003d"
                + "900e" + "002c" + "000201" + "20" + "20010db8000000000000000000000001"
                + "fe800000000000000000000000000001" + "00" + "3020010db80005"
                + "40010100" + "4002060201" + "0000fbf0")
    }

    @Test func `A peer with AS numbers of two octets gets ours in a second attribute`() throws {
        var session = RoutesGround.session { $0.hasFourOctetAS = false }
        session.localAS = 65_536_001
        let message = hex(first(try one("203.0.113.7/32"), session))
        #expect(message.contains("40020402015ba0"))
        #expect(message.contains("c01106020103e80001"))
        session.localAS = 64496
        let plain = hex(first(try one("203.0.113.7/32"), session))
        #expect(plain.contains("4002040201fbf0") && !plain.contains("c011"))
    }

    @Test func `Withdrawals and End-of-RIB are these bytes`() throws {
        var rib = AdjRIBOut()
        var table = try one("203.0.113.7/32")
        table[try RoutesGround.prefix("2001:db8::/32")] = Route()
        rib.want(table)
        rib.establish(RoutesGround.session())
        let initial = hex(rib.drain())
        let endIPv4 = marker + "0017" + "02" + "0000" + "0000"
        let endIPv6 = marker + "001e" + "02" + "0000" + "0007" + "900f0003000201"
        #expect(initial.hasSuffix(endIPv4 + endIPv6))
        rib.want(RouteTable())
        #expect(
            hex(rib.drain()) == marker + "001c" + "02" + "0005" + "20cb007107" + "0000"
                + marker + "0023" + "02" + "0000" + "000c" + "900f00080002012020010db8")
    }

    /// RFC 9234 §5, egress rule 1.
    @Test(arguments: [
        (PeerRole.provider, true), (.peer, true), (.routeServer, true), (.customer, false),
        (.routeServerClient, false),
    ])
    func `Only to Customer is set towards customers, peers and clients`(
        role: PeerRole, isMarked: Bool
    ) throws {
        let prefix = try RoutesGround.prefix(0)
        for isInternal in [false, true] {
            var rib = AdjRIBOut()
            rib.want(try RoutesGround.table(1))
            rib.establish(RoutesGround.session(isInternal: isInternal, role: role))
            _ = rib.drain()
            let told = try #require(rib.told(prefix))
            #expect(told.onlyToCustomer == (isMarked && !isInternal ? 64496 : nil))
        }
    }

    @Test(arguments: [4096, 65535], [IPAddress.Family.ipv4, .ipv6])
    func `Messages are filled to the agreed length`(
        maximum: Int, family: IPAddress.Family
    ) throws {
        let count = 30000
        let session = RoutesGround.session {
            $0.maximumLength = maximum
            $0.families = [RouteFamily(family)]
        }
        var rib = AdjRIBOut()
        var peer = RoutesPeer(session)
        rib.want(try RoutesGround.table(count, [family]))
        rib.establish(session)
        for isWithdrawal in [false, true] {
            if isWithdrawal { rib.want(RouteTable()) }
            let bytes = rib.drain()
            let lengths = messageLengths(bytes)
            let size = 1 + family.byteWidth
            for length in lengths.dropLast(isWithdrawal ? 1 : 2) {
                #expect(length > maximum - size && length <= maximum)
            }
            let overhead = 80 * lengths.count
            #expect(bytes.count <= count * size + overhead)
            try peer.read(bytes)
            #expect(peer.routes.count == (isWithdrawal ? 0 : count))
        }
    }

    private func messageLengths(_ bytes: [UInt8]) -> [Int] {
        var lengths: [Int] = []
        var offset = 0
        while offset < bytes.count {
            lengths.append(Int(bytes[offset + 16]) << 8 | Int(bytes[offset + 17]))
            offset += lengths[lengths.count - 1]
        }
        return lengths
    }

    @Test func `A buffer takes whole messages until it holds the limit`() throws {
        var rib = AdjRIBOut()
        let session = RoutesGround.session()
        var peer = RoutesPeer(session)
        rib.want(try RoutesGround.table(5000))
        rib.establish(session)
        var buffer: [UInt8] = [1, 2, 3]
        rib.write(into: &buffer, limit: 3)
        #expect(buffer == [1, 2, 3])
        rib.write(into: &buffer, limit: 5000)
        #expect(buffer.count >= 5000 && buffer.count < 5000 + 4096)
        try peer.read(Array(buffer.dropFirst(3)))
        #expect(rib.counts.told == peer.routes.count && rib.hasPending)
        while rib.hasPending { try peer.read(rib.drain(limit: 4096)) }
        #expect(peer.routes.count == 5000)
    }

    @Test func `Routes that the peer cannot tell apart share a message`() throws {
        var table = try RoutesGround.table(10)
        for index in 0..<5 {
            table[try RoutesGround.prefix(index)] = Route(localPreference: UInt32(index))
        }
        var rib = AdjRIBOut()
        rib.want(table)
        rib.establish(RoutesGround.session { $0.families = [.ipv4] })
        _ = rib.drain()
        #expect(rib.counts.updates == 2)
    }
}
