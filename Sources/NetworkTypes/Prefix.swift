/// An address block in CIDR form (RFC 4632, RFC 4291 §2.3): a network address and a length.
public struct Prefix: Hashable, Sendable {
    /// The lowest address of the block; its host bits are zero.
    public let network: IPAddress

    /// The length in bits: 0–32 for IPv4, 0–128 for IPv6.
    public let length: Int

    /// The block of `length` bits that holds `address`; `nil` when the length does not fit the
    /// family. Host bits of `address` are cleared.
    public init?(_ address: IPAddress, length: Int) {
        guard (0...address.family.bitWidth).contains(length) else { return nil }
        let mask = Self.hostMask(address.family, length)
        self.network = IPAddress(family: address.family, bits: address.bits & ~mask)
        self.length = length
    }

    private static func hostMask(_ family: IPAddress.Family, _ length: Int) -> UInt128 {
        length == 0 ? family.maximum : family.maximum >> UInt128(length)
    }

    /// The family of the block.
    public var family: IPAddress.Family { network.family }

    /// The lowest and the highest address of the block.
    public var range: AddressRange {
        let last = network.bits | Self.hostMask(family, length)
        return AddressRange(unchecked: network, last: IPAddress(family: family, bits: last))
    }

    /// Whether the address lies in the block; never for another family.
    public func contains(_ address: IPAddress) -> Bool {
        address.family == family
            && (address.bits ^ network.bits) & ~Self.hostMask(family, length) == 0
    }
}

extension Prefix: LosslessStringConvertible {
    /// Reads `address/length`. Host bits may be set; they are cleared.
    public init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let address = IPAddress(parts[0]),
            (1...3).contains(parts[1].utf8.count),
            parts[1].utf8.allSatisfy({ (0x30...0x39).contains($0) }), let length = Int(parts[1])
        else { return nil }
        self.init(address, length: length)
    }

    /// `network/length` with the network in canonical form.
    public var description: String { "\(network)/\(length)" }
}
