import BGP
import NetworkTypes
import Testing

/// Cutting a stream of bytes into messages.
@Suite("Message framer")
struct WireFramerTests {
    private func drain(
        _ framer: inout MessageFramer, _ context: DecodingContext
    ) throws -> [BGPMessage] {
        var messages: [BGPMessage] = []
        while let message = try framer.next(context) { messages.append(message) }
        return messages
    }

    @Test(
        "Messages are found however the stream is cut", arguments: [1, 2, 3, 7, 18, 19, 64, 4096])
    func pieces(size: Int) throws {
        let names = ["open-capabilities", "keepalive", "update-ipv4", "update-ipv6", "keepalive"]
        let context = WireFixture.context("")
        let fixtures = try names.map { try WireFixture($0) }
        let stream = fixtures.flatMap(\.bytes)
        var framer = MessageFramer()
        var messages: [BGPMessage] = []
        for start in stride(from: 0, to: stream.count, by: size) {
            let piece = Array(stream[start..<min(start + size, stream.count)])
            framer.append(piece.span)
            messages += try drain(&framer, context)
            #expect(framer.pendingCount < 4096)
        }
        #expect(messages == (try fixtures.compactMap { try decode($0.bytes, context) }))
        #expect(framer.pendingCount == 0)
    }

    @Test("A wrong header is refused before the rest of its message is there")
    func earlyRefusal() throws {
        var framer = MessageFramer()
        let header = [UInt8](repeating: 0xff, count: 16) + [0x10, 0x01, 2]
        framer.append(header.span)
        let error = #expect(throws: MessageFault.self) { try framer.next(DecodingContext()) }
        #expect(error?.notification == .init(code: 1, subcode: 2, data: [0x10, 0x01]))
    }

    @Test("What came before a fault is still delivered")
    func deliveredBeforeFault() throws {
        var framer = MessageFramer()
        let stream = try WireFixture("keepalive").bytes + [UInt8](repeating: 0, count: 19)
        framer.append(stream.span)
        #expect(try framer.next(DecodingContext()) == .keepalive)
        #expect(throws: MessageFault.self) { try framer.next(DecodingContext()) }
    }

    @Test("A message that is to be ignored does not hide the next one")
    func ignored() throws {
        let unknown = try #require(
            try WireMalformedCase.all().first { $0.name == "refresh-subtype" })
        var framer = MessageFramer()
        framer.append((unknown.bytes + (try WireFixture("keepalive").bytes)).span)
        #expect(try framer.next(WireFixture.context("")) == .keepalive)
    }

    @Test("More than 4096 bytes are for sessions with extended messages, and never for OPEN")
    func extendedMessages() throws {
        var attributes = PathAttributes()
        attributes.origin = .igp
        attributes.asPath = []
        attributes.nextHop = NextHop(try address("192.0.2.1"))
        let prefixes = try (0..<2000).map { number in
            try #require(Prefix(IPAddress(ipv4: 0xc612_0000 + number), length: 32))
        }
        var context = WireFixture.context("")
        context.maximumLength = 65535
        let message = BGPMessage.update(
            UpdateMessage(announced: prefixes, attributes: attributes))
        let bytes = message.encoded(context: context)
        #expect(bytes.count > 4096)
        #expect(try decode(bytes, context) == message)
        #expect(throws: MessageFault.self) { try decode(bytes, WireFixture.context("")) }

        var open = try WireFixture("open-plain").bytes + [UInt8](repeating: 0, count: 4100)
        open[16] = UInt8(open.count >> 8)
        open[17] = UInt8(open.count & 0xff)
        let error = #expect(throws: MessageFault.self) { try decode(open, context) }
        #expect(error?.notification.code == 1 && error?.notification.subcode == 2)
    }
}
