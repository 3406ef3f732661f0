import NetworkTypes

/// The IP header of a captured packet of either version, with the extension headers of IPv6
/// (RFC 791 §3.1, RFC 8200 §3–4).
package struct PacketHeader: Hashable, Sendable {
    /// Which part of a larger packet this is.
    package enum Fragment: Hashable, Sendable {
        /// The beginning: what follows has its headers.
        case first
        /// Any other.
        case later
    }

    /// The sender.
    package var source: IPAddress
    /// The receiver.
    package var destination: IPAddress
    /// Time to live, or hop limit.
    package var hopLimit: UInt8
    /// What is carried: the number of an upper-layer protocol.
    package var carried: UInt8
    /// Where that is, as far as it has been captured.
    package var payload: Range<Int>
    /// How many bytes of it the capture has not.
    package var missing = 0
    /// Set when the packet is part of a larger one.
    package var fragment: Fragment?

    package static let tcp: UInt8 = 6
    package static let udp: UInt8 = 17
    package static let icmpv6: UInt8 = 58

    private static let maximumExtensions = 8

    /// Reads the header in `range` of `bytes`; what is behind the packet's end is link-layer
    /// padding and left alone.
    package init(_ bytes: Span<UInt8>, _ range: Range<Int>) throws(MalformedHeader) {
        guard let start = range.first else { throw MalformedHeader("an empty IP packet") }
        switch bytes[start] >> 4 {
        case 4: try self.init(version4: bytes, range)
        case 6: try self.init(version6: bytes, range)
        case let version: throw MalformedHeader("there is no IP version \(version)")
        }
    }

    private init(version4 bytes: Span<UInt8>, _ range: Range<Int>) throws(MalformedHeader) {
        let start = range.lowerBound
        guard range.count >= 20 else { throw MalformedHeader("cut in the IPv4 header") }
        let headerLength = Int(bytes[start] & 0xf) * 4
        var length = Int(bytes.bigEndian16(at: start + 2))
        // Segmentation offload: a packet longer than its field can say.
        if length == 0 { length = range.count }
        guard headerLength >= 20, length >= headerLength else {
            throw MalformedHeader("the lengths in the IPv4 header do not go together (RFC 791)")
        }
        guard range.count >= headerLength else { throw MalformedHeader("cut in the IPv4 header") }
        source = bytes.address(.ipv4, at: start + 12)
        destination = bytes.address(.ipv4, at: start + 16)
        hopLimit = bytes[start + 8]
        carried = bytes[start + 9]
        let end = min(start + length, range.upperBound)
        payload = start + headerLength..<end
        missing = start + length - end
        let fragmentField = bytes.bigEndian16(at: start + 6)
        if fragmentField & 0x1fff != 0 {
            fragment = .later
        } else if fragmentField & 0x2000 != 0 {
            fragment = .first
        }
    }

    private init(version6 bytes: Span<UInt8>, _ range: Range<Int>) throws(MalformedHeader) {
        let start = range.lowerBound
        guard range.count >= 40 else { throw MalformedHeader("cut in the IPv6 header") }
        var length = Int(bytes.bigEndian16(at: start + 4))
        if length == 0 { length = range.count - 40 }
        source = bytes.address(.ipv6, at: start + 8)
        destination = bytes.address(.ipv6, at: start + 24)
        hopLimit = bytes[start + 7]
        carried = bytes[start + 6]
        let end = min(start + 40 + length, range.upperBound)
        payload = start + 40..<end
        missing = start + 40 + length - end
        try passExtensions(bytes)
    }

    /// Passes over extension headers: hop-by-hop, routing, fragment, authentication, destination.
    private mutating func passExtensions(_ bytes: Span<UInt8>) throws(MalformedHeader) {
        for _ in 0..<Self.maximumExtensions {
            guard [0, 43, 44, 51, 60].contains(carried), fragment != .later else { return }
            guard payload.count >= 8 else { throw MalformedHeader("cut in an extension header") }
            let start = payload.lowerBound
            let length: Int
            switch carried {
            case 44:
                let field = bytes.bigEndian16(at: start + 2)
                if field >> 3 != 0 {
                    fragment = .later
                } else if field & 1 != 0 {
                    fragment = .first
                }
                length = 8
            case 51: length = (Int(bytes[start + 1]) + 2) * 4
            default: length = (Int(bytes[start + 1]) + 1) * 8
            }
            guard length <= payload.count else {
                throw MalformedHeader("an extension header reaches past the packet (RFC 8200 §4)")
            }
            carried = bytes[start]
            payload = start + length..<payload.upperBound
        }
        throw MalformedHeader("more than \(Self.maximumExtensions) extension headers")
    }
}

/// The header of a captured TCP segment (RFC 9293 §3.1).
package struct SegmentHeader: Hashable, Sendable {
    package var sourcePort: UInt16
    package var destinationPort: UInt16
    package var sequence: UInt32
    /// The next number expected from the other end; `nil` without ACK.
    package var acknowledgment: UInt32?
    package var isSynchronizing: Bool
    package var isFinishing: Bool
    package var isResetting: Bool
    /// Where the data is.
    package var payload: Range<Int>

    /// Reads the header in `range` of `bytes`.
    package init(_ bytes: Span<UInt8>, _ range: Range<Int>) throws(MalformedHeader) {
        guard range.count >= 20 else { throw MalformedHeader("cut in the TCP header") }
        let start = range.lowerBound
        let length = Int(bytes[start + 12] >> 4) * 4
        guard length >= 20 else {
            throw MalformedHeader("a TCP header of \(length) bytes (RFC 9293 §3.1)")
        }
        guard length <= range.count else { throw MalformedHeader("cut in the TCP header") }
        let flags = bytes[start + 13]
        sourcePort = bytes.bigEndian16(at: start)
        destinationPort = bytes.bigEndian16(at: start + 2)
        sequence = bytes.bigEndian32(at: start + 4)
        acknowledgment = flags & 0x10 == 0 ? nil : bytes.bigEndian32(at: start + 8)
        isSynchronizing = flags & 0x02 != 0
        isFinishing = flags & 0x01 != 0
        isResetting = flags & 0x04 != 0
        payload = start + length..<range.upperBound
    }
}

/// The header of a captured UDP datagram (RFC 768).
package struct DatagramHeader: Hashable, Sendable {
    package var sourcePort: UInt16
    package var destinationPort: UInt16
    /// Where the data is, as far as it has been captured.
    package var payload: Range<Int>

    /// Reads the header in `range` of `bytes`, the payload of `packet`.
    package init(_ bytes: Span<UInt8>, of packet: PacketHeader) throws(MalformedHeader) {
        let range = packet.payload
        guard range.count >= 8 else { throw MalformedHeader("cut in the UDP header") }
        let start = range.lowerBound
        sourcePort = bytes.bigEndian16(at: start)
        destinationPort = bytes.bigEndian16(at: start + 2)
        let length = Int(bytes.bigEndian16(at: start + 4))
        guard length >= 8, length <= range.count + packet.missing else {
            throw MalformedHeader("the UDP length \(length) does not fit the packet (RFC 768)")
        }
        payload = start + 8..<min(start + length, range.upperBound)
    }
}
