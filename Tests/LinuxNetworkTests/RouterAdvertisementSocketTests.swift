import Glibc
import NetworkTypes
import TestNetwork
import Testing

@testable import LinuxNetwork

@Suite(.enabled(if: Namespace.isAvailable, "needs root to make network namespaces"))
struct RouterAdvertisementSocketTests {
    /// What the kernel makes of the hardware address above (RFC 4291, appendix A).
    private static let linkLocal = "fe80::5054:ff:fe00:1"

    private static func heard(
        _ socket: RouterAdvertisementSocket
    ) throws -> [RouterMessage: [IPAddress]] {
        var heard: [RouterMessage: [IPAddress]] = [:]
        _ = try Namespace.eventually(within: .seconds(2)) {
            try socket.receive { heard[$0, default: []].append($1) } > 0
        }
        return heard
    }

    /// Takes in what was heard, and sends what is due.
    private static func step(
        _ end: inout RouterDiscovery, over socket: RouterAdvertisementSocket
    ) throws {
        var events: [RouterDiscovery.Event] = []
        _ = try socket.receive { message, source in
            events.append(.received(message, from: source))
        }
        let now = MonotonicClock.now()
        if end.nextDeadline <= now { events.append(.deadlineReached) }
        for event in events {
            for action in end.handle(event, at: now) {
                if case .send(let message) = action { try socket.send(message) }
            }
        }
    }

    /// An Ethernet frame with a router advertisement that another machine would send.
    private static func frame(from source: String, hopLimit: UInt8) throws -> [UInt8] {
        let source = try #require(IPAddress(source))
        let message = RouterMessage.advertisement(.init(lifetime: 1_800))
        var body = message.encoded
        var sum = InternetChecksum()
        sum.add(source)
        sum.add(message.group)
        sum.add(UInt16(body.count))
        sum.add(58 as UInt16)
        sum.add(body.span)
        body[2] = UInt8(sum.value >> 8)
        body[3] = UInt8(sum.value & 0xff)
        return [0x33, 0x33, 0, 0, 0, 1, 0x52, 0x54, 0, 0, 0, 9, 0x86, 0xdd]
            + [0x60, 0, 0, 0, 0, UInt8(body.count), 58, hopLimit]
            + source.bytes + message.group.bytes + body
    }

    @Test("two ends of a link hear each other's messages, not their own, with their addresses")
    func bothWays() async throws {
        try await Namespace.run {
            try LinkLocalPair.make()
            let near = try RouterAdvertisementSocket(interface: "eth0")
            let far = try RouterAdvertisementSocket(interface: "far0")
            let source = try #require(IPAddress(Self.linkLocal))
            let link = try #require(MACAddress("52:54:00:00:00:01"))
            for message in [
                RouterMessage.advertisement(.init(linkAddress: link)), .solicitation(link),
            ] {
                try near.send(message)
                #expect(try Self.heard(far) == [message: [source]])
            }
            #expect(try near.receive { _, _ in } == 0)
            #expect(far.faults == [:])
        }
    }

    @Test("what may come from beyond the link is counted and not handed over")
    func beyond() async throws {
        try await Namespace.run {
            try LinkLocalPair.make()
            let near = try RouterAdvertisementSocket(interface: "eth0")
            let far = try PacketSocket(interface: "far0")
            for (source, hopLimit) in [
                ("fe80::9", 64), ("2001:db8::9", 255), ("fe80::9", 255),
            ] as [(String, UInt8)] {
                let frame = try Self.frame(from: source, hopLimit: hopLimit)
                try far.send(frame.span)
            }
            var sources: [IPAddress] = []
            _ = try Namespace.eventually {
                try near.receive { sources.append($1) } > 0 && !sources.isEmpty
            }
            #expect(sources == [try #require(IPAddress("fe80::9"))])
            #expect(near.faults == [.hopLimit: 1, .source: 1])
        }
    }

    @Test("two discoveries on a link find each other by their sockets")
    func discovery() async throws {
        try await Namespace.run {
            try LinkLocalPair.make()
            let sockets = try ["eth0", "far0"].map { try RouterAdvertisementSocket(interface: $0) }
            let start = MonotonicClock.now()
            var ends = sockets.indices.map {
                RouterDiscovery(linkAddress: nil, seed: UInt64($0), at: start)
            }
            let met = try Namespace.eventually(within: .seconds(10)) {
                for index in sockets.indices { try Self.step(&ends[index], over: sockets[index]) }
                return ends.allSatisfy { $0.neighbor != nil }
            }
            #expect(met)
            #expect(ends[1].neighbor == IPAddress(Self.linkLocal))
        }
    }

    @Test("an interface that is not there, or goes, is an error with its name")
    func gone() async throws {
        try await Namespace.run {
            try LinkLocalPair.make()
            #expect {
                _ = try RouterAdvertisementSocket(interface: "nowhere0")
            } throws: { error in
                (error as? SystemError)?.subject == "interface nowhere0"
            }
            let near = try RouterAdvertisementSocket(interface: "eth0")
            try Namespace.shell("ip link del eth0")
            #expect(throws: SystemError.self) { try near.send(.solicitation(nil)) }
        }
    }
}
