/// An IPv4 or IPv6 address: one 128-bit integer and the family it belongs to.
///
/// IPv4 uses the low 32 bits, so arithmetic, ordering and prefixes are one piece of code for both
/// families. Addresses order by family first (IPv4 before IPv6), then by value.
public struct IPAddress: Hashable, Sendable {
    /// The address family. The raw value is the IP version number.
    public enum Family: UInt8, Hashable, Sendable, CaseIterable {
        /// Internet Protocol version 4, 32-bit addresses (RFC 791).
        case ipv4 = 4
        /// Internet Protocol version 6, 128-bit addresses (RFC 8200).
        case ipv6 = 6

        /// The width of an address in bits: 32 or 128.
        @inlinable public var bitWidth: Int { self == .ipv4 ? 32 : 128 }

        /// The width of an address in bytes: 4 or 16.
        @inlinable public var byteWidth: Int { bitWidth / 8 }

        /// The highest address of the family, as an integer.
        @inlinable public var maximum: UInt128 {
            self == .ipv4 ? UInt128(UInt32.max) : .max
        }
    }

    /// The family the address belongs to.
    public let family: Family

    /// The address as an integer in host order; an IPv4 address uses the low 32 bits.
    public let bits: UInt128

    /// Makes an address from an integer.
    ///
    /// - Precondition: `bits` fits the family's width; a larger value is a bug of the caller.
    @inlinable public init(family: Family, bits: UInt128) {
        precondition(bits <= family.maximum, "address wider than its family")
        self.family = family
        self.bits = bits
    }

    /// Makes an IPv4 address from its 32 bits in host order.
    @inlinable public init(ipv4 bits: UInt32) {
        self.init(family: .ipv4, bits: UInt128(bits))
    }

    /// Makes an address from 4 or 16 bytes in network order; `nil` for any other count.
    public init?(bytes: [UInt8]) {
        switch bytes.count {
        case 4: family = .ipv4
        case 16: family = .ipv6
        default: return nil
        }
        bits = bytes.reduce(0) { $0 << 8 | UInt128($1) }
    }

    /// The bytes in network order: 4 or 16 of them.
    public var bytes: [UInt8] {
        (0..<family.byteWidth).map {
            UInt8(truncatingIfNeeded: bits >> UInt128((family.byteWidth - 1 - $0) * 8))
        }
    }

    /// The address `distance` above this one, or `nil` past the end of the family.
    @inlinable public func advanced(by distance: UInt128) -> IPAddress? {
        let (sum, overflow) = bits.addingReportingOverflow(distance)
        return overflow || sum > family.maximum ? nil : IPAddress(family: family, bits: sum)
    }

    /// True for `0.0.0.0` and `::` (RFC 1122 §3.2.1.3, RFC 4291 §2.5.2).
    @inlinable public var isUnspecified: Bool { bits == 0 }

    /// True for `224.0.0.0/4` and `ff00::/8` (RFC 5771, RFC 4291 §2.7).
    @inlinable public var isMulticast: Bool {
        family == .ipv4 ? bits >> 28 == 0xe : bits >> 120 == 0xff
    }

    /// True for `127.0.0.0/8` and `::1` (RFC 1122 §3.2.1.3, RFC 4291 §2.5.3).
    @inlinable public var isLoopback: Bool {
        family == .ipv4 ? bits >> 24 == 127 : bits == 1
    }

    /// True for `169.254.0.0/16` and `fe80::/10` (RFC 3927, RFC 4291 §2.5.6).
    @inlinable public var isLinkLocal: Bool {
        family == .ipv4 ? bits >> 16 == 0xa9fe : bits >> 118 == 0x3fa
    }

    /// The solicited-node multicast address of an IPv6 address, `ff02::1:ff` and its low 24 bits
    /// (RFC 4291 §2.7.1); `nil` for IPv4, which has none.
    public var solicitedNodeMulticast: IPAddress? {
        guard family == .ipv6 else { return nil }
        let prefix: UInt128 = 0xff02_0000_0000_0000_0000_0001_ff00_0000
        return IPAddress(family: .ipv6, bits: prefix | bits & 0xff_ffff)
    }

    /// `ff02::1`, all nodes on the link (RFC 4291 §2.7.1).
    public static let allNodesMulticast = IPAddress(
        family: .ipv6, bits: 0xff02_0000_0000_0000_0000_0000_0000_0001)

    /// `::`, the source of a node that has no address yet (RFC 4291 §2.5.2).
    public static let unspecifiedIPv6 = IPAddress(family: .ipv6, bits: 0)

    /// `0.0.0.0`, the sender of an ARP probe (RFC 5227 §1.1).
    public static let unspecifiedIPv4 = IPAddress(family: .ipv4, bits: 0)
}

extension IPAddress: Comparable {
    /// IPv4 before IPv6, then by value.
    @inlinable public static func < (left: IPAddress, right: IPAddress) -> Bool {
        left.family == right.family
            ? left.bits < right.bits : left.family.rawValue < right.family.rawValue
    }
}
