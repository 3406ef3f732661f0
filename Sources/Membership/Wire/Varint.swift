import NetworkTypes

// Unsigned LEB128 (DWARF 5 §7.6): seven bits a byte, the low ones first, the high bit set on all
// bytes but the last. Only the shortest form is read, so that a value has one encoding.

/// How a variable-length number failed to be one.
enum VarintError: Error {
    case truncated(ByteReader.Truncated)
    case notShortest
}

extension ByteReader {
    /// The next number of variable length: 1 to 10 bytes.
    @_lifetime(self: copy self)
    mutating func varint() throws(VarintError) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while true {
            let byte: UInt8
            do throws(Truncated) { byte = try uint8() } catch { throw .truncated(error) }
            // The tenth byte has room for the 64th bit alone.
            guard shift < 63 || byte <= 1 else { throw .notShortest }
            value |= UInt64(byte & 0x7f) << shift
            if byte & 0x80 == 0 {
                guard byte != 0 || shift == 0 else { throw .notShortest }
                return value
            }
            shift += 7
        }
    }
}

extension ByteWriter {
    /// Appends a number in as few bytes as it needs.
    mutating func varint(_ value: UInt64) {
        var rest = value
        while rest > 0x7f {
            uint8(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        uint8(UInt8(rest))
    }
}

extension UInt64 {
    /// How many bytes the number takes in variable length.
    var varintLength: Int { Swift.max(1, (Self.bitWidth - leadingZeroBitCount + 6) / 7) }
}
