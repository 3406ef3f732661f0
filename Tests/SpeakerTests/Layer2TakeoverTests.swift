import Layer2
import LinuxNetwork
import NetworkTypes
import Synchronization
import TestNetwork
import Testing

@testable import Speaker

/// What happened on the wire, as the observer of a speaker was told.
private final class Events: Sendable {
    private let kinds = Mutex<[Layer2Event.Kind]>([])

    var all: [Layer2Event.Kind] { kinds.withLock { $0 } }

    func note(_ event: Layer2Event) { kinds.withLock { $0.append(event.kind) } }

    func contains(_ kind: Layer2Event.Kind) -> Bool { all.contains(kind) }

    func contains(where predicate: (Layer2Event.Kind) -> Bool) -> Bool {
        all.contains(where: predicate)
    }
}

/// Two speakers on one LAN, `eth0` and `eth1`, and a client on `far0`.
private final class TwoSpeakers: Sendable {
    let first: Layer2Speaker
    let second: Layer2Speaker
    let permit = AnsweringPermit.unlimited()
    let events = Events()
    static let macs = [
        MACAddress(bits: 0x5254_0000_0001), MACAddress(bits: 0x5254_0000_0002),
    ]

    /// `together`: the first speaker has both interfaces, the second none.
    init(together: Bool) {
        first = Layer2Speaker(interfaces: together ? ["eth0", "eth1"] : ["eth0"])
        second = Layer2Speaker(
            interfaces: together ? ["none"] : ["eth1"], permit: permit,
            observer: { [events] in events.note($0) })
    }

    static func run(
        together: Bool = false, _ body: @escaping @Sendable (TwoSpeakers) throws -> Void
    ) async throws {
        try await Namespace.run {
            try Namespace.shell(
                """
                sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
                ip link add br0 type bridge mcast_snooping 0; ip link set br0 up
                ip link add eth0 address 52:54:00:00:00:01 type veth peer name port0
                ip link add eth1 address 52:54:00:00:00:02 type veth peer name port1
                ip link add far0 type veth peer name port2
                for number in 0 1 2; do
                  ip link set port$number master br0 up
                done
                ip link set eth0 up; ip link set eth1 up; ip link set far0 up
                """)
            let speakers = TwoSpeakers(together: together)
            let monitor = try LinkMonitor()
            defer {
                monitor.stop()
                speakers.first.stop()
                speakers.second.stop()
            }
            speakers.first.update(peers: Set(macs))
            speakers.second.update(peers: Set(macs))
            try monitor.start(
                failed: { Issue.record($0) },
                deliver: {
                    speakers.first.update(links: $0)
                    speakers.second.update(links: $0)
                })
            try body(speakers)
        }
    }
}

extension Layer2SpeakerTests {
    private static let takeover = AnnouncementSettings(start: .afterCheck)

    @Test("nothing is answered without a permit, and everything as soon as it is there")
    func permit() async throws {
        try await TwoSpeakers.run { speakers in
            let address = try Self.address("192.0.2.10")
            speakers.permit.until = Instant(nanoseconds: .min)
            speakers.second.apply([address: .init(settings: Self.settings)])
            let short = Duration.milliseconds(100)
            #expect(try Self.ask(address, on: "far0", within: short) == nil)
            #expect(!speakers.events.contains(.answering(address)))
            speakers.permit.until = Instant(nanoseconds: .max)
            #expect(Namespace.eventually { speakers.events.contains(.answering(address)) })
            #expect(try Self.ask(address, on: "far0") != nil)
            speakers.permit.until = MonotonicClock.now()
            #expect(try Self.ask(address, on: "far0", within: short) == nil)
            speakers.permit.until = MonotonicClock.now() + .seconds(60)
            #expect(try Self.ask(address, on: "far0") != nil)
        }
    }

    @Test("an address whose owner is silent is taken over; the time that took is told")
    func takeover() async throws {
        try await TwoSpeakers.run { speakers in
            let address = try Self.address("192.0.2.10")
            speakers.second.apply([address: .init(settings: Self.takeover)])
            #expect(
                Namespace.eventually {
                    speakers.events.contains {
                        guard case .addressTaken(address, let time) = $0 else { return false }
                        return time >= .milliseconds(10)
                    }
                })
            #expect(try Self.ask(address, on: "far0")?.1 == TwoSpeakers.macs[1])
        }
    }

    @Test("an address whose owner answers is not taken over: it is held, and taken once he stops")
    func held() async throws {
        try await TwoSpeakers.run { speakers in
            let address = try Self.address("192.0.2.10")
            speakers.first.apply([address: .init(settings: Self.settings)])
            #expect(try Self.ask(address, on: "far0") != nil)
            speakers.second.apply([address: .init(settings: Self.takeover)])
            #expect(
                Namespace.eventually {
                    speakers.events.contains(.heldByPeer(address, TwoSpeakers.macs[0]))
                })
            #expect(!speakers.events.contains(.answering(address)))
            #expect(try Self.ask(address, on: "far0")?.1 == TwoSpeakers.macs[0])
            speakers.first.apply([:])
            #expect(Namespace.eventually { speakers.events.contains(.answering(address)) })
            #expect(try Self.ask(address, on: "far0")?.1 == TwoSpeakers.macs[1])
        }
    }

    @Test("the address of an owner that stops answering is found by the one that watches it")
    func watch() async throws {
        try await TwoSpeakers.run { speakers in
            let address = try Self.address("192.0.2.10")
            let other = try Self.address("192.0.2.11")
            let plan: Layer2Plan = [other: .init(settings: Self.settings)]
            speakers.first.apply(plan.merging([address: .init(settings: Self.settings)]) { $1 })
            speakers.second.watch([address: Layer2Watch(owner: [TwoSpeakers.macs[0]])])
            #expect(try Self.ask(address, on: "far0") != nil)
            speakers.second.askNow(address)
            speakers.first.apply(plan)
            #expect(
                try Namespace.eventually {
                    // Any frame shows that the watcher hears.
                    _ = try Self.ask(other, on: "far0")
                    speakers.second.askNow(address)
                    return speakers.events.contains(.watched(address, .unanswered))
                })
            speakers.first.apply([address: .init(settings: Self.settings)])
            #expect(
                Namespace.eventually {
                    speakers.second.askNow(address)
                    return speakers.events.contains(.watched(address, .fine))
                })
        }
    }

    @Test("an isolated speaker takes an address over once it has heard anybody")
    func isolated() async throws {
        try await TwoSpeakers.run { speakers in
            let address = try Self.address("192.0.2.10")
            speakers.second.update(
                isolatedSince: MonotonicClock.now(), isAlonePlausible: false)
            speakers.second.apply([address: .init(settings: Self.takeover)])
            #expect(
                Namespace.eventually { speakers.events.contains(.waitingToHear(address)) })
            #expect(!speakers.events.contains(.answering(address)))
            // The question itself is what it hears.
            #expect(try Self.ask(address, on: "far0")?.1 == TwoSpeakers.macs[1])
        }
    }

    @Test(
        "a node with two interfaces on one LAN answers on one of them, however it came to it",
        arguments: [AnnouncementSettings.Start.atOnce, .afterCheck, .afterProbing])
    func twoInterfaces(start: AnnouncementSettings.Start) async throws {
        try await TwoSpeakers.run(together: true) { speakers in
            let address = try Self.address("192.0.2.10")
            speakers.first.apply(
                [address: .init(settings: AnnouncementSettings(start: start))])
            #expect(try Self.ask(address, on: "far0") != nil)
            var answerers: Set<MACAddress> = []
            for _ in 0..<20 {
                for mac in try Self.answerers(address) { answerers.insert(mac) }
            }
            #expect(answerers == [TwoSpeakers.macs[0]])
            // Without the one that answers, the other does.
            try Namespace.shell("ip link set eth0 down")
            let start = MonotonicClock.now()
            #expect(try Self.ask(address, on: "far0")?.1 == TwoSpeakers.macs[1])
            #expect(MonotonicClock.now() - start < .seconds(1))
        }
    }

    /// Everybody who answers one question within 20 ms.
    private static func answerers(_ address: IPAddress) throws -> Set<MACAddress> {
        let socket = try PacketSocket(interface: "far0")
        let hardware = MACAddress(bits: 0x5254_0000_0099)
        var question = FrameBuffer()
        ARPPacket(
            operation: .request, senderHardware: hardware,
            senderAddress: try Self.address("192.0.2.99"), targetHardware: .zero,
            targetAddress: address
        ).encode(to: .broadcast, from: hardware, into: &question)
        try socket.send(question.span)
        var found: Set<MACAddress> = []
        let end = MonotonicClock.now() + .milliseconds(20)
        _ = try Namespace.eventually(within: .milliseconds(20)) {
            _ = try socket.receive(limit: 64) { frame in
                guard let ethernet = try? EthernetView(frame),
                    ethernet.destination == hardware
                else { return }
                found.insert(ethernet.source)
            }
            return MonotonicClock.now() >= end
        }
        return found
    }
}
