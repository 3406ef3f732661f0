public import NetworkTypes

/// Network Layer Reachability Information: prefixes as they stand in an UPDATE, each one byte of
/// length in bits and as many bytes as these need (RFC 4271 §4.3, RFC 4760 §5).
public enum NLRI {
    /// Why a list of prefixes cannot be read (RFC 7606 §5.3).
    public enum Malformed: Error, Hashable, Sendable {
        /// The last prefix needs more bytes than the field has.
        case overrun
        /// A prefix is longer than an address of its family.
        case tooLong
    }

    /// How many bytes a prefix takes: 1–17.
    @inlinable public static func encodedLength(_ prefix: Prefix) -> Int {
        1 + (prefix.length + 7) >> 3
    }

    /// Appends a prefix to `buffer`.
    @inlinable public static func append(_ prefix: Prefix, to buffer: inout [UInt8]) {
        buffer.append(UInt8(truncatingIfNeeded: prefix.length))
        var shift = prefix.family.bitWidth
        let end = shift - (prefix.length + 7) & ~7
        while shift > end {
            shift -= 8
            buffer.append(UInt8(truncatingIfNeeded: prefix.network.bits >> UInt128(shift)))
        }
    }

    /// Appends a prefix to `writer`.
    public static func append(_ prefix: Prefix, to writer: inout ByteWriter) {
        var bytes: [UInt8] = []
        append(prefix, to: &bytes)
        writer.append(bytes)
    }

    /// Reads the prefixes of `family` that `bytes` consists of; bits beyond a length are cleared.
    public static func decode(
        _ bytes: Span<UInt8>, family: IPAddress.Family
    ) throws(Malformed) -> [Prefix] {
        var prefixes: [Prefix] = []
        _ = try decode(bytes, 0..<bytes.count, family: family, into: &prefixes)
        return prefixes
    }

    /// Appends the prefixes in `range` of `bytes` to `prefixes`, but for those that are multicast,
    /// which are no routes to anywhere and are passed over (RFC 4271 §6.3).
    ///
    /// - Returns: whether there was a multicast one.
    static func decode(
        _ bytes: Span<UInt8>, _ range: Range<Int>, family: IPAddress.Family,
        into prefixes: inout [Prefix]
    ) throws(Malformed) -> Bool {
        let width = family.bitWidth
        var hasMulticast = false
        var offset = range.lowerBound
        while offset < range.upperBound {
            let length = Int(bytes[offset])
            let count = (length + 7) >> 3
            offset += 1
            guard count <= range.upperBound - offset else { throw .overrun }
            guard length <= width else { throw .tooLong }
            var bits: UInt128 = 0
            for index in offset..<offset + count { bits = bits << 8 | UInt128(bytes[index]) }
            offset += count
            let address = IPAddress(family: family, bits: bits << UInt128(width - count * 8))
            guard let prefix = Prefix(address, length: length) else { throw .tooLong }
            if length >= 4, prefix.network.isMulticast {
                hasMulticast = true
            } else {
                prefixes.append(prefix)
            }
        }
        return hasMulticast
    }
}
