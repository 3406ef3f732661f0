import BGP
import NetworkTypes
import Testing

/// Messages as bytes and as values.
@Suite("Wire vectors")
struct WireVectorTests {
    private static let mandatory: PathAttributes = {
        var attributes = PathAttributes()
        attributes.origin = .igp
        attributes.asPath = [.init(.sequence, [64496])]
        attributes.nextHop = NextHop(IPAddress(ipv4: 0xc000_0201))
        return attributes
    }()

    private static let router: UInt32 = 0xc000_0201

    private static func v6(_ text: String) -> IPAddress {
        IPAddress(text) ?? .unspecifiedIPv6
    }

    private static func updates() throws -> [String: UpdateMessage] {
        let v4 = try prefix("198.51.100.0/24")
        let v6Route = try prefix("2001:db8:64::/48")
        var global = mandatory
        global.nextHop = NextHop(v6("2001:db8::1"))
        var both = mandatory
        both.nextHop = NextHop(v6("2001:db8::1"), linkLocal: v6("fe80::1"))
        var local = mandatory
        local.nextHop = NextHop(v6("fe80::1"))
        var wide = mandatory
        wide.asPath = [.init(.sequence, [64496, 65536, 64500])]
        wide.aggregator = .init(number: 65537, routerID: 0xc000_0209)
        return [
            "update-ipv4": UpdateMessage(
                announced: [v4, try prefix("203.0.113.128/25"), try prefix("198.18.0.1/32")],
                attributes: mandatory),
            "update-ipv6": UpdateMessage(
                announced: [v6Route, try prefix("2001:db8::5/128")], attributes: both),
            "update-ipv6-link-local": UpdateMessage(announced: [v6Route], attributes: local),
            "update-extended-next-hop": UpdateMessage(announced: [v4], attributes: global),
            "update-withdraw": UpdateMessage(
                withdrawn: [v4, try prefix("203.0.113.0/24"), v6Route]),
            "update-mixed": UpdateMessage(
                withdrawn: [try prefix("203.0.113.0/24")], announced: [v4],
                attributes: mandatory),
            "update-two-octet": UpdateMessage(announced: [v4], attributes: wide),
            "end-of-rib-ipv4": UpdateMessage(endOfRIB: .ipv4),
            "end-of-rib-ipv6": UpdateMessage(endOfRIB: .ipv6),
        ]
    }

    private static let capabilities: [Capability] = [
        .multiprotocol(.ipv4), .multiprotocol(.ipv6), .routeRefresh,
        .extendedNextHop([.init(family: .ipv4, nextHopAFI: 2)]), .extendedMessage,
        .role(.customer),
        .gracefulRestart(
            .init(
                isRestarting: true, keepsOnNotification: true, restartTime: 120,
                families: [
                    .init(.ipv4, isForwardingPreserved: true),
                    .init(.ipv6, isForwardingPreserved: false),
                ])),
        .fourOctetAS(65536), .enhancedRouteRefresh,
        .unknown(code: 73, value: [2, 0x72, 0x31, 0]),
    ]

    private static func open(
        _ capabilities: [Capability], number: UInt16 = 64496, holdTime: UInt16 = 90
    ) -> BGPMessage {
        .open(
            OpenMessage(
                myAS: number, holdTime: holdTime, routerID: router, capabilities: capabilities))
    }

    private static func expected() throws -> [String: BGPMessage] {
        let text = Array("maintenance until 12:00 – Grüße".utf8)
        var messages: [String: BGPMessage] = [
            "open-plain": open([]),
            "open-capabilities": open(capabilities, number: 23456),
            "open-parameters": open([
                .multiprotocol(.ipv4), .multiprotocol(.ipv6), .routeRefresh, .fourOctetAS(64496),
            ]),
            "open-extended": open(
                [.multiprotocol(.ipv4)]
                    + (0..<3).map {
                        .unknown(code: 200 + $0, value: Array(repeating: $0, count: 100))
                    }, holdTime: 180),
            "open-odd-capabilities": open([
                .unknown(code: 1, value: [0, 1, 0]), .unknown(code: 2, value: [0x78]),
                .unknown(code: 5, value: [0, 1, 0, 1]), .unknown(code: 9, value: [9]),
                .unknown(code: 64, value: [0]), .unknown(code: 65, value: [0, 0, 1]),
            ]),
            "keepalive": .keepalive,
            "notification-shutdown": .notification(
                .init(code: 6, subcode: 2, data: [UInt8(text.count)] + text)),
            "notification-hard-reset": .notification(
                .hardReset(of: .cease(.administrativeReset, text: "soon"))),
            "notification-prefixes": .notification(.maximumPrefixes(.ipv6, limit: 1000)),
            "notification-capability": .notification(
                .unsupportedCapability(missing: [.multiprotocol(.ipv6)])),
            "notification-bfd": .notification(.cease(.bfdDown)),
            "refresh": .routeRefresh(.init(family: .ipv6, kind: .request)),
            "refresh-end": .routeRefresh(.init(family: .ipv4, kind: .end)),
        ]
        for (name, message) in try updates() { messages[name] = .update(message) }
        return messages
    }

    @Test("A message is read as what it means", arguments: try WireFixture.all())
    func decoding(fixture: WireFixture) throws {
        guard fixture.name != "update-all-attributes" else { return }
        let expected = try #require(try Self.expected()[fixture.name])
        #expect(try decode(fixture.bytes, fixture.context) == expected)
    }

    @Test(
        "What is read is written as the bytes that it came from", arguments: try WireFixture.all())
    func encoding(fixture: WireFixture) throws {
        // Others may write the same in another way: a parameter for each capability, no global
        // next hop told twice, attributes in another order, an AS4_PATH of a part of the path.
        let ways = [
            "open-parameters", "update-ipv6-link-local", "update-all-attributes",
            "update-two-octet",
        ]
        let message = try #require(try decode(fixture.bytes, fixture.context))
        let written = message.encoded(context: fixture.context)
        if !ways.contains(fixture.name) { #expect(written == fixture.bytes) }
        #expect(try decode(written, fixture.context) == message)
    }

    @Test("Every attribute is read, also those that have no meaning here")
    func allAttributes() throws {
        let fixture = try WireFixture("update-all-attributes")
        let message = try decodeUpdate(fixture.bytes, fixture.context)
        let attributes = message.attributes
        #expect(message.faults.isEmpty)
        #expect(message.announced == [try prefix("198.51.100.0/24")])
        #expect(attributes.origin == .igp)
        #expect(
            attributes.asPath == [.init(.sequence, [64496, 65536]), .init(.set, [64500, 64501])])
        #expect(attributes.nextHop == NextHop(try address("192.0.2.1")))
        #expect(attributes.multiExitDiscriminator == 5)
        #expect(attributes.localPreference == 100)
        #expect(attributes.isAtomicAggregate)
        #expect(attributes.aggregator == .init(number: 65536, routerID: 0xc000_0209))
        #expect(attributes.communities == [.gracefulShutdown, StandardCommunity(64496, 100)])
        #expect(attributes.originatorID == 0xc000_0207)
        #expect(attributes.clusterList == [0xc000_0208, 0xc000_0209])
        #expect(attributes.extendedCommunities == [.init(bits: 0x0002_fbf0_0000_0064)])
        #expect(
            attributes.largeCommunities == Array(repeating: LargeCommunity(65536, 1, 2), count: 30))
        #expect(attributes.onlyToCustomer == 64496)
        #expect(attributes.unknown.map(\.type) == [22, 25, 128, 99])
        #expect(attributes.unknown.last == .init(flags: 0xe0, type: 99, value: Array("what".utf8)))
    }

    @Test("An AGGREGATOR of a known AS makes both wide attributes outdated")
    func outdatedWideNumbers() throws {
        // RFC 6793 §4.2.3: an old speaker aggregated and did not know of them.
        var bytes = try WireFixture("update-two-octet").bytes
        let place = try #require(
            bytes.indices.first { bytes[$0...].starts(with: [0xc0, 7, 6, 0x5b, 0xa0]) })
        bytes[place + 3] = 0xfb
        bytes[place + 4] = 0xf5
        let attributes = try decodeUpdate(bytes, WireFixture.context("update-two-octet")).attributes
        #expect(attributes.asPath == [.init(.sequence, [64496, 23456, 64500])])
        #expect(attributes.aggregator == .init(number: 64501, routerID: 0xc000_0209))
    }
}
