import NetworkTypes

/// What captured frames begin with; the raw value is libpcap's DLT.
package enum LinkType: Int32, Hashable, Sendable, CaseIterable {
    /// BSD loopback: a word with the protocol, in the byte order of the machine that captured.
    case null = 0
    /// Ethernet II.
    case ethernet = 1
    /// IPv4 or IPv6 without anything before it.
    case raw = 12
    /// OpenBSD loopback: as ``null``, in network order.
    case loop = 108
    /// Linux cooked capture, version 1.
    case cooked = 113
    /// IPv4 without anything before it.
    case ipv4 = 228
    /// IPv6 without anything before it.
    case ipv6 = 229
    /// Linux cooked capture, version 2.
    case cooked2 = 276
}

/// A captured packet that is not as its protocol wants it.
package struct MalformedHeader: Error, Hashable, Sendable {
    /// The rule that is broken.
    package let rule: String

    init(_ rule: String) { self.rule = rule }
}

/// The protocols of frames that are looked into.
package enum FrameProtocol {
    package static let ipv4: UInt16 = 0x0800
    package static let arp: UInt16 = 0x0806
    package static let ipv6: UInt16 = 0x86dd
}

/// The beginning of a captured frame, of whatever link type, with its VLAN tags.
package struct FrameHeader: Hashable, Sendable {
    /// Who sent it, where the link type tells.
    package var source: MACAddress?
    /// Whom it is for, where the link type tells.
    package var destination: MACAddress?
    /// The VLANs it is tagged for, outermost first.
    package var vlans: [UInt16] = []
    /// The interface it passed, where the link type tells.
    package var interfaceIndex: UInt32?
    /// What it carries: a type of Ethernet II.
    package var carried: UInt16 = 0
    /// Where that is.
    package var payload: Range<Int>

    private static let maximumTags = 4

    /// Reads the header of `frame`.
    package init(_ frame: Span<UInt8>, linkType: LinkType) throws(MalformedHeader) {
        payload = 0..<frame.count
        switch linkType {
        case .ethernet:
            try need(14, of: frame)
            destination = frame.macAddress(at: 0)
            source = frame.macAddress(at: 6)
            try readType(frame, at: 12, end: 14)
        case .cooked:
            try need(16, of: frame)
            if frame.bigEndian16(at: 4) == 6 { source = frame.macAddress(at: 6) }
            try readType(frame, at: 14, end: 16)
        case .cooked2:
            try need(20, of: frame)
            interfaceIndex = frame.bigEndian32(at: 4)
            if frame[11] == 6 { source = frame.macAddress(at: 12) }
            try readType(frame, at: 0, end: 20)
        case .null, .loop:
            try need(4, of: frame)
            carried = Self.loopbackType(frame.bigEndian32(at: 0))
            payload = 4..<frame.count
        case .raw, .ipv4, .ipv6:
            try need(1, of: frame)
            carried = frame[0] >> 4 == 6 ? FrameProtocol.ipv6 : FrameProtocol.ipv4
        }
    }

    private func need(_ count: Int, of frame: Span<UInt8>) throws(MalformedHeader) {
        guard frame.count >= count else {
            throw MalformedHeader("\(frame.count) bytes are too few for the link-layer header")
        }
    }

    /// Takes the type in, and the tags (IEEE 802.1Q, 802.1ad) that stand before it.
    private mutating func readType(
        _ frame: Span<UInt8>, at offset: Int, end: Int
    ) throws(MalformedHeader) {
        carried = frame.bigEndian16(at: offset)
        var end = end
        while carried == 0x8100 || carried == 0x88a8 || carried == 0x9100 {
            guard vlans.count < Self.maximumTags else {
                throw MalformedHeader("more than \(Self.maximumTags) VLAN tags")
            }
            try need(end + 4, of: frame)
            vlans.append(frame.bigEndian16(at: end) & 0xfff)
            carried = frame.bigEndian16(at: end + 2)
            end += 4
        }
        payload = end..<frame.count
    }

    /// AF_INET is 2 everywhere; AF_INET6 is 24, 28 or 30 on the BSDs and 10 on Linux.
    private static func loopbackType(_ word: UInt32) -> UInt16 {
        switch word > 0xffff ? word.byteSwapped : word {
        case 2: FrameProtocol.ipv4
        case 10, 24, 28, 30: FrameProtocol.ipv6
        default: 0
        }
    }
}

/// Integers in network order at fixed offsets, for readers that have checked the length already.
extension Span where Element == UInt8 {
    func bigEndian16(at offset: Int) -> UInt16 {
        UInt16(self[offset]) << 8 | UInt16(self[offset + 1])
    }

    func bigEndian32(at offset: Int) -> UInt32 {
        UInt32(bigEndian16(at: offset)) << 16 | UInt32(bigEndian16(at: offset + 2))
    }

    func macAddress(at offset: Int) -> MACAddress {
        MACAddress(
            bits: UInt64(bigEndian16(at: offset)) << 32 | UInt64(bigEndian32(at: offset + 2)))
    }

    func address(_ family: IPAddress.Family, at offset: Int) -> IPAddress {
        var bits: UInt128 = 0
        for index in offset..<offset + family.byteWidth {
            bits = bits << 8 | UInt128(self[index])
        }
        return IPAddress(family: family, bits: bits)
    }
}
