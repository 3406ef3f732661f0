import NetworkTypes

/// The hash that ranks nodes for an address (highest random weight, Thaler and Ravishankar 1998).
///
/// A seed is FNV-1a (64 bit) over the bytes, put through the finalizer of SplitMix64: over the
/// UTF-8 of a node name, and over the IP version number followed by the address in network order.
/// The score of a pair is the same finalizer over the two seeds, xor-ed; the highest score ranks
/// first, equal scores rank by name. Nodes of different versions must agree on this, so the
/// function is frozen; a test holds it to fixed values.
enum RendezvousHash {
    /// The seed of a node.
    static func seed(node name: String) -> UInt64 {
        var state = offsetBasis
        for byte in name.utf8 { absorb(byte, into: &state) }
        return finalize(state)
    }

    /// The seed of an address.
    static func seed(_ address: IPAddress) -> UInt64 {
        var state = offsetBasis
        absorb(address.family.rawValue, into: &state)
        var shift = address.family.bitWidth
        while shift > 0 {
            shift -= 8
            absorb(UInt8(truncatingIfNeeded: address.bits >> UInt128(shift)), into: &state)
        }
        return finalize(state)
    }

    /// How high a node ranks for an address.
    @inline(__always)
    static func score(node: UInt64, address: UInt64) -> UInt64 { finalize(node ^ address) }

    private static let offsetBasis: UInt64 = 0xcbf2_9ce4_8422_2325

    @inline(__always)
    private static func absorb(_ byte: UInt8, into state: inout UInt64) {
        state = (state ^ UInt64(byte)) &* 0x0000_0100_0000_01b3
    }

    @inline(__always)
    private static func finalize(_ value: UInt64) -> UInt64 {
        var mixed = (value ^ value >> 30) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
        return mixed ^ mixed >> 31
    }
}
