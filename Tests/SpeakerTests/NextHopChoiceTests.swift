import BGP
import NetworkTypes
import Testing

@testable import LinuxNetwork
@testable import Speaker

@Suite("Which of the node's addresses routes point to") struct NextHopChoiceTests {
    private static func address(_ text: String) throws -> IPAddress {
        try #require(IPAddress(text))
    }

    private static func link(
        _ index: Int, _ name: String, _ addresses: [String], flags: Link.Flags = [.up, .lowerUp]
    ) throws -> Link {
        var link = Link(
            index: index, name: name, macAddress: nil, hardwareType: 1, flags: flags, kind: nil,
            master: nil)
        for text in addresses {
            let subnet = try #require(Prefix(text))
            let host = try #require(text.split(separator: "/").first.map(String.init))
            link.addresses.insert(InterfaceAddress(address: try address(host), subnet: subnet))
        }
        return link
    }

    private static func table() throws -> LinkTable {
        LinkTable([
            try link(1, "lo", ["127.0.0.1/8"], flags: [.up, .lowerUp, .loopback]),
            try link(2, "eth0", ["192.0.2.11/24", "2001:db8:2::11/64", "fe80::11/64"]),
            try link(3, "eth1", ["fe80::31/64"]),
        ])
    }

    private static func choose(
        _ local: String, extended: Set<RouteFamily> = [], interface: String? = nil,
        isOnLink: Bool = true
    ) throws -> [RouteFamily: NextHop] {
        NextHopChoice(
            local: try address(local), links: try table(), extendedNextHop: extended,
            interface: interface, isOnLink: isOnLink
        ).nextHops()
    }

    @Test("the session's own address is the next hop of its family")
    func own() throws {
        let hops = try Self.choose("192.0.2.11")
        #expect(hops[.ipv4] == NextHop(try Self.address("192.0.2.11")))
    }

    @Test("routes of the other family point to that family's address on the same interface")
    func otherFamily() throws {
        let hops = try Self.choose("192.0.2.11")
        #expect(
            hops[.ipv6]
                == NextHop(
                    try Self.address("2001:db8:2::11"), linkLocal: try Self.address("fe80::11")))
    }

    @Test("a peer some hops away is not told the link-local address")
    func notOnLink() throws {
        let hops = try Self.choose("2001:db8:2::11", isOnLink: false)
        #expect(hops[.ipv6] == NextHop(try Self.address("2001:db8:2::11")))
    }

    @Test("over an interface without other addresses IPv6 routes point to the link-local one")
    func linkLocalOnly() throws {
        let hops = try Self.choose("fe80::31", interface: "eth1")
        let own = try Self.address("fe80::31")
        #expect(hops[.ipv6] == NextHop(own, linkLocal: own))
        #expect(hops[.ipv4] == nil)
    }

    @Test("IPv4 routes point there, too, when the peer takes IPv6 next hops")
    func extended() throws {
        let hops = try Self.choose("fe80::31", extended: [.ipv4], interface: "eth1")
        let own = try Self.address("fe80::31")
        #expect(hops[.ipv4] == NextHop(own, linkLocal: own))
    }

    @Test("a session over IPv6 with extended next hops prefers them to an IPv4 address")
    func extendedPreferred() throws {
        let hops = try Self.choose("2001:db8:2::11", extended: [.ipv4])
        #expect(hops[.ipv4]?.address == (try Self.address("2001:db8:2::11")))
        let classic = try Self.choose("2001:db8:2::11")
        #expect(classic[.ipv4]?.address == (try Self.address("192.0.2.11")))
    }

    @Test("routes told to a daemon on the same host never point to loopback")
    func loopback() throws {
        let hops = try Self.choose("127.0.0.1")
        #expect(hops[.ipv4] == NextHop(try Self.address("192.0.2.11")))
        #expect(hops[.ipv6]?.address == (try Self.address("2001:db8:2::11")))
    }
}
