import NetworkTypes

/// The header of an IPv6 packet, read in place (RFC 8200 §3).
public struct IPv6View: ~Escapable {
    /// What the header announces as following it: an upper-layer protocol or an extension header.
    public let nextHeader: UInt8

    /// How many links the packet may still cross.
    public let hopLimit: UInt8

    /// The sender's address; never multicast.
    public let source: IPAddress

    /// The receiver's address.
    public let destination: IPAddress

    /// The payload, as long as the header says: link-layer padding is cut off.
    public let payload: Span<UInt8>

    /// Reads the header at the start of `bytes`.
    @_lifetime(copy bytes)
    public init(_ bytes: Span<UInt8>) throws(DecodeError) {
        guard bytes.count >= Self.headerLength else { throw .ipv6TooShort }
        guard bytes[0] >> 4 == 6 else { throw .ipv6Version }
        let end = Self.headerLength + Int(bytes.uint16(at: 4))
        guard end <= bytes.count else { throw .ipv6PayloadLength }
        nextHeader = bytes[6]
        hopLimit = bytes[7]
        source = bytes.ipv6Address(at: 8)
        destination = bytes.ipv6Address(at: 24)
        payload = bytes.extracting(Self.headerLength..<end)
        guard !source.isMulticast else { throw .ipv6MulticastSource }
    }

    static let headerLength = 40
}
