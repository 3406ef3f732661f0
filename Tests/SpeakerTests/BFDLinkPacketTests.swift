import NetworkTypes
import Testing

@testable import Speaker

@Suite("Echo packets below IP")
struct BFDLinkPacketTests {
    private static let addresses = [
        IPAddress(family: .ipv4, bits: 0xc000_0201),
        IPAddress(family: .ipv6, bits: 0x2001_0db8 << 96 | 1),
    ]
    private static let echo = BFDEcho(
        discriminator: 0x0102_0304, sequence: 5, token: 0x1122_3344_5566_7788)

    @Test(
        "an echo packet goes to its own sender with a full hop limit, and is read again",
        arguments: addresses)
    func roundTrip(address: IPAddress) throws {
        let bytes = BFDLinkPacket.echo(Self.echo.encoded(), local: address)
        let packet = try #require(BFDLinkPacket(bytes))
        #expect(packet.source == address)
        #expect(packet.hops == 255)
        #expect(packet.destinationPort == 3785)
        #expect(BFDEcho(decoding: packet.payload) == Self.echo)
        let width = address.family.byteWidth
        let destination = address.family == .ipv4 ? 16 : 24
        #expect(Array(bytes[destination..<destination + width]) == address.bytes)
    }

    @Test("both checksums are right", arguments: addresses)
    func checksums(address: IPAddress) throws {
        let bytes = BFDLinkPacket.echo(Self.echo.encoded(), local: address)
        let header = address.family == .ipv4 ? 20 : 40
        if address.family == .ipv4 {
            var checksum = InternetChecksum()
            checksum.add(bytes.span.extracting(0..<20))
            #expect(checksum.value == 0)
        }
        var checksum = InternetChecksum()
        checksum.add(address)
        checksum.add(address)
        checksum.add(17)
        checksum.add(UInt16(bytes.count - header))
        checksum.add(bytes.span.extracting(header..<bytes.count))
        #expect(checksum.value == 0)
    }

    @Test("a packet cut anywhere is none", arguments: addresses)
    func truncation(address: IPAddress) {
        let bytes = BFDLinkPacket.echo(Self.echo.encoded(), local: address)
        for length in bytes.indices {
            #expect(BFDLinkPacket(Array(bytes[..<length])) == nil)
        }
    }

    @Test(
        "whatever one byte is changed to, reading it ends, and no other echo comes out",
        arguments: addresses)
    func changes(address: IPAddress) {
        let bytes = BFDLinkPacket.echo(Self.echo.encoded(), local: address)
        let payload = bytes.count - 16
        for index in bytes.indices {
            for value in [0, 1, 0x7f, 0x80, 0xff] as [UInt8] where value != bytes[index] {
                var changed = bytes
                changed[index] = value
                let echo = BFDLinkPacket(changed).flatMap { BFDEcho(decoding: $0.payload) }
                if index < payload {
                    #expect(echo == nil || echo == Self.echo)
                } else {
                    #expect(echo != Self.echo)
                }
            }
        }
    }
}

@Suite("Which BFD session is looked at when")
struct BFDScheduleTests {
    private static func at(_ milliseconds: Int64) -> Instant {
        Instant(nanoseconds: milliseconds * 1_000_000)
    }

    @Test("an earlier deadline counts, a later one is found when the session is looked at")
    func moves() {
        var schedule = BFDSchedule()
        schedule.note(1, Self.at(30))
        schedule.note(1, Self.at(50))
        #expect(schedule.next == Self.at(30))
        schedule.note(1, Self.at(10))
        #expect(schedule.next == Self.at(10))
        #expect(schedule.takeDue(at: Self.at(9)) == nil)
        #expect(schedule.takeDue(at: Self.at(60)) == 1)
        #expect(schedule.takeDue(at: Self.at(60)) == nil)
        schedule.note(2, Self.at(5))
        schedule.remove(2)
        #expect(schedule.takeDue(at: Self.at(60)) == nil)
    }

    @Test("no session is looked at too late, each once, in the order of time")
    func model() {
        var random = SystemRandomNumberGenerator()
        var schedule = BFDSchedule()
        var earliest: [UInt32: Instant] = [:]
        var now: Int64 = 0
        for _ in 0..<20_000 {
            let session = UInt32.random(in: 1...200, using: &random)
            let deadline = Self.at(now + Int64.random(in: 1...100, using: &random))
            schedule.note(session, deadline)
            earliest[session] = min(earliest[session] ?? deadline, deadline)
            if Int.random(in: 0..<10, using: &random) == 0 {
                schedule.remove(session)
                earliest[session] = nil
            }
            now += Int64.random(in: 0...1, using: &random)
            let due = earliest.filter { $0.value <= Self.at(now) }
            var taken: [UInt32] = []
            while let next = schedule.takeDue(at: Self.at(now)) { taken.append(next) }
            #expect(Set(taken) == Set(due.keys))
            #expect(taken.count == due.count)
            for session in taken { earliest[session] = nil }
        }
    }
}
