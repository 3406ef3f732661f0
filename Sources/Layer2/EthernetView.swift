import NetworkTypes

/// The protocols of Ethernet II frames that this module reads and writes.
public enum EtherType: UInt16, Sendable {
    /// Address Resolution Protocol (RFC 826).
    case arp = 0x0806
    /// IPv6 (RFC 2464 §3).
    case ipv6 = 0x86dd
}

/// The link-layer header of a received frame, read in place.
///
/// A priority tag (IEEE 802.1Q with VLAN identifier 0) is passed over; answers go untagged. A frame
/// of any other VLAN is refused: it reaches this interface only because capturing shows the trunk,
/// and the VLAN has an interface of its own.
public struct EthernetView: ~Escapable {
    /// Who the frame is for.
    public let destination: MACAddress

    /// Who sent the frame; always a unicast address.
    public let source: MACAddress

    /// What the frame carries.
    public let type: EtherType

    /// What follows the header, link-layer padding included.
    public let payload: Span<UInt8>

    /// Reads the header at the start of `frame`.
    @_lifetime(copy frame)
    public init(_ frame: Span<UInt8>) throws(DecodeError) {
        guard frame.count >= 14 else { throw .frameTooShort }
        var type = frame.uint16(at: 12)
        var header = 14
        if type == Self.customerTag || type == Self.serviceTag {
            guard frame.count >= 18 else { throw .frameTooShort }
            guard type == Self.customerTag, frame.uint16(at: 14) & 0xfff == 0 else {
                throw .otherVLAN
            }
            type = frame.uint16(at: 16)
            header = 18
            if type == Self.customerTag || type == Self.serviceTag { throw .otherVLAN }
        }
        guard let type = EtherType(rawValue: type) else { throw .otherProtocol }
        self.type = type
        destination = frame.macAddress(at: 0)
        source = frame.macAddress(at: 6)
        guard source.isStation else { throw .sourceNotUnicast }
        payload = frame.extracting(header..<frame.count)
    }

    private static let customerTag: UInt16 = 0x8100
    private static let serviceTag: UInt16 = 0x88a8
}

extension MACAddress {
    /// Whether the address can be that of a station: neither a group nor all zeros.
    @inline(__always)
    var isStation: Bool { !isGroup && bits != 0 }
}
