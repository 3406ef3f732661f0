import Glibc
import NetworkTypes
import TestNetwork
import Testing

@testable import LinuxNetwork

@Suite(.enabled(if: Namespace.isAvailable, "needs root to make network namespaces"))
struct PacketSocketTests {
    private static let pair = """
        sysctl -qw net.ipv6.conf.default.disable_ipv6=1
        ip link add eth0 type veth peer name far0
        ip link set eth0 up
        ip link set far0 up
        """

    private static func frame(type: [UInt8], marker: UInt8) -> [UInt8] {
        let header: [UInt8] = [
            0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x52, 0x54, 0, 0, 0, marker,
        ]
        return header + type + [UInt8](repeating: 0, count: 60)
    }

    /// Every frame that waits on the socket. Those sent over a veth are there when `send` returns,
    /// or on a busy machine a moment later: as many as are expected are waited for.
    private static func received(
        _ socket: PacketSocket, expecting count: Int = 1
    ) throws -> [[UInt8]] {
        var frames: [[UInt8]] = []
        let end = MonotonicClock.now() + .seconds(5)
        repeat {
            if frames.count < count { usleep(1_000) }
            while try socket.receive(limit: 64, { frames.append($0.array(0..<$0.count)) }) > 0 {}
        } while frames.count < count && MonotonicClock.now() < end
        return frames
    }

    @Test("ARP and neighbour discovery are seen; other traffic and our own frames are not")
    func filter() async throws {
        try await Namespace.run {
            try Namespace.shell(Self.pair)
            let near = try PacketSocket(interface: "eth0")
            let far = try PacketSocket(interface: "far0")
            var solicitation = Self.frame(type: [0x86, 0xdd], marker: 2)
            solicitation[20] = 58
            solicitation[54] = 135
            var echo = solicitation
            echo[11] = 3
            echo[54] = 128
            for frame in [
                Self.frame(type: [0x08, 0x06], marker: 1), solicitation, echo,
                Self.frame(type: [0x08, 0x00], marker: 4),
            ] {
                try far.send(frame.span)
            }
            try near.send(Self.frame(type: [0x08, 0x06], marker: 9).span)
            #expect(try Self.received(near, expecting: 2).map { $0[11] } == [1, 2])
            #expect(try Self.received(far).map { $0[11] } == [9])
            #expect(near.statistics().dropped == 0)
        }
    }

    @Test("a frame of another VLAN keeps its tag, so that it cannot pass for an untagged one")
    func tagged() async throws {
        try await Namespace.run {
            try Namespace.shell(Self.pair)
            let near = try PacketSocket(interface: "eth0")
            let far = try PacketSocket(interface: "far0")
            try far.send(
                Self.frame(type: [0x81, 0x00, 0x00, 0x2a, 0x08, 0x06], marker: 1).span)
            let frames = try Self.received(near)
            #expect(frames.first.map { Array($0[12..<18]) } == [0x81, 0, 0, 0x2a, 8, 6])
        }
    }

    @Test("a batch goes out whole and in order")
    func batch() async throws {
        try await Namespace.run {
            try Namespace.shell(Self.pair)
            let near = try PacketSocket(interface: "eth0")
            let far = try PacketSocket(interface: "far0")
            var lost = 0
            for marker in 0..<100 as Range<UInt8> {
                lost += near.enqueue(Self.frame(type: [8, 6], marker: marker).span)
            }
            lost += near.flush()
            #expect(lost == 0)
            #expect(try Self.received(far, expecting: 100).map { $0[11] } == Array(0..<100))
        }
    }

    @Test("a link that goes down or away is an error, never a silence")
    func gone() async throws {
        try await Namespace.run {
            try Namespace.shell(Self.pair)
            let near = try PacketSocket(interface: "eth0")
            try Namespace.shell("ip link set eth0 down")
            #expect(throws: SystemError.self) {
                try near.send(Self.frame(type: [8, 6], marker: 1).span)
            }
            #expect(throws: SystemError.self) { try PacketSocket(interface: "eth0") }
            try Namespace.shell("ip link set eth0 up")
            let again = try PacketSocket(interface: "eth0")
            try Namespace.shell("ip link del eth0")
            #expect(throws: SystemError.self) {
                while try again.receive(limit: 1, { _ in }) >= 0 {}
            }
        }
    }

    @Test("the card is told about each group, and beyond 64 about all of them")
    func groups() async throws {
        try await Namespace.run {
            try Namespace.shell(Self.pair)
            let socket = try PacketSocket(interface: "eth0")
            func group(_ number: UInt64) -> MACAddress {
                MACAddress(bits: 0x3333_ff00_0000 | number)
            }
            for number in 0..<64 as Range<UInt64> { try socket.listen(to: group(number)) }
            #expect(try Namespace.shell("ip maddr show dev eth0").contains("33:33:ff:00:00:3f"))
            socket.ignore(group(63))
            #expect(try !Namespace.shell("ip maddr show dev eth0").contains("33:33:ff:00:00:3f"))
            for number in 63..<10_000 as Range<UInt64> { try socket.listen(to: group(number)) }
            #expect(try Namespace.shell("ip -d link show dev eth0").contains("allmulti 1"))
        }
    }
}
