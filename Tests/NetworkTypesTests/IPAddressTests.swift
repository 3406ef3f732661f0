import NetworkTypes
import Testing

@Suite struct IPAddressTests {
    @Test(
        "canonical text follows RFC 5952",
        arguments: [
            ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"), ("2001:DB8::00AB", "2001:db8::ab"),
            ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"), ("::", "::"), ("::1", "::1"),
            ("1::", "1::"), ("2001:0:0:1::1", "2001:0:0:1::1"), ("fe80::1", "fe80::1"),
            ("::ffff:192.0.2.1", "::ffff:192.0.2.1"),
            ("2001:db8::192.0.2.33", "2001:db8::c000:221"),
            ("192.0.2.1", "192.0.2.1"), ("0.0.0.0", "0.0.0.0"),
            ("255.255.255.255", "255.255.255.255"), ("0:0:0:1:0:0:0:0", "0:0:0:1::"),
        ])
    func canonicalText(input: String, canonical: String) throws {
        let address = try #require(IPAddress(input))
        #expect(address.description == canonical)
        #expect(IPAddress(canonical) == address)
    }

    @Test(
        "text that is no address is refused",
        arguments: [
            "", ".", ":", ":::", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", "1.2.3.4 ",
            "a.b.c.d",
            "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1::2::3", "12345::", "g::", "::1%eth0", ":1",
            "1:", "1:2:3:4:5:6:7:8::", "::1.2.3", "1.2.3.4::", "2001:db8::/32", "-1.2.3.4",
            "+1.2.3.4",
        ])
    func refusedText(input: String) {
        #expect(IPAddress(input) == nil)
    }

    @Test("bytes and bits agree for both families")
    func bytesRoundTrip() throws {
        for text in ["192.0.2.7", "2001:db8::dead:beef"] {
            let address = try #require(IPAddress(text))
            #expect(address.bytes.count == address.family.byteWidth)
            #expect(IPAddress(bytes: address.bytes) == address)
        }
        #expect(IPAddress(bytes: [1, 2, 3]) == nil)
    }

    @Test("advancing past the end of the family gives nil")
    func advancing() throws {
        #expect(IPAddress("192.0.2.255")?.advanced(by: 1) == IPAddress("192.0.3.0"))
        #expect(IPAddress("255.255.255.255")?.advanced(by: 1) == nil)
        let last = IPAddress(family: .ipv6, bits: .max)
        #expect(last.advanced(by: 1) == nil)
    }

    @Test("scope predicates know the well-known blocks of both families")
    func predicates() {
        #expect(IPAddress("224.0.0.1")?.isMulticast == true)
        #expect(IPAddress("ff02::1")?.isMulticast == true)
        #expect(IPAddress("223.255.255.255")?.isMulticast == false)
        #expect(IPAddress("127.1.2.3")?.isLoopback == true)
        #expect(IPAddress("::1")?.isLoopback == true)
        #expect(IPAddress("169.254.9.9")?.isLinkLocal == true)
        #expect(IPAddress("febf::1")?.isLinkLocal == true)
        #expect(IPAddress("fec0::1")?.isLinkLocal == false)
    }

    @Test("the solicited-node group takes the low 24 bits (RFC 4291 §2.7.1)")
    func solicitedNode() throws {
        let address = try #require(IPAddress("4037::1:800:200e:8c6c"))
        #expect(address.solicitedNodeMulticast == IPAddress("ff02::1:ff0e:8c6c"))
        #expect(IPAddress("192.0.2.1")?.solicitedNodeMulticast == nil)
        let group = try #require(address.solicitedNodeMulticast)
        #expect(MACAddress(multicast: group)?.description == "33:33:ff:0e:8c:6c")
    }

    @Test("IPv4 orders before IPv6, and by value within a family")
    func ordering() throws {
        let texts = ["2001:db8::1", "192.0.2.2", "::", "192.0.2.1"]
        let sorted = texts.compactMap { IPAddress($0) }.sorted().map(\.description)
        #expect(sorted == ["192.0.2.1", "192.0.2.2", "::", "2001:db8::1"])
    }
}
