import BFD
import NetworkTypes
import Testing

@Suite("Packets that are discarded")
struct DiscardTests {
    /// Breaks one rule of RFC 5880 §6.8.6 that needs no session.
    private static let damages: [(BFDDiscard, @Sendable (inout [UInt8]) -> Void)] = [
        (.version, { $0[0] = 0x40 }),
        (.lengthTooSmall, { $0[3] = 23 }),
        (.lengthBeyondPayload, { $0[3] = 25 }),
        (.detectMultiplierZero, { $0[2] = 0 }),
        (.multipoint, { $0[1] |= 0x01 }),
        (.myDiscriminatorZero, { bytes in for index in 4..<8 { bytes[index] = 0 } }),
    ]

    @Test("Each rule without a session is found, and of two the RFC's first")
    func order() throws {
        let good = try Fixture("up-poll").bytes
        for (index, (reason, damage)) in Self.damages.enumerated() {
            for (_, other) in Self.damages[index...].reversed() {
                var bytes = good
                other(&bytes)
                damage(&bytes)
                #expect(throws: reason) { try BFDPacket(decoding: bytes.span) }
            }
        }
    }

    @Test("With the A bit, 26 bytes is the least length")
    func authenticatedLength() throws {
        var bytes = try Fixture("simple-password").bytes
        bytes[3] = 25
        #expect(throws: BFDDiscard.lengthTooSmall) { try BFDPacket(decoding: bytes.span) }
    }

    private func discarded(
        _ reason: BFDDiscard, by session: BFDSession, _ packet: BFDPacket, timeToLive: UInt8 = 255,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        var session = session
        let before = session.status
        let actions = session.hear(packet, timeToLive: timeToLive, at: .at(10))
        let after = session.status
        #expect(actions.states.isEmpty, sourceLocation: sourceLocation)
        #expect(after.state == before.state, sourceLocation: sourceLocation)
        #expect(after.remote == before.remote, sourceLocation: sourceLocation)
        #expect(after.lastReceived == before.lastReceived, sourceLocation: sourceLocation)
        #expect(after.counters.received == before.counters.received, sourceLocation: sourceLocation)
        #expect(after.counters.discards[reason] == 1, sourceLocation: sourceLocation)
        #expect(after.counters.discards.total == 1, sourceLocation: sourceLocation)
    }

    @Test("A hop limit below 255 on a single hop, or the least of a multihop session (RFC 5881 §5)")
    func timeToLive() {
        discarded(.timeToLive, by: .inState(.up), .heard(.down), timeToLive: 254)
        var settings = BFDSession.Settings.every(50)
        settings.isMultihop = true
        settings.minimumTimeToLive = 250
        discarded(.timeToLive, by: .inState(.up, settings), .heard(.down), timeToLive: 249)
        var session = BFDSession.inState(.up, settings)
        #expect(session.hear(.heard(.down), timeToLive: 250, at: .at(10)).states == [.down])
    }

    @Test("Authentication where there is none, and none where there is (RFC 5880 §6.8.6)")
    func authenticationInUse() throws {
        discarded(
            .unexpectedAuthentication, by: .inState(.up), try Fixture("keyed-md5").packet())
        var settings = BFDSession.Settings.every(50)
        settings.authentication = BFDAuthentication(
            method: .keyedMD5, key: .init(id: 7, secret: Array("secret".utf8)))
        discarded(.missingAuthentication, by: BFDSession(settings), .heard(.down))
    }

    @Test("Of a session held down: fields are noted, the state stays, no poll is answered")
    func adminDown() {
        var session = BFDSession.inState(.adminDown)
        let actions = session.hear(.heard(.down, isPoll: true), at: .at(10))
        #expect(actions.states.isEmpty)
        #expect(!actions.packets.contains { $0.isFinal })
        #expect(session.state == .adminDown)
        #expect(session.status.remote?.discriminator == 2)
        #expect(session.status.counters.discards[.adminDown] == 1)
    }

    @Test("Every reason has a text of its own")
    func texts() {
        let texts = Set(BFDDiscard.allCases.map(\.description))
        #expect(texts.count == BFDDiscard.allCases.count)
    }
}
