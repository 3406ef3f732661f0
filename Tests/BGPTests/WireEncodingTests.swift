import BGP
import NetworkTypes
import Testing

/// What we send, byte for byte where the standards leave no choice.
@Suite("Encoding")
struct WireEncodingTests {
    private func attributes() throws -> PathAttributes {
        var attributes = PathAttributes()
        attributes.origin = .igp
        attributes.asPath = [.init(.sequence, [65536, 64500])]
        attributes.nextHop = NextHop(try address("192.0.2.1"))
        return attributes
    }

    @Test("Capabilities of more than 255 bytes make lengths of two octets, fewer do not")
    func extendedParameters() throws {
        for size in [0, 100, 240, 251, 252, 253, 255] {
            let open = BGPMessage.open(
                OpenMessage(
                    myAS: 64496, holdTime: 90, routerID: 1,
                    capabilities: [
                        .unknown(code: 200, value: Array(repeating: 7, count: size))
                    ]))
            let bytes = open.encoded(context: DecodingContext())
            #expect((bytes[28] == 255 && bytes[29] == 255) == (size > 251), "\(size)")
            #expect(try decode(bytes) == open, "\(size)")
        }
    }

    @Test("To a peer of two-octet AS numbers, AS_TRANS and AS4_PATH go together")
    func twoOctets() throws {
        let update = UpdateMessage(
            announced: [try prefix("198.51.100.0/24")], attributes: try attributes())
        let context = WireFixture.context("update-two-octet")
        let bytes = BGPMessage.update(update).encoded(context: context)
        let path: [UInt8] = [0x40, 2, 6, 2, 2, 0x5b, 0xa0, 0xfb, 0xf4]
        let wide: [UInt8] = [0xc0, 17, 10, 2, 2, 0, 1, 0, 0, 0, 0, 0xfb, 0xf4]
        #expect(bytes.contains(path))
        #expect(bytes.contains(wide))
        #expect(try decodeUpdate(bytes, context) == update)

        var narrow = update
        narrow.attributes.asPath = [.init(.sequence, [64496])]
        let plain = BGPMessage.update(narrow).encoded(context: context)
        #expect(plain.count == 19 + 4 + 4 + 7 + 7 + 4, "AS4_PATH where nothing needs it")
    }

    @Test("A path of more than 255 numbers is cut into segments")
    func longPath() throws {
        var update = UpdateMessage(
            announced: [try prefix("198.51.100.0/24")], attributes: try attributes())
        let numbers = (0..<600).map { UInt32(64496 + $0 % 16) }
        update.attributes.asPath = [.init(.sequence, numbers)]
        let context = WireFixture.context("")
        let path = try decodeUpdate(
            BGPMessage.update(update).encoded(context: context), context
        ).attributes.asPath
        #expect(path?.map(\.numbers.count) == [255, 255, 90])
        #expect(path?.flatMap(\.numbers) == numbers)
    }

    @Test("Attributes go out in the order of their types, MP_REACH_NLRI before all")
    func order() throws {
        var message = UpdateMessage(
            announced: [try prefix("2001:db8:64::/48")], attributes: try attributes())
        message.attributes.nextHop = NextHop(try address("2001:db8::1"))
        message.attributes.localPreference = 100
        message.attributes.communities = [.gracefulShutdown]
        message.attributes.largeCommunities = [LargeCommunity(64496, 1, 2)]
        message.attributes.onlyToCustomer = 64496
        let bytes = BGPMessage.update(message).encoded(context: WireFixture.context(""))
        var types: [UInt8] = []
        var offset = 23
        while offset < bytes.count {
            types.append(bytes[offset + 1])
            let isLong = bytes[offset] & 0x10 != 0
            offset +=
                isLong
                ? 4 + Int(bytes[offset + 2]) << 8 + Int(bytes[offset + 3])
                : 3 + Int(bytes[offset + 2])
        }
        #expect(types == [14, 1, 2, 5, 8, 32, 35])
    }

    @Test("Prefixes of every length are written in as few bytes as they need")
    func prefixes() throws {
        for family in IPAddress.Family.allCases {
            for length in 0...family.bitWidth {
                let address = IPAddress(family: family, bits: family.maximum / 5)
                let prefix = try #require(Prefix(address, length: length))
                var bytes: [UInt8] = []
                NLRI.append(prefix, to: &bytes)
                #expect(bytes.count == NLRI.encodedLength(prefix))
                #expect(bytes.count == 1 + (length + 7) / 8)
                #expect(try NLRI.decode(bytes.span, family: family) == [prefix])
            }
        }
    }

    @Test("Bits beyond a prefix's length are not part of it")
    func bitsBeyond() throws {
        let bytes: [UInt8] = [20, 198, 51, 0xff]
        #expect(try NLRI.decode(bytes.span, family: .ipv4) == [try prefix("198.51.240.0/20")])
    }

    @Test("The data of our NOTIFICATIONs is what the standards want")
    func notificationData() {
        #expect(NotificationMessage.unsupportedVersion.data == [0, 4])
        #expect(NotificationMessage.badPeerAS(64496, isFourOctets: false).data == [0xfb, 0xf0])
        #expect(NotificationMessage.badPeerAS(65536, isFourOctets: true).data == [0, 1, 0, 0])
        #expect(NotificationMessage.unacceptableHoldTime(2).data == [0, 2])
        #expect(
            NotificationMessage.unsupportedCapability(missing: [.multiprotocol(.ipv4)]).data
                == [1, 4, 0, 1, 0, 1])
        #expect(
            NotificationMessage.maximumPrefixes(.ipv4, limit: 10).data == [0, 1, 1, 0, 0, 0, 10])
        #expect(
            NotificationMessage.hardReset(of: .cease(.bfdDown))
                == .init(code: 6, subcode: 9, data: [6, 10]))
        #expect(NotificationMessage.roleMismatch == .init(code: 2, subcode: 11))
        #expect(NotificationMessage.unexpectedMessage(in: .established).subcode == 3)
    }

    @Test("A NOTIFICATION is cut to what a message can hold")
    func longNotification() throws {
        let message = NotificationMessage(
            code: 6, subcode: 9, data: Array(repeating: 1, count: 10000))
        let bytes = BGPMessage.notification(message).encoded(context: DecodingContext())
        #expect(bytes.count == 4096)
        #expect(try decode(bytes) != nil)
    }
}
