import NetworkTypes

/// The fields of an ARP packet for Ethernet and IPv4, read in place (RFC 826).
///
/// Bytes after the packet are link-layer padding and are ignored.
public struct ARPView: ~Escapable {
    private let bytes: Span<UInt8>

    /// Checks the length and that the fields have the widths of Ethernet and IPv4.
    @_lifetime(copy bytes)
    public init(_ bytes: Span<UInt8>) throws(DecodeError) {
        guard bytes.count >= ARPPacket.byteCount else { throw .arpTooShort }
        guard bytes.uint16(at: 0) == ARPPacket.ethernet else { throw .arpHardwareType }
        guard bytes.uint16(at: 2) == ARPPacket.ipv4 else { throw .arpProtocolType }
        guard bytes.uint16(at: 4) == ARPPacket.addressLengths else { throw .arpAddressLength }
        self.bytes = bytes
    }

    /// The operation code as sent.
    public var operation: UInt16 { bytes.uint16(at: 6) }

    /// The link-layer address of the sender.
    public var senderHardware: MACAddress { bytes.macAddress(at: 8) }

    /// The address the sender says it has.
    public var senderAddress: IPAddress { bytes.ipv4Address(at: 14) }

    /// The link-layer address of the target; meaningless in a request.
    public var targetHardware: MACAddress { bytes.macAddress(at: 18) }

    /// The address asked for, or the asker's address in a reply.
    public var targetAddress: IPAddress { bytes.ipv4Address(at: 24) }
}
