/// Builds a message of integers in network order.
public struct ByteWriter: Sendable {
    /// What has been written so far.
    public private(set) var bytes: [UInt8]

    /// Starts empty, with room for `capacity` bytes before the first growth.
    public init(capacity: Int = 64) {
        bytes = []
        bytes.reserveCapacity(capacity)
    }

    /// How many bytes have been written.
    public var count: Int { bytes.count }

    /// Appends one byte.
    public mutating func uint8(_ value: UInt8) { bytes.append(value) }

    /// Appends two bytes.
    public mutating func uint16(_ value: UInt16) { integer(value) }

    /// Appends four bytes.
    public mutating func uint32(_ value: UInt32) { integer(value) }

    /// Appends eight bytes.
    public mutating func uint64(_ value: UInt64) { integer(value) }

    /// Appends the 4 or 16 bytes of an address.
    public mutating func address(_ address: IPAddress) {
        switch address.family {
        case .ipv4: integer(UInt32(truncatingIfNeeded: address.bits))
        case .ipv6: integer(address.bits)
        }
    }

    /// Appends the six bytes of a link-layer address.
    public mutating func macAddress(_ address: MACAddress) {
        uint16(UInt16(truncatingIfNeeded: address.bits >> 32))
        uint32(UInt32(truncatingIfNeeded: address.bits))
    }

    /// Appends bytes as they are.
    public mutating func append(_ more: some Sequence<UInt8>) { bytes.append(contentsOf: more) }

    /// Overwrites two bytes at `offset`, for a length or a checksum known only later.
    ///
    /// - Precondition: both bytes have been written already.
    public mutating func setUInt16(_ value: UInt16, at offset: Int) {
        bytes[offset] = UInt8(truncatingIfNeeded: value >> 8)
        bytes[offset + 1] = UInt8(truncatingIfNeeded: value)
    }

    private mutating func integer(_ value: some FixedWidthInteger & UnsignedInteger) {
        var shift = value.bitWidth
        while shift > 0 {
            shift -= 8
            bytes.append(UInt8(truncatingIfNeeded: value >> type(of: value).init(shift)))
        }
    }
}
