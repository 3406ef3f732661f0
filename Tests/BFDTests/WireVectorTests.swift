import BFD
import NetworkTypes
import Testing

@Suite("Control packets on the wire")
struct WireVectorTests {
    static func packet(
        _ state: BFDState, _ yours: UInt32 = 0xa0b0_c0d0, _ multiplier: UInt8 = 3,
        _ intervals: (UInt32, UInt32, UInt32) = (300_000, 300_000, 0)
    ) -> BFDPacket {
        BFDPacket(
            state: state, detectMultiplier: multiplier, myDiscriminator: 0x1122_3344,
            yourDiscriminator: yours, desiredMinTransmit: intervals.0,
            requiredMinReceive: intervals.1, requiredMinEchoReceive: intervals.2)
    }

    @Test("Packets without authentication mean what RFC 5880 §4.1 says, and encode to the same")
    func meaning() throws {
        let down = Self.packet(.down, 0, 3, (1_000_000, 300_000, 0))
        var poll = Self.packet(.up, 0xa0b0_c0d0, 5, (50_000, 50_000, 50_000))
        poll.isPoll = true
        var final = Self.packet(.up, 0xa0b0_c0d0, 3, (10_000, 10_500, 0))
        final.isFinal = true
        final.isControlPlaneIndependent = true
        final.isDemand = true
        var adminDown = Self.packet(.adminDown, 0xa0b0_c0d0, 3, (1_000_000, 300_000, 0))
        adminDown.diagnostic = .administrativelyDown
        let expected = [
            ("down", down), ("up-poll", poll), ("up-final", final), ("admin-down", adminDown),
        ]
        for (name, packet) in expected {
            let fixture = try Fixture(name)
            #expect(try fixture.packet() == packet, "\(name)")
            #expect(packet.encoded() == fixture.bytes, "\(name)")
        }
    }

    @Test("Every packet encodes to the bytes it was read from", arguments: try Fixture.all())
    func roundTrip(fixture: Fixture) throws {
        #expect(try fixture.packet().encoded() == fixture.bytes)
    }

    @Test("What stands behind the Length field is left alone")
    func trailer() throws {
        let fixture = try Fixture("up-poll")
        let longer = fixture.bytes + [1, 2, 3]
        #expect(try BFDPacket(decoding: longer.span) == fixture.packet())
    }

    @Test("An authentication section shows its key and sequence number")
    func authentication() throws {
        let simple = try #require(try Fixture("simple-password").packet().authentication)
        #expect(simple.keyID == 7)
        #expect(simple.sequence == nil)
        let digest = try #require(try Fixture("keyed-sha1").packet().authentication)
        #expect(digest.keyID == 7)
        #expect(digest.sequence == 77)
    }

    @Test("A packet is one line of text, and keeps the password to itself")
    func texts() throws {
        let lines = [
            "down": "BFD Down, discriminators 0x11223344 to 0x0, transmit 1000 ms × 3, "
                + "receive 300 ms",
            "up-poll": "BFD Up, poll, discriminators 0x11223344 to 0xa0b0c0d0, "
                + "transmit 50 ms × 5, receive 50 ms, echo 50 ms",
            "up-final": "BFD Up, final, control plane independent, demand, "
                + "discriminators 0x11223344 to 0xa0b0c0d0, transmit 10 ms × 3, receive 10.5 ms",
            "admin-down": "BFD AdminDown, administratively down, "
                + "discriminators 0x11223344 to 0xa0b0c0d0, transmit 1000 ms × 3, receive 300 ms",
            "simple-password": "BFD Up, discriminators 0x11223344 to 0xa0b0c0d0, "
                + "transmit 300 ms × 3, receive 300 ms, simple password key 7",
            "meticulous-keyed-sha1": "BFD Up, discriminators 0x11223344 to 0xa0b0c0d0, "
                + "transmit 300 ms × 3, receive 300 ms, "
                + "meticulous keyed SHA1 key 7 sequence 77",
        ]
        for (name, line) in lines {
            #expect(try Fixture(name).packet().description == line)
        }
    }

    @Test("A diagnostic without a name keeps its number")
    func unnamedDiagnostic() throws {
        var bytes = try Fixture("down").bytes
        bytes[0] = 0x20 | 21
        let packet = try BFDPacket(decoding: bytes.span)
        #expect(packet.diagnostic.rawValue == 21)
        #expect(packet.diagnostic.description == "diagnostic 21")
        #expect(packet.encoded() == bytes)
    }
}

@Suite("Damaged packets")
struct DamagedPacketTests {
    @Test("A packet cut anywhere is refused for its length", arguments: try Fixture.all())
    func truncation(fixture: Fixture) {
        for length in fixture.bytes.indices {
            let cut = Array(fixture.bytes.prefix(length))
            #expect(throws: BFDDiscard.lengthBeyondPayload, "cut to \(length) bytes") {
                try BFDPacket(decoding: cut.span)
            }
        }
    }

    @Test(
        "A packet with any byte changed is refused, or is another that encodes to its bytes",
        arguments: try Fixture.all())
    func oneByteChanged(fixture: Fixture) throws {
        let original = try fixture.packet()
        var failures = 0
        for offset in fixture.bytes.indices {
            for change in UInt8(1)...255 {
                var bytes = fixture.bytes
                bytes[offset] ^= change
                do {
                    let packet = try BFDPacket(decoding: bytes.span)
                    let length = Int(bytes[3])
                    if packet.authentication != nil {
                        if packet.encoded() != Array(bytes.prefix(length)) { failures += 1 }
                    } else if packet == original && offset < 24 && offset != 3 {
                        failures += 1
                    }
                } catch {
                    if BFDDiscard.allCases.firstIndex(of: error) ?? 99 > 5 { failures += 1 }
                }
            }
        }
        #expect(failures == 0)
    }

    @Test(
        "A session with a digest takes no packet with any bit changed",
        arguments: BFDAuthentication.Method.allCases.filter { $0.hash != nil })
    func authenticated(method: BFDAuthentication.Method) throws {
        let name = method.description.lowercased().replacing(" ", with: "-")
        let bytes = try Fixture(name).bytes
        var settings = BFDSession.Settings()
        settings.authentication = BFDAuthentication(
            method: method, key: .init(id: 7, secret: Array("secret".utf8)))
        let session = BFDSession(settings)
        var untouched = session
        #expect(untouched.hear(try BFDPacket(decoding: bytes.span), at: .start).count > 0)
        #expect(untouched.status.counters.received == 1)
        var failures = 0
        for offset in bytes.indices {
            for change in (0..<8).map({ UInt8(1) << $0 }) + [0xff] {
                var changed = bytes
                changed[offset] ^= change
                // Refused without the session: nothing to see here.
                guard let packet = try? BFDPacket(decoding: changed.span) else { continue }
                var session = session
                _ = session.hear(packet, at: .start)
                if session.status.counters.received > 0 || session.status.remote != nil {
                    failures += 1
                }
            }
        }
        #expect(failures == 0)
    }
}
