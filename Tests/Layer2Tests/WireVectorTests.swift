import Layer2
import NetworkTypes
import Testing

private let virtual4 = Cast.address(.ipv4)
private let virtual6 = Cast.address(.ipv6)
private let client4 = Cast.clientAddress(.ipv4)
private let client6 = Cast.clientAddress(.ipv6)
private let group6 = IPAddress("ff02::1:ff00:10") ?? .allNodesMulticast
private let router6 = IPAddress("fe80::99") ?? .unspecifiedIPv6

@Suite("Frames on the wire")
struct WireVectorTests {
    static let arp: [(String, ARPPacket)] = [
        ("arp-request-broadcast", request(Cast.client, client4, virtual4)),
        ("arp-request-unicast", request(Cast.client, client4, virtual4)),
        ("arp-request-priority-tag", request(Cast.client, client4, virtual4)),
        ("arp-probe", request(Cast.client, .unspecifiedIPv4, virtual4)),
        ("arp-announcement-request", request(Cast.speaker, virtual4, virtual4)),
        ("arp-own-probe", request(Cast.speaker, .unspecifiedIPv4, virtual4)),
        ("arp-reply", reply(virtual4, to: Cast.client, client4)),
        ("arp-reply-to-probe", reply(virtual4, to: Cast.client, .unspecifiedIPv4)),
        ("arp-announcement-reply", reply(virtual4, to: Cast.speaker, virtual4)),
    ]

    static let solicitations: [(String, NeighborSolicitation)] = [
        ("ns-multicast", solicit(client6, group6, Cast.client)),
        ("ns-priority-tag", solicit(client6, group6, Cast.client)),
        ("ns-unicast", solicit(client6, virtual6, nil)),
        ("ns-without-option", solicit(client6, group6, nil)),
        ("ns-probe", solicit(.unspecifiedIPv6, group6, nil)),
        ("ns-own-probe", solicit(.unspecifiedIPv6, group6, nil)),
    ]

    static let advertisements: [(String, NeighborAdvertisement)] = [
        (
            "na-solicited",
            NeighborAdvertisement(
                source: virtual6, destination: client6, target: virtual6, isSolicited: true,
                isOverride: true, targetLinkLayerAddress: Cast.speaker)
        ),
        (
            "na-announcement",
            NeighborAdvertisement(
                source: virtual6, destination: .allNodesMulticast, target: virtual6,
                isSolicited: false, isOverride: true, targetLinkLayerAddress: Cast.speaker)
        ),
        (
            "na-router",
            NeighborAdvertisement(
                source: router6, destination: .allNodesMulticast, target: router6, isRouter: true,
                isSolicited: false, isOverride: true, targetLinkLayerAddress: Cast.client)
        ),
    ]

    @Test("An ARP packet means what its bytes say and encodes to the same bytes", arguments: arp)
    func arpBothWays(name: String, packet: ARPPacket) throws {
        let fixture = try Fixture(name)
        #expect(try Frames.decodeARP(fixture.bytes) == packet)
        try expect(fixture) { packet.encode(to: $0, from: $1, into: &$2) }
    }

    @Test(
        "A neighbor solicitation means what its bytes say and encodes to the same bytes",
        arguments: solicitations)
    func solicitationBothWays(name: String, message: NeighborSolicitation) throws {
        let fixture = try Fixture(name)
        #expect(try NeighborSolicitation(Frames.decodeDiscovery(fixture.bytes)) == message)
        try expect(fixture) { message.encode(to: $0, from: $1, into: &$2) }
    }

    @Test(
        "A neighbor advertisement means what its bytes say and encodes to the same bytes",
        arguments: advertisements)
    func advertisementBothWays(name: String, message: NeighborAdvertisement) throws {
        let fixture = try Fixture(name)
        #expect(try NeighborAdvertisement(Frames.decodeDiscovery(fixture.bytes)) == message)
        try expect(fixture) { message.encode(to: $0, from: $1, into: &$2) }
    }

    @Test("Options that the reader does not know are passed over")
    func unknownOption() throws {
        let fixture = try Fixture("ns-probe-nonce")
        #expect(
            try NeighborSolicitation(Frames.decodeDiscovery(fixture.bytes))
                == Self.solicit(.unspecifiedIPv6, group6, nil))
    }

    @Test("A frame of another VLAN is refused")
    func otherVLAN() throws {
        let fixture = try Fixture("arp-request-vlan-7")
        #expect(throws: DecodeError.otherVLAN) { try Frames.decodeARP(fixture.bytes) }
    }

    /// Encodes with the fixture's own link-layer addresses; the priority tag and the padding of the
    /// fixture are the switch's and the interface's.
    private func expect(
        _ fixture: Fixture, encode: (MACAddress, MACAddress, inout FrameBuffer) -> Void
    ) throws {
        let destination = try #require(MACAddress(bytes: Array(fixture.bytes[0..<6])))
        let source = try #require(MACAddress(bytes: Array(fixture.bytes[6..<12])))
        var frame = FrameBuffer()
        encode(destination, source, &frame)
        var expected = fixture.bytes
        if expected[12...13] == [0x81, 0x00] { expected.removeSubrange(12..<16) }
        #expect(frame.bytes == Array(expected.prefix(frame.count)))
        #expect(expected.dropFirst(frame.count).allSatisfy { $0 == 0 })
    }

    private static func request(
        _ hardware: MACAddress, _ sender: IPAddress, _ target: IPAddress
    ) -> ARPPacket {
        ARPPacket(
            operation: .request, senderHardware: hardware, senderAddress: sender,
            targetHardware: .zero, targetAddress: target)
    }

    private static func reply(
        _ address: IPAddress, to hardware: MACAddress, _ asker: IPAddress
    ) -> ARPPacket {
        ARPPacket(
            operation: .reply, senderHardware: Cast.speaker, senderAddress: address,
            targetHardware: hardware, targetAddress: asker)
    }

    private static func solicit(
        _ source: IPAddress, _ destination: IPAddress, _ hardware: MACAddress?
    ) -> NeighborSolicitation {
        NeighborSolicitation(
            source: source, destination: destination, target: virtual6,
            sourceLinkLayerAddress: hardware)
    }
}
