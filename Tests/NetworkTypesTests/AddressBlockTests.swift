import NetworkTypes
import Testing

@Suite struct AddressBlockTests {
    @Test("a prefix clears host bits and knows its ends")
    func prefixEnds() throws {
        let prefix = try #require(Prefix("198.51.100.77/26"))
        #expect(prefix.description == "198.51.100.64/26")
        #expect(prefix.range.first == IPAddress("198.51.100.64"))
        #expect(prefix.range.last == IPAddress("198.51.100.127"))
        #expect(Prefix("::/0")?.range.count == .max)
        #expect(Prefix("0.0.0.0/0")?.range.count == 1 << 32)
    }

    @Test(
        "prefix text that is wrong is refused",
        arguments: ["1.2.3.4", "1.2.3.4/33", "::/129", "::/-1", "::/", "/8"])
    func refusedPrefix(text: String) {
        #expect(Prefix(text) == nil)
    }

    @Test("a range reads both forms and refuses a reversed or mixed one")
    func rangeText() {
        #expect(AddressRange("192.0.2.1-192.0.2.9")?.count == 9)
        #expect(AddressRange("192.0.2.1 - 192.0.2.9")?.count == 9)
        #expect(AddressRange("2001:db8::/64")?.count == 1 << 64)
        #expect(AddressRange("192.0.2.9-192.0.2.1") == nil)
        #expect(AddressRange("192.0.2.9-2001:db8::1") == nil)
    }

    @Test("a range splits into the fewest CIDR blocks")
    func blocks() throws {
        let range = try #require(AddressRange("192.0.2.1-192.0.2.6"))
        #expect(
            range.prefixes.map(\.description) == [
                "192.0.2.1/32", "192.0.2.2/31", "192.0.2.4/31", "192.0.2.6/32",
            ])
        #expect(AddressRange("0.0.0.0-255.255.255.255")?.prefixes.count == 1)
        let whole = try #require(Prefix("::/0")).range
        #expect(whole.prefixes.map(\.description) == ["::/0"])
    }

    @Test("overlap and containment never cross families")
    func overlap() throws {
        let left = try #require(AddressRange("192.0.2.0/25"))
        let right = try #require(AddressRange("192.0.2.127-192.0.2.200"))
        let other = try #require(AddressRange("::/0"))
        #expect(left.overlaps(right) && right.overlaps(left))
        #expect(!left.overlaps(other))
        #expect(!other.contains(left.first))
    }

    @Test("MAC text, bytes and group bit")
    func macAddresses() throws {
        let address = try #require(MACAddress("02:00:5E:10:00:01"))
        #expect(address.description == "02:00:5e:10:00:01")
        #expect(MACAddress(bytes: address.bytes) == address)
        #expect(!address.isGroup && MACAddress.broadcast.isGroup)
        #expect(MACAddress("02:00:5e:10:00") == nil)
        #expect(MACAddress("+2:00:5e:10:00:01") == nil)
    }
}
