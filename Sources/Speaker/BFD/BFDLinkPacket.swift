import BFD
import NetworkTypes

/// A BFD packet as it is seen below IP: who sent it, with how many hops left, and what UDP carries.
struct BFDLinkPacket: Equatable {
    /// UDP ports (RFC 5881 §4).
    static let echoPort: UInt16 = 3785
    private static let protocolUDP: UInt8 = 17
    private static let controlClass: UInt8 = 0xc0
    private static let fullHops: UInt8 = 255

    /// The sender's address.
    var source: IPAddress
    /// The TTL or hop limit.
    var hops: UInt8
    /// The UDP port it goes to.
    var destinationPort: UInt16
    /// What UDP carries.
    var payload: [UInt8]

    /// Reads it; `nil` for anything that is no whole UDP packet without IP options or extensions.
    init?(_ bytes: [UInt8]) {
        do throws(ByteReader.Truncated) {
            var reader = ByteReader(bytes.span)
            let first = try reader.uint8()
            if first == 0x45 {
                try reader.skip(7)
                hops = try reader.uint8()
                guard try reader.uint8() == Self.protocolUDP else { return nil }
                try reader.skip(2)
                source = try reader.address(.ipv4)
                try reader.skip(4)
            } else if first >> 4 == 6 {
                try reader.skip(5)
                guard try reader.uint8() == Self.protocolUDP else { return nil }
                hops = try reader.uint8()
                source = try reader.address(.ipv6)
                try reader.skip(16)
            } else {
                return nil
            }
            try reader.skip(2)
            destinationPort = try reader.uint16()
            let length = Int(try reader.uint16())
            guard length >= 8 else { return nil }
            try reader.skip(2)
            payload = try reader.array(length - 8)
        } catch {
            return nil
        }
    }

    /// An echo packet from its IP header on: a packet to its own sender, which the peer's
    /// forwarding plane sends back (RFC 5880 §6.8.8, RFC 5881 §4).
    ///
    /// Another source, which RFC 5881 §4 would rather see, is what a peer's reverse path filter
    /// drops; the redirects that this may bring name an address of the receiver, which passes them
    /// over.
    static func echo(_ payload: [UInt8], local: IPAddress) -> [UInt8] {
        let length = UInt16(8 + payload.count)
        var writer = ByteWriter(capacity: 40 + Int(length))
        switch local.family {
        case .ipv4: writeIPv4Header(local, carrying: length, into: &writer)
        case .ipv6: writeIPv6Header(local, carrying: length, into: &writer)
        }
        let start = writer.count
        writer.uint16(echoPort)
        writer.uint16(echoPort)
        writer.uint16(length)
        writer.uint16(0)
        writer.append(payload)
        var checksum = InternetChecksum()
        checksum.add(local)
        checksum.add(local)
        checksum.add(UInt16(protocolUDP))
        checksum.add(length)
        checksum.add(writer.bytes.span.extracting(start..<writer.count))
        // Zero would say "no checksum" (RFC 768).
        writer.setUInt16(checksum.value == 0 ? .max : checksum.value, at: start + 6)
        return writer.bytes
    }

    private static func writeIPv4Header(
        _ local: IPAddress, carrying length: UInt16, into writer: inout ByteWriter
    ) {
        writer.uint8(0x45)
        writer.uint8(controlClass)
        writer.uint16(20 + length)
        writer.uint16(0)
        // Don't fragment: the identification may be 0 then (RFC 6864 §4.1).
        writer.uint16(0x4000)
        writer.uint8(fullHops)
        writer.uint8(protocolUDP)
        writer.uint16(0)
        writer.address(local)
        writer.address(local)
        var checksum = InternetChecksum()
        checksum.add(writer.bytes.span)
        writer.setUInt16(checksum.value, at: 10)
    }

    private static func writeIPv6Header(
        _ local: IPAddress, carrying length: UInt16, into writer: inout ByteWriter
    ) {
        writer.uint32(6 << 28 | UInt32(controlClass) << 20)
        writer.uint16(length)
        writer.uint8(protocolUDP)
        writer.uint8(fullHops)
        writer.address(local)
        writer.address(local)
    }
}
