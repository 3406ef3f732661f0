import BGP
import NetworkTypes
import Testing

/// Every fixture cut at every length and with every byte changed to every value.
@Suite("Damaged messages")
struct WireDamageTests {
    /// What is left to say of a message after it was written and read again, when nothing is
    /// known but the message itself.
    private func isStable(_ message: BGPMessage, _ context: DecodingContext) -> Bool {
        if case .update(let update) = message {
            // Two families cannot share one next hop, and nothing at all would be End-of-RIB.
            guard Set(update.announced.map(\.family)).count <= 1 else { return true }
            let isEmpty = update.announced.isEmpty && update.withdrawn.isEmpty
            guard !isEmpty || update.endOfRIB != nil else { return true }
            var wide = context
            wide.maximumLength = 65535
            wide.extendedNextHop = [.ipv4]
            let bytes = message.encoded(context: wide)
            guard case .update(let again)? = try? decode(bytes, wide) else { return false }
            return again.announced == update.announced && again.attributes == update.attributes
                && Set(again.withdrawn) == Set(update.withdrawn)
                && again.endOfRIB == update.endOfRIB
        }
        return (try? decode(message.encoded(context: context), context)) == message
    }

    @Test("A message cut anywhere is not taken for a whole one", arguments: try WireFixture.all())
    func truncation(fixture: WireFixture) throws {
        for length in 0..<fixture.bytes.count {
            let part = Array(fixture.bytes[..<length])
            #expect(throws: MessageFault.self) { try decode(part, fixture.context) }
            var framer = MessageFramer()
            framer.append(part.span)
            #expect(try framer.next(fixture.context) == nil, "cut to \(length) bytes")
        }
    }

    @Test(
        "A message cut anywhere whose length says so is refused or means less",
        arguments: try WireFixture.all())
    func truncationWithLength(fixture: WireFixture) {
        for length in 19..<fixture.bytes.count {
            var part = Array(fixture.bytes[..<length])
            part[16] = UInt8(length >> 8)
            part[17] = UInt8(length & 0xff)
            guard let message = try? decode(part, fixture.context) else { continue }
            #expect(isStable(message, fixture.context), "cut to \(length) bytes")
        }
    }

    @Test("A message with any byte changed is refused or read", arguments: try WireFixture.all())
    func oneByteChanged(fixture: WireFixture) {
        var refused = 0
        var unstable = 0
        for offset in fixture.bytes.indices {
            for change in UInt8(1)...255 {
                var bytes = fixture.bytes
                bytes[offset] ^= change
                guard let message = try? decode(bytes, fixture.context) else {
                    refused += 1
                    continue
                }
                guard change.nonzeroBitCount == 1 else { continue }
                if !isStable(message, fixture.context) { unstable += 1 }
            }
        }
        #expect(refused >= 18 * 255, "marker and length are not judged")
        #expect(unstable == 0)
    }

    @Test("A malformed message with any bit changed is refused or read")
    func malformedChanged() throws {
        for item in try WireMalformedCase.all() {
            for offset in item.bytes.indices {
                for bit in 0..<8 {
                    var bytes = item.bytes
                    bytes[offset] ^= 1 << bit
                    guard let message = try? decode(bytes, item.context) else { continue }
                    #expect(isStable(message, item.context), "\(item.name), byte \(offset)")
                }
            }
        }
    }

    @Test("What an OPEN has not agreed on is read leniently", arguments: try WireFixture.all())
    func nothingAgreed(fixture: WireFixture) {
        for offset in fixture.bytes.indices {
            var bytes = fixture.bytes
            bytes[offset] ^= 0xff
            guard let message = try? decode(bytes) else { continue }
            #expect(isStable(message, DecodingContext()), "byte \(offset)")
        }
    }
}
