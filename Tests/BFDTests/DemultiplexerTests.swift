import BFD
import NetworkTypes
import Testing

@Suite("Which session a packet belongs to")
struct DemultiplexerTests {
    private static let families = IPAddress.Family.allCases

    private static func address(_ family: IPAddress.Family, _ host: UInt128) -> IPAddress {
        IPAddress(
            family: family,
            bits: (family == .ipv4 ? 0xc000_0200 : 0x2001_0db8 << 96) + host)
    }

    private static func arrival(
        _ family: IPAddress.Family, from source: UInt128 = 1, to destination: UInt128 = 2,
        interface: UInt32 = 5, isMultihop: Bool = false
    ) -> BFDArrival {
        BFDArrival(
            source: address(family, source), destination: address(family, destination),
            interface: interface, isMultihop: isMultihop)
    }

    private static func packet(_ state: BFDState, yours: UInt32) -> BFDPacket {
        var packet = BFDPacket.heard(state)
        packet.yourDiscriminator = yours
        return packet
    }

    @Test(
        "A packet with our discriminator belongs there, wherever it comes from", arguments: families
    )
    func byDiscriminator(family: IPAddress.Family) throws {
        var sessions = BFDDemultiplexer(seed: 1)
        let one = try sessions.added(
            BFDEndpoint(remote: Self.address(family, 1), isMultihop: false))
        let two = try sessions.added(
            BFDEndpoint(remote: Self.address(family, 9), isMultihop: false))
        #expect(one != two && one != 0 && two != 0)
        let packet = Self.packet(.up, yours: two)
        #expect(try sessions.session(of: packet, Self.arrival(family, interface: 8)) == two)
        sessions.remove(two)
        #expect(throws: BFDDiscard.unknownDiscriminator) {
            try sessions.session(of: packet, Self.arrival(family))
        }
    }

    @Test("A discriminator of a session of one hop is none on the port of many (RFC 5883 §5)")
    func hops() throws {
        var sessions = BFDDemultiplexer(seed: 1)
        let one = try sessions.added(BFDEndpoint(remote: Self.address(.ipv4, 1), isMultihop: false))
        for yours in [one, 0] {
            #expect(throws: yours == 0 ? BFDDiscard.noSession : .unknownDiscriminator) {
                try sessions.session(
                    of: Self.packet(.down, yours: yours), Self.arrival(.ipv4, isMultihop: true))
            }
        }
    }

    @Test("Without one, only Down and AdminDown may come (RFC 5880 §6.8.6)", arguments: families)
    func states(family: IPAddress.Family) throws {
        var sessions = BFDDemultiplexer(seed: 1)
        let one = try sessions.added(
            BFDEndpoint(remote: Self.address(family, 1), isMultihop: false))
        for state in [BFDState.down, .adminDown] {
            let packet = Self.packet(state, yours: 0)
            #expect(try sessions.session(of: packet, Self.arrival(family)) == one)
        }
        for state in [BFDState.`init`, .up] {
            #expect(throws: BFDDiscard.yourDiscriminatorZero) {
                try sessions.session(of: Self.packet(state, yours: 0), Self.arrival(family))
            }
        }
    }

    @Test(
        "Without one, addresses and interface decide, and the most precise session wins",
        arguments: families)
    func byAddresses(family: IPAddress.Family) throws {
        var sessions = BFDDemultiplexer(seed: 1)
        let remote = Self.address(family, 1)
        let any = try sessions.added(BFDEndpoint(remote: remote, isMultihop: false))
        let local = try sessions.added(
            BFDEndpoint(remote: remote, local: Self.address(family, 3), isMultihop: false))
        let interface = try sessions.added(
            BFDEndpoint(remote: remote, interface: 7, isMultihop: false))
        let far = try sessions.added(BFDEndpoint(remote: remote, isMultihop: true))
        let packet = Self.packet(.down, yours: 0)
        #expect(try sessions.session(of: packet, Self.arrival(family)) == any)
        #expect(try sessions.session(of: packet, Self.arrival(family, to: 3)) == local)
        #expect(try sessions.session(of: packet, Self.arrival(family, interface: 7)) == interface)
        #expect(
            try sessions.session(of: packet, Self.arrival(family, to: 3, interface: 7))
                == interface)
        #expect(try sessions.session(of: packet, Self.arrival(family, isMultihop: true)) == far)
        #expect(throws: BFDDiscard.noSession) {
            try sessions.session(of: packet, Self.arrival(family, from: 4))
        }
    }

    @Test("One link-local address on two links is two neighbors")
    func linkLocal() throws {
        var sessions = BFDDemultiplexer(seed: 1)
        let neighbor = IPAddress(family: .ipv6, bits: 0xfe80 << 112 | 1)
        let discriminators = try [UInt32(3), 4].map { interface in
            try sessions.added(
                BFDEndpoint(remote: neighbor, interface: interface, isMultihop: false))
        }
        for (interface, discriminator) in zip([UInt32(3), 4], discriminators) {
            let arrival = BFDArrival(
                source: neighbor, destination: IPAddress(family: .ipv6, bits: 0xfe80 << 112 | 2),
                interface: interface, isMultihop: false)
            #expect(
                try sessions.session(of: Self.packet(.down, yours: 0), arrival) == discriminator)
        }
    }

    @Test("The same ends twice, and more sessions than the bound, are refused")
    func bounds() throws {
        var sessions = BFDDemultiplexer(seed: 1)
        var given: Set<UInt32> = []
        for host in 0..<UInt128(BFDDemultiplexer.maximumSessions) {
            let endpoint = BFDEndpoint(remote: Self.address(.ipv6, host), isMultihop: false)
            given.insert(try sessions.added(endpoint))
            if host == 0 {
                let again = sessions.add(endpoint)
                #expect(again == nil)
            }
        }
        #expect(given.count == BFDDemultiplexer.maximumSessions)
        let more = BFDEndpoint(remote: Self.address(.ipv4, 1), isMultihop: false)
        let refused = sessions.add(more)
        #expect(refused == nil)
        sessions.remove(try #require(given.first))
        _ = try sessions.added(more)
        #expect(sessions.count == BFDDemultiplexer.maximumSessions)
    }
}

extension BFDDemultiplexer {
    /// Adds a session that has to be admitted.
    fileprivate mutating func added(_ endpoint: BFDEndpoint) throws -> UInt32 {
        let discriminator = add(endpoint)
        return try #require(discriminator)
    }
}
