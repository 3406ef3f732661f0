/// A 48-bit link-layer address (IEEE 802 EUI-48), in the low 48 bits of an integer.
public struct MACAddress: Hashable, Sendable {
    /// The address as an integer in host order; the high 16 bits are zero.
    public let bits: UInt64

    /// Makes an address from the low 48 bits of an integer; the rest is ignored.
    @inlinable public init(bits: UInt64) {
        self.bits = bits & 0xffff_ffff_ffff
    }

    /// Makes an address from 6 bytes in transmission order; `nil` for any other count.
    public init?(bytes: [UInt8]) {
        guard bytes.count == 6 else { return nil }
        self.init(bits: bytes.reduce(0) { $0 << 8 | UInt64($1) })
    }

    /// The 6 bytes in transmission order.
    public var bytes: [UInt8] {
        (0..<6).map { UInt8(truncatingIfNeeded: bits >> UInt64((5 - $0) * 8)) }
    }

    /// `ff:ff:ff:ff:ff:ff`.
    public static let broadcast = MACAddress(bits: 0xffff_ffff_ffff)

    /// `00:00:00:00:00:00`, the target of an ARP request.
    public static let zero = MACAddress(bits: 0)

    /// True when the group bit is set: multicast or broadcast, never a valid sender.
    @inlinable public var isGroup: Bool { bits >> 40 & 1 == 1 }

    /// The link-layer group for a multicast IP address: `01:00:5e` plus 23 bits (RFC 1112 §6.4),
    /// `33:33` plus 32 bits (RFC 2464 §7); `nil` when the address is not multicast.
    public init?(multicast address: IPAddress) {
        guard address.isMulticast else { return nil }
        switch address.family {
        case .ipv4: self.init(bits: 0x0100_5e00_0000 | UInt64(address.bits & 0x7f_ffff))
        case .ipv6: self.init(bits: 0x3333_0000_0000 | UInt64(address.bits & 0xffff_ffff))
        }
    }
}

extension MACAddress: LosslessStringConvertible {
    /// Reads six hex pairs between colons or dashes, in any case.
    public init?(_ text: String) {
        let parts = text.split(omittingEmptySubsequences: false) { $0 == ":" || $0 == "-" }
        guard parts.count == 6 else { return nil }
        var bits: UInt64 = 0
        for part in parts {
            guard part.utf8.count == 2, part.allSatisfy(\.isHexDigit),
                let byte = UInt8(part, radix: 16)
            else { return nil }
            bits = bits << 8 | UInt64(byte)
        }
        self.init(bits: bits)
    }

    /// Six lower-case hex pairs between colons.
    public var description: String {
        bytes.map { $0 < 16 ? "0" + String($0, radix: 16) : String($0, radix: 16) }
            .joined(separator: ":")
    }
}
