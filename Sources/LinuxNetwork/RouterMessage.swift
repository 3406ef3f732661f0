import NetworkTypes

/// A router advertisement or solicitation (RFC 4861 §§4.1–4.2), as far as finding the neighbour on
/// a link takes it: options other than the link-layer address are checked for form and passed over.
package enum RouterMessage: Hashable, Sendable {
    /// A router says that it is there.
    case advertisement(RouterAdvertisement)
    /// Somebody asks routers to say so; with its link-layer address, if it told.
    case solicitation(MACAddress?)

    /// Why a message is not to be believed (§§6.1.1–6.1.2).
    package enum Fault: Error, Hashable, Sendable, CaseIterable {
        /// The hop limit is not 255: it may come from beyond the link.
        case hopLimit
        /// An advertisement that does not come from a link-local address, or a source that is a
        /// group.
        case source
        /// Too short, or cut.
        case truncated
        /// Neither of the two types.
        case type
        /// A code other than 0.
        case code
        /// An option of length 0 or beyond the end, or a link-layer address in a solicitation that
        /// has no source.
        case option
    }

    private enum Kind {
        static let solicitation: UInt8 = 133
        static let advertisement: UInt8 = 134
        static let sourceLinkAddress: UInt8 = 1
    }

    /// Reads an ICMPv6 message whose checksum holds (the kernel sees to that).
    package init(
        decoding bytes: Span<UInt8>, from source: IPAddress, hopLimit: UInt8
    ) throws(Fault) {
        guard hopLimit == 255 else { throw .hopLimit }
        guard source.family == .ipv6, !source.isMulticast else { throw .source }
        guard bytes.count >= 8 else { throw .truncated }
        switch bytes[0] {
        case Kind.solicitation:
            guard bytes[1] == 0 else { throw .code }
            let address = try Self.linkAddress(in: bytes.extracting(8...))
            guard address == nil || !source.isUnspecified else { throw .option }
            self = .solicitation(address)
        case Kind.advertisement:
            guard source.isLinkLocal else { throw .source }
            guard bytes[1] == 0 else { throw .code }
            guard bytes.count >= 16 else { throw .truncated }
            let address = try Self.linkAddress(in: bytes.extracting(16...))
            let lifetime = UInt16(bytes[6]) << 8 | UInt16(bytes[7])
            self = .advertisement(RouterAdvertisement(lifetime: lifetime, linkAddress: address))
        default:
            throw .type
        }
    }

    /// The source link-layer address among options; every option's form is checked (§4.6).
    private static func linkAddress(in options: Span<UInt8>) throws(Fault) -> MACAddress? {
        var found: MACAddress?
        var offset = 0
        while offset < options.count {
            guard offset + 1 < options.count else { throw .option }
            let length = Int(options[offset + 1]) * 8
            guard length > 0, offset + length <= options.count else { throw .option }
            if options[offset] == Kind.sourceLinkAddress, length == 8 {
                var bits: UInt64 = 0
                for index in 2..<8 { bits = bits << 8 | UInt64(options[offset + index]) }
                found = found ?? MACAddress(bits: bits)
            }
            offset += length
        }
        return found
    }

    /// The message in network order, with a checksum of zero: the kernel computes it.
    package var encoded: [UInt8] {
        var writer = ByteWriter(capacity: 24)
        let address: MACAddress?
        switch self {
        case .solicitation(let linkAddress):
            address = linkAddress
            writer.uint8(Kind.solicitation)
            writer.uint8(0)
            writer.uint16(0)
            writer.uint32(0)
        case .advertisement(let advertisement):
            address = advertisement.linkAddress
            writer.uint8(Kind.advertisement)
            writer.uint8(0)
            writer.uint16(0)
            // Hop limit, flags, reachable time and retransmission timer: nothing is prescribed.
            writer.uint16(0)
            writer.uint16(advertisement.lifetime)
            writer.uint64(0)
        }
        if let address {
            writer.uint8(Kind.sourceLinkAddress)
            writer.uint8(1)
            writer.macAddress(address)
        }
        return writer.bytes
    }

    /// The group that it goes to: all nodes or all routers on the link.
    package var group: IPAddress {
        switch self {
        case .advertisement: .allNodesMulticast
        case .solicitation:
            IPAddress(family: .ipv6, bits: 0xff02_0000_0000_0000_0000_0000_0000_0002)
        }
    }
}

/// What a router says of itself. We say it with a lifetime of 0: we are a neighbour to hold a BGP
/// session with, not a default router, and hosts that listen take nothing from it.
package struct RouterAdvertisement: Hashable, Sendable {
    /// For how many seconds it is a default router; 0: it is none.
    package var lifetime: UInt16
    /// Its link-layer address, if it told.
    package var linkAddress: MACAddress?

    /// Makes an advertisement.
    package init(lifetime: UInt16 = 0, linkAddress: MACAddress? = nil) {
        self.lifetime = lifetime
        self.linkAddress = linkAddress
    }
}
