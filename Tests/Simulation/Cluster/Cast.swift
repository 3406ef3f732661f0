import NetworkTypes

/// Names and addresses of everybody in a simulation, by number. Documentation addresses only
/// (RFC 5737, RFC 2544, RFC 3849).
package enum Cast {
    /// How many nodes there can be.
    package static let maximumNodes = 16_384
    /// The port of the gossip.
    package static let gossipPort: UInt16 = 7481
    /// The interface that every node has.
    package static let interface = "eth0"

    /// A node's name.
    package static func name(_ node: Int) -> String { "node-\(node)" }

    /// The number of the node of that name.
    package static func number(of name: String) -> Int? { Int(name.dropFirst(5)) }

    /// A node's address on the LAN, where its datagrams go as well.
    package static func nodeAddress(_ node: Int) -> IPAddress {
        IPAddress(ipv4: 0xc612_0001 + UInt32(node))
    }

    /// A node's IPv6 address on the LAN.
    package static func nodeAddress6(_ node: Int) -> IPAddress {
        IPAddress(family: .ipv6, bits: 0x2001_0db8 << 96 | 1 << 64 | UInt128(node + 1))
    }

    /// A node's link-layer address.
    package static func hardware(_ node: Int) -> MACAddress {
        MACAddress(bits: 0x0200_5e10_0000 + UInt64(node))
    }

    /// A client's link-layer address.
    package static func clientHardware(_ client: Int) -> MACAddress {
        MACAddress(bits: 0x0200_5e20_0000 + UInt64(client))
    }

    /// A client's addresses.
    package static func clientAddresses(_ client: Int) -> [IPAddress] {
        [
            IPAddress(ipv4: 0xc613_fe01 + UInt32(client)),
            IPAddress(family: .ipv6, bits: 0x2001_0db8 << 96 | 2 << 64 | UInt128(client + 1)),
        ]
    }

    /// The blocks that are on link everywhere.
    package static let prefixes = [
        Prefix(IPAddress(ipv4: 0xc612_0000), length: 15),
        Prefix(IPAddress(family: .ipv6, bits: 0x2001_0db8 << 96), length: 32),
    ].compactMap { $0 }

    /// Addresses of Services, of both families in turn, ascending.
    package static func serviceAddresses(_ count: Int) -> [IPAddress] {
        let block: UInt128 = 0x2001_0db8 << 96 | 3 << 64
        return (0..<count).map { number -> IPAddress in
            number % 2 == 0
                ? IPAddress(ipv4: 0xc612_8000 + UInt32(number))
                : IPAddress(family: .ipv6, bits: block | UInt128(number))
        }.sorted()
    }
}
