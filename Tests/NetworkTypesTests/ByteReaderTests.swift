import NetworkTypes
import Testing

@Suite struct ByteReaderTests {
    @Test("integers come back as they were written, and running short is a typed error")
    func roundTrip() throws {
        var writer = ByteWriter()
        let address = try #require(IPAddress("2001:db8::1"))
        writer.uint8(1)
        writer.uint16(0x0203)
        writer.uint32(0x0405_0607)
        writer.uint64(0x0809_0a0b_0c0d_0e0f)
        writer.address(address)
        writer.macAddress(.broadcast)
        let bytes = writer.bytes
        for length in 0...bytes.count {
            let part = Array(bytes[..<length])
            var reader = ByteReader(part.span)
            do {
                #expect(try reader.uint8() == 1)
                #expect(try reader.uint16() == 0x0203)
                #expect(try reader.uint32() == 0x0405_0607)
                #expect(try reader.uint64() == 0x0809_0a0b_0c0d_0e0f)
                #expect(try reader.address(.ipv6) == address)
                #expect(try reader.macAddress() == .broadcast)
                #expect(length == bytes.count && reader.remaining == 0)
            } catch {
                #expect(length < bytes.count)
                #expect(error.offset + error.needed > length)
            }
        }
    }

    @Test("a negative or huge count is refused")
    func badCounts() {
        let bytes: [UInt8] = [1, 2, 3]
        var reader = ByteReader(bytes.span)
        #expect(throws: ByteReader.Truncated.self) { try reader.skip(-1) }
        #expect(throws: ByteReader.Truncated.self) { try reader.array(.max) }
        #expect(reader.offset == 0)
    }

    @Test("the checksum of RFC 1071 §3's example")
    func checksum() {
        let bytes: [UInt8] = [0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]
        var sum = InternetChecksum()
        sum.add(bytes.span)
        #expect(sum.value == ~0xddf2)
    }

    @Test("instants saturate instead of overflowing")
    func instants() {
        let late = Instant(nanoseconds: .max - 5)
        #expect((late + .seconds(1)).nanoseconds == .max)
        #expect((Instant(nanoseconds: 7) - .nanoseconds(5)).nanoseconds == 2)
        #expect(Instant(nanoseconds: 9) - Instant(nanoseconds: 4) == .nanoseconds(5))
    }
}
