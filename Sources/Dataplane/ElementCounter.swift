/// How often an element of a set was looked up, as the kernel counts it.
///
/// Elements of chains and endpoints are looked up by the first packet of a connection, so that
/// their packets are connections; those of traffic by every packet.
public struct ElementCounter: Hashable, Sendable {
    /// How many packets looked the element up.
    public var packets: UInt64
    /// How many bytes they had, with their IP headers.
    public var bytes: UInt64

    /// A count.
    public init(packets: UInt64 = 0, bytes: UInt64 = 0) {
        self.packets = packets
        self.bytes = bytes
    }

    /// Both counts together; what passes 64 bits begins anew.
    public static func + (left: Self, right: Self) -> Self {
        Self(packets: left.packets &+ right.packets, bytes: left.bytes &+ right.bytes)
    }

    /// What came since an earlier look at the same element. One that counts less than before has
    /// been made anew, so that all it counts came since.
    public func since(_ earlier: Self?) -> Self {
        guard let earlier, packets >= earlier.packets, bytes >= earlier.bytes else { return self }
        return Self(packets: packets - earlier.packets, bytes: bytes - earlier.bytes)
    }
}
