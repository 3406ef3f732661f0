/// A member, in eight bytes: the hash of its node name.
///
/// The hash is FNV-1a (64 bit) over the name's UTF-8, put through the finalizer of SplitMix64. It
/// is part of the wire format and therefore frozen; a test holds it to fixed values. Names that
/// collide (at 4,096 nodes, one chance in two million million) are refused by whoever sees both.
public struct NodeID: Hashable, Comparable, Sendable {
    /// The hash.
    public let bits: UInt64

    /// The identifier as it stands on the wire.
    public init(bits: UInt64) { self.bits = bits }

    /// The identifier of a node name.
    public init(name: String) {
        var state: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in name.utf8 { state = (state ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
        bits = state.mixed
    }

    /// By number; the order has no meaning but is the same everywhere.
    public static func < (left: NodeID, right: NodeID) -> Bool { left.bits < right.bits }
}

extension UInt64 {
    /// The finalizer of SplitMix64: every input bit changes half of the output bits.
    var mixed: UInt64 {
        var mixed = (self ^ self >> 30) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
        return mixed ^ mixed >> 31
    }
}
