import NetworkTypes

/// Integers in network order at fixed offsets, for views that have checked the length already.
///
/// With constant offsets the optimizer turns each into one load and one byte swap.
extension Span where Element == UInt8 {
    @inline(__always)
    func uint16(at offset: Int) -> UInt16 {
        UInt16(self[offset]) << 8 | UInt16(self[offset + 1])
    }

    @inline(__always)
    func uint32(at offset: Int) -> UInt32 {
        UInt32(uint16(at: offset)) << 16 | UInt32(uint16(at: offset + 2))
    }

    @inline(__always)
    func uint64(at offset: Int) -> UInt64 {
        UInt64(uint32(at: offset)) << 32 | UInt64(uint32(at: offset + 4))
    }

    @inline(__always)
    func ipv4Address(at offset: Int) -> IPAddress {
        IPAddress(ipv4: uint32(at: offset))
    }

    @inline(__always)
    func ipv6Address(at offset: Int) -> IPAddress {
        let high = UInt128(uint64(at: offset)) << 64
        return IPAddress(family: .ipv6, bits: high | UInt128(uint64(at: offset + 8)))
    }

    @inline(__always)
    func macAddress(at offset: Int) -> MACAddress {
        MACAddress(bits: UInt64(uint16(at: offset)) << 32 | UInt64(uint32(at: offset + 2)))
    }
}
