/// The ones' complement sum of 16-bit words that IPv4, ICMP, ICMPv6, TCP and UDP use (RFC 1071).
public struct InternetChecksum: Sendable {
    private var sum: UInt64 = 0

    /// Starts with a sum of zero.
    public init() {}

    /// Adds a 16-bit word.
    public mutating func add(_ word: UInt16) { sum += UInt64(word) }

    /// Adds bytes in pairs; an odd last byte is padded with zero on the right.
    public mutating func add(_ bytes: Span<UInt8>) {
        var index = 0
        while index + 1 < bytes.count {
            sum += UInt64(bytes[index]) << 8 | UInt64(bytes[index + 1])
            index += 2
        }
        if index < bytes.count { sum += UInt64(bytes[index]) << 8 }
    }

    /// Adds the 4 or 16 bytes of an address, as a pseudo-header needs (RFC 8200 §8.1).
    public mutating func add(_ address: IPAddress) {
        var rest = address.bits
        while rest != 0 {
            sum += UInt64(rest & 0xffff)
            rest >>= 16
        }
    }

    /// The checksum: the complement of the folded sum. A received message that includes its own
    /// checksum is intact when this is zero.
    public var value: UInt16 {
        var folded = sum
        while folded > 0xffff { folded = folded >> 16 + folded & 0xffff }
        return ~UInt16(truncatingIfNeeded: folded)
    }
}
