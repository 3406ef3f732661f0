import NetworkTypes
import Testing

@testable import BGP

/// What an onlooker makes of two streams of bytes.
@Suite struct ObservedSessionTests {
    private static func open(
        _ asn: UInt32, _ capabilities: [Capability] = [], wide: Bool = true
    ) -> BGPMessage {
        .open(
            OpenMessage(
                myAS: asn > 65535 ? 23456 : UInt16(asn), holdTime: 90,
                routerID: 0xc000_0200 + asn % 200,
                capabilities: capabilities + (wide ? [.fourOctetAS(asn)] : [])))
    }

    private static func update(_ path: [UInt32], local: UInt32? = nil) throws -> BGPMessage {
        var attributes = PathAttributes()
        attributes.origin = .igp
        attributes.asPath = path.isEmpty ? [] : [.init(.sequence, path)]
        attributes.nextHop = NextHop(try #require(IPAddress("192.0.2.1")))
        attributes.localPreference = local
        return .update(
            UpdateMessage(
                announced: [try #require(Prefix("198.51.100.0/24"))], attributes: attributes))
    }

    private static func bytes(_ message: BGPMessage, wide: Bool = true, longest: Int = 4096)
        -> [UInt8]
    {
        message.encoded(
            context: DecodingContext(hasFourOctetAS: wide, maximumLength: longest))
    }

    private static func messages(_ events: [ObservedStream.Event]) -> [BGPMessage] {
        events.compactMap { if case .message(let message, _) = $0 { message } else { nil } }
    }

    @Test("messages come out whole however the bytes are cut", arguments: 1...24)
    func cuts(size: Int) throws {
        let sent = [Self.open(64500), .keepalive, try Self.update([64500, 65551])]
        let stream = sent.flatMap { Self.bytes($0) }
        var session = ObservedSession(hasBeginning: true)
        var seen: [BGPMessage] = []
        for start in stride(from: 0, to: stream.count, by: size) {
            let piece = Array(stream[start..<min(start + size, stream.count)])
            seen += Self.messages(session.take(piece, from: .one))
        }
        #expect(seen == sent)
    }

    @Test("what the two agreed on is learnt from both OPENs and not before")
    func agreement() throws {
        var session = ObservedSession(hasBeginning: true)
        _ = session.take(Self.bytes(Self.open(64500)), from: .one)
        #expect(session.isGuessed)
        _ = session.take(Self.bytes(Self.open(64501)), from: .other)
        #expect(!session.isGuessed)
        // LOCAL_PREF has no place between ASes (RFC 7606 §7.5).
        let sent = try Self.update([64500], local: 200)
        let events = session.take(Self.bytes(sent), from: .one)
        guard case .message(.update(let update), _) = events.first else {
            Issue.record("\(events)")
            return
        }
        #expect(update.faults.map(\.approach) == [.attributeDiscard])
    }

    @Test("one end without AS numbers of four octets is enough for two octets (RFC 6793 §4.1)")
    func narrow() throws {
        var session = ObservedSession(hasBeginning: true)
        _ = session.take(Self.bytes(Self.open(64500)), from: .one)
        _ = session.take(Self.bytes(Self.open(64501, wide: false)), from: .other)
        let sent = try Self.update([64500, 64502, 64503])
        let events = session.take(Self.bytes(sent, wide: false), from: .one)
        #expect(Self.messages(events) == [sent])
    }

    @Test(
        "without OPENs the width of AS numbers is found by what makes sense",
        arguments: [true, false])
    func guess(wide: Bool) throws {
        var session = ObservedSession(hasBeginning: false)
        let sent = try Self.update([64500, 64502, 64503], local: 100)
        let events = session.take(Self.bytes(sent, wide: wide), from: .one)
        #expect(Self.messages(events) == [sent])
        #expect(session.isGuessed)
    }

    @Test(
        "a stream joined in the middle of a message is read from the next one on", arguments: 1...18
    )
    func middle(dropped: Int) throws {
        let update = try Self.update([64500])
        let stream = Self.bytes(.keepalive).dropFirst(dropped) + Self.bytes(update)
        var session = ObservedSession(hasBeginning: false)
        let events = session.take(Array(stream), from: .one)
        #expect(events.first == .unreadable(19 - dropped))
        #expect(Self.messages(events) == [update])
    }

    @Test("after a gap it goes on with the next whole message")
    func gap() throws {
        let update = try Self.update([64500])
        let bytes = Self.bytes(update)
        var session = ObservedSession(hasBeginning: true)
        #expect(session.take(Array(bytes.prefix(30)), from: .one).isEmpty)
        session.lose(from: .one)
        let events = session.take([1, 2, 3] + Self.bytes(.keepalive), from: .one)
        #expect(events.first == .unreadable(33))
        #expect(Self.messages(events) == [.keepalive])
    }

    @Test("what is malformed is told with its rule, and the next message is still found")
    func malformed() throws {
        var bad = Self.bytes(try Self.update([64500]))
        bad[22] = 0xff  // the length of the attributes
        var worse = Self.bytes(.keepalive)
        worse[18] = 9
        var session = ObservedSession(hasBeginning: true)
        let events = session.take(bad + worse + Self.bytes(.keepalive), from: .one)
        guard events.count == 4, case .malformed(let first, let bytes) = events[0],
            case .malformed(let second, _) = events[1]
        else {
            Issue.record("\(events)")
            return
        }
        #expect(bytes == bad)
        #expect(first.rule.contains("RFC 7606"))
        #expect(second.notification == NotificationMessage(code: 1, subcode: 3, data: [9]))
        #expect(events[2] == .unreadable(19))
        #expect(Self.messages(events) == [.keepalive])
    }

    @Test("arbitrary bytes neither trap nor pile up")
    func arbitrary() {
        var state: UInt64 = 7
        var session = ObservedSession(hasBeginning: false)
        var unreadable = 0
        for _ in 0..<2000 {
            let piece = (0..<64).map { _ -> UInt8 in
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                // Many ones, so that markers come about.
                return state >> 60 < 12 ? 0xff : UInt8(truncatingIfNeeded: state >> 50)
            }
            for case .unreadable(let count) in session.take(piece, from: .other) {
                unreadable += count
            }
        }
        let events = session.take([UInt8](repeating: 0, count: 70_000), from: .other)
        let last = session.take(Self.bytes(.keepalive), from: .other)
        #expect(Self.messages(events + last).last == .keepalive)
        #expect(unreadable > 0)
    }
}
