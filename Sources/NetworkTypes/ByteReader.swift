/// Reads integers in network order from a span of bytes; running short is an error, never a trap.
public struct ByteReader: ~Escapable {
    /// The input ended before the value did.
    public struct Truncated: Error, Equatable, Sendable {
        /// Offset of the value from the start of the span.
        public let offset: Int
        /// How many bytes the value needed.
        public let needed: Int

        @inlinable init(offset: Int, needed: Int) {
            self.offset = offset
            self.needed = needed
        }
    }

    @usableFromInline let bytes: Span<UInt8>

    /// Offset of the next byte, from the start of the span.
    public private(set) var offset: Int

    /// Starts at the first byte of `bytes`.
    @_lifetime(copy bytes)
    public init(_ bytes: Span<UInt8>) {
        self.bytes = bytes
        self.offset = 0
    }

    /// How many bytes are left.
    public var remaining: Int { bytes.count - offset }

    @_lifetime(self: copy self)
    private mutating func take(_ count: Int) throws(Truncated) -> Int {
        guard count >= 0, count <= remaining else {
            throw Truncated(offset: offset, needed: count)
        }
        let start = offset
        offset += count
        return start
    }

    @_lifetime(self: copy self)
    private mutating func integer<Value: FixedWidthInteger & UnsignedInteger>(
        _ type: Value.Type
    ) throws(Truncated) -> Value {
        let start = try take(Value.bitWidth / 8)
        var value: Value = 0
        for index in start..<offset { value = value << 8 | Value(bytes[index]) }
        return value
    }

    /// The next byte.
    @_lifetime(self: copy self)
    public mutating func uint8() throws(Truncated) -> UInt8 {
        bytes[try take(1)]
    }

    /// The next two bytes.
    @_lifetime(self: copy self)
    public mutating func uint16() throws(Truncated) -> UInt16 { try integer(UInt16.self) }

    /// The next four bytes.
    @_lifetime(self: copy self)
    public mutating func uint32() throws(Truncated) -> UInt32 { try integer(UInt32.self) }

    /// The next eight bytes.
    @_lifetime(self: copy self)
    public mutating func uint64() throws(Truncated) -> UInt64 { try integer(UInt64.self) }

    /// The next 4 or 16 bytes as an address of `family`.
    @_lifetime(self: copy self)
    public mutating func address(_ family: IPAddress.Family) throws(Truncated) -> IPAddress {
        switch family {
        case .ipv4: IPAddress(family: .ipv4, bits: UInt128(try integer(UInt32.self)))
        case .ipv6: IPAddress(family: .ipv6, bits: try integer(UInt128.self))
        }
    }

    /// The next six bytes as a link-layer address.
    @_lifetime(self: copy self)
    public mutating func macAddress() throws(Truncated) -> MACAddress {
        let start = try take(6)
        var bits: UInt64 = 0
        for index in start..<offset { bits = bits << 8 | UInt64(bytes[index]) }
        return MACAddress(bits: bits)
    }

    /// The next `count` bytes, copied.
    @_lifetime(self: copy self)
    public mutating func array(_ count: Int) throws(Truncated) -> [UInt8] {
        let start = try take(count)
        var copy: [UInt8] = []
        copy.reserveCapacity(count)
        for index in start..<offset { copy.append(bytes[index]) }
        return copy
    }

    /// Passes over `count` bytes.
    @_lifetime(self: copy self)
    public mutating func skip(_ count: Int) throws(Truncated) {
        _ = try take(count)
    }
}
