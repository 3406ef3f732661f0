import Layer2
import LinuxNetwork
import NetworkTypes
import TestNetwork
import Testing

@testable import Speaker

@Suite(.enabled(if: Namespace.isAvailable, "needs root to make network namespaces"))
struct Layer2SpeakerTests {
    static let settings = AnnouncementSettings(start: .atOnce)

    static func address(_ text: String) throws -> IPAddress {
        try #require(IPAddress(text))
    }

    /// A speaker on `eth0`, whose far end `far0` the test holds, following the kernel's links.
    private static func withSpeaker(
        interfaces: Set<String> = ["eth0"],
        _ body: @escaping @Sendable (Layer2Speaker) throws -> Void
    ) async throws {
        try await Namespace.run {
            try Namespace.shell(
                """
                ip link add eth0 type veth peer name far0
                ip link set eth0 up
                ip link set far0 up
                """)
            let speaker = Layer2Speaker(interfaces: interfaces)
            let monitor = try LinkMonitor()
            defer {
                monitor.stop()
                speaker.stop()
            }
            try monitor.start(
                failed: { Issue.record($0) }, deliver: { speaker.update(links: $0) })
            try body(speaker)
        }
    }

    /// Asks on `interface` until someone answers for `address`; returns how long that took and the
    /// link-layer address that answered.
    static func ask(
        _ address: IPAddress, on interface: String, within limit: Duration = .seconds(5)
    ) throws -> (Duration, MACAddress)? {
        let socket = try PacketSocket(interface: interface)
        let hardware = try #require(MACAddress("52:54:00:00:00:99"))
        let peer = try #require(
            IPAddress(address.family == .ipv4 ? "192.0.2.99" : "2001:db8::99"))
        var question = FrameBuffer()
        switch address.family {
        case .ipv4:
            ARPPacket(
                operation: .request, senderHardware: hardware, senderAddress: peer,
                targetHardware: .zero, targetAddress: address
            ).encode(to: .broadcast, from: hardware, into: &question)
        case .ipv6:
            let group = try #require(address.solicitedNodeMulticast)
            NeighborSolicitation(
                source: peer, destination: group, target: address,
                sourceLinkLayerAddress: hardware
            ).encode(
                to: try #require(MACAddress(multicast: group)), from: hardware, into: &question)
        }
        let start = MonotonicClock.now()
        var answer: MACAddress?
        let isAnswered = try Namespace.eventually(within: limit) {
            try socket.send(question.span)
            _ = try socket.receive(limit: 256) { frame in
                guard let ethernet = try? EthernetView(frame),
                    ethernet.destination == hardware
                else { return }
                answer = ethernet.source
            }
            return answer != nil
        }
        guard isAnswered, let answer else { return nil }
        return (MonotonicClock.now() - start, answer)
    }

    @Test("both families are answered, and not any more when the plan no longer has them")
    func answers() async throws {
        try await Self.withSpeaker { speaker in
            let addresses = [try Self.address("192.0.2.10"), try Self.address("2001:db8::10")]
            speaker.apply(
                Dictionary(
                    uniqueKeysWithValues: addresses.map { ($0, .init(settings: Self.settings)) }))
            for address in addresses { #expect(try Self.ask(address, on: "far0") != nil) }
            let foreign = try Self.address("192.0.2.11")
            #expect(try Self.ask(foreign, on: "far0", within: .milliseconds(100)) == nil)
            speaker.apply([:])
            for address in addresses {
                #expect(
                    try Namespace.eventually {
                        try Self.ask(address, on: "far0", within: .milliseconds(50)) == nil
                    })
            }
        }
    }

    @Test("after a flap, a new hardware address, and a new interface of the old name: within 1 s")
    func changes() async throws {
        try await Self.withSpeaker { speaker in
            let address = try Self.address("2001:db8::10")
            speaker.apply([address: .init(settings: Self.settings)])
            #expect(try Self.ask(address, on: "far0") != nil)
            for change in [
                "ip link set eth0 down; ip link set eth0 up",
                "ip link set eth0 address 52:54:00:00:00:42",
                """
                ip link del eth0
                ip link add eth0 address 52:54:00:00:00:42 type veth peer name far0
                ip link set eth0 up; ip link set far0 up
                """,
            ] {
                try Namespace.shell(change)
                let (time, hardware) = try #require(try Self.ask(address, on: "far0"))
                #expect(time < .seconds(1))
                if change.contains("42") { #expect(hardware == MACAddress("52:54:00:00:00:42")) }
            }
        }
    }

    @Test("a port given to a bridge: the bridge answers in its place, within 1 s")
    func enslaved() async throws {
        try await Self.withSpeaker { speaker in
            let address = try Self.address("192.0.2.10")
            speaker.apply([address: .init(settings: Self.settings, interfaces: ["eth0"])])
            #expect(try Self.ask(address, on: "far0") != nil)
            try Namespace.shell(
                """
                ip link add br0 address 52:54:00:00:00:b0 type bridge
                ip link set br0 up; ip link set eth0 master br0
                """)
            let bridge = try #require(MACAddress("52:54:00:00:00:b0"))
            let start = MonotonicClock.now()
            #expect(
                try Namespace.eventually {
                    try Self.ask(address, on: "far0", within: .milliseconds(50))?.1 == bridge
                })
            #expect(MonotonicClock.now() - start < .seconds(1))
            #expect(speaker.bindings.map(\.link.name) == ["br0"])
        }
    }

    @Test("a snooping bridge learns our groups from our reports, and keeps them when it asks again")
    func snooping() async throws {
        try await Self.withSpeaker { speaker in
            // Hundredths of a second: asks every second, forgets who has not answered for 2.5 s.
            // It asks from its link-local address, and not before it has one.
            try Namespace.shell(
                """
                sysctl -qw net.ipv6.conf.default.accept_dad=0
                ip link add br0 type bridge mcast_snooping 1 mcast_querier 1 \
                  mcast_query_interval 100 mcast_query_response_interval 10 \
                  mcast_startup_query_interval 100 mcast_membership_interval 250
                ip link set br0 up; ip link set far0 master br0
                """)
            #expect(
                try Namespace.eventually {
                    try Namespace.shell("ip -6 addr show dev br0 scope link").contains("fe80")
                })
            let address = try Self.address("2001:db8::10:1234")
            speaker.apply([address: .init(settings: Self.settings)])
            let entry = "port far0 grp ff02::1:ff10:1234"
            func isKnown() throws -> Bool {
                try Namespace.shell("bridge mdb show dev br0").contains(entry)
            }
            #expect(try Namespace.eventually { try isKnown() })
            let isForgotten = try Namespace.eventually(within: .seconds(4)) { try !isKnown() }
            #expect(!isForgotten)
            speaker.apply([:])
            #expect(try Namespace.eventually { try !isKnown() })
        }
    }

    @Test("the state tells what is so on the wire: nothing is answered while the link is down")
    func state() async throws {
        let (up, down) = try await Self.states()
        let interface = try #require(up.first)
        #expect(interface.isListening && interface.addresses.count == 1)
        #expect(interface.addresses.first?.answeringSince != nil)
        #expect(interface.addresses.first?.counters.responsesSent ?? 0 > 0)
        #expect(down.first?.isListening == false)
        #expect(down.first?.addresses.first?.answeringSince == nil)
    }

    private static func states() async throws
        -> (up: [Layer2InterfaceState], down: [Layer2InterfaceState])
    {
        let speaker = Layer2Speaker(interfaces: ["eth0"])
        defer { speaker.stop() }
        let address = try Self.address("192.0.2.10")
        // The speaker's thread is started inside, and so lives in the namespace.
        let links = try await Namespace.run {
            let seen = try LinkMonitor()
            defer { seen.stop() }
            try Namespace.shell("ip link add eth0 type veth peer name far0")
            try Namespace.shell("ip link set eth0 up; ip link set far0 up")
            try seen.start(failed: { Issue.record($0) }, deliver: { speaker.update(links: $0) })
            speaker.apply([address: .init(settings: Self.settings)])
            #expect(try Self.ask(address, on: "far0") != nil)
            return speaker.bindings.map(\.link)
        }
        let up = await speaker.interfaceStates()
        speaker.update(
            links: LinkTable(
                links.map { link in
                    var link = link
                    link.flags = [.up]
                    return link
                }))
        return (up, await speaker.interfaceStates())
    }
}
