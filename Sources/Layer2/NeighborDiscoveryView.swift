import NetworkTypes

/// The fields of a neighbor solicitation or advertisement that passed the checks both share
/// (RFC 4861 §4.3, §4.4, §7.1).
///
/// Extension headers before ICMPv6 are refused: fragments are forbidden here (RFC 6980 §5), and no
/// stack sends its neighbor discovery behind any other.
public struct NeighborDiscoveryView: Sendable {
    /// The two messages that resolve addresses; the raw value is the ICMPv6 type.
    public enum Kind: UInt8, Sendable {
        /// Neighbor solicitation.
        case solicitation = 135
        /// Neighbor advertisement.
        case advertisement = 136

        /// The link-layer option that belongs to the message (RFC 4861 §4.6.1).
        var linkLayerOption: UInt8 { self == .solicitation ? 1 : 2 }
    }

    /// Which of the two messages it is.
    public let kind: Kind

    /// The sender's address.
    public let source: IPAddress

    /// The receiver's address, often a group.
    public let destination: IPAddress

    /// The address the message is about; never multicast.
    public let target: IPAddress

    /// The link-layer address option of the message's kind; the first when there are several.
    public let linkLayerAddress: MACAddress?

    /// The eight bits after the checksum: router, solicited, override in an advertisement.
    public let flags: UInt8

    /// Checks and reads the payload of `packet`.
    public init(_ packet: borrowing IPv6View) throws(DecodeError) {
        let message = packet.payload
        guard packet.nextHeader == Self.icmpv6, message.count >= 1,
            let kind = Kind(rawValue: message[0])
        else { throw .otherProtocol }
        guard packet.hopLimit == 255 else { throw .hopLimit }
        guard message.count >= Self.fixedLength else { throw .messageTooShort }
        guard message[1] == 0 else { throw .code }
        var sum = InternetChecksum()
        sum.add(packet.source)
        sum.add(packet.destination)
        sum.add(UInt16(message.count))
        sum.add(UInt16(Self.icmpv6))
        sum.add(message)
        guard sum.value == 0 else { throw .checksum }
        self.kind = kind
        source = packet.source
        destination = packet.destination
        flags = message[4]
        target = message.ipv6Address(at: 8)
        guard !target.isMulticast else { throw .multicastTarget }
        linkLayerAddress = try Self.option(kind.linkLayerOption, in: message)
    }

    /// Walks all options, so that a bad length behind the wanted one is still found.
    private static func option(
        _ wanted: UInt8, in message: Span<UInt8>
    ) throws(DecodeError) -> MACAddress? {
        var found: MACAddress?
        var offset = fixedLength
        while offset < message.count {
            guard offset + 2 <= message.count else { throw .optionLength }
            let length = Int(message[offset + 1]) * 8
            guard length > 0, offset + length <= message.count else { throw .optionLength }
            if message[offset] == wanted, found == nil {
                guard length == 8 else { throw .linkLayerOption }
                let address = message.macAddress(at: offset + 2)
                guard address.isStation else { throw .hardwareNotUnicast }
                found = address
            }
            offset += length
        }
        return found
    }

    static let icmpv6: UInt8 = 58
    static let fixedLength = 24
}
