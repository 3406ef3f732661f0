import Glibc
import NetworkTypes
import TestNetwork
import Testing

@testable import LinuxNetwork

@Suite(.enabled(if: Namespace.isAvailable, "needs root to make network namespaces"))
struct BFDSocketTests {
    private static let port: UInt16 = 3784
    private static let loopbacks = [
        IPAddress(family: .ipv4, bits: 0x7f00_0001), IPAddress(family: .ipv6, bits: 1),
    ]
    private static let packet: [UInt8] = (0..<24).map { UInt8($0) }

    /// A packet with how it came.
    private struct Received {
        var bytes: [UInt8]
        var arrival: BFDReceiveSocket.Arrival
    }

    private static func receive(_ socket: BFDReceiveSocket) throws -> [Received] {
        var all: [Received] = []
        _ = try Namespace.eventually {
            try socket.receive { bytes, arrival in
                var copy: [UInt8] = []
                for index in bytes.indices { copy.append(bytes[index]) }
                all.append(Received(bytes: copy, arrival: arrival))
            } > 0
        }
        return all
    }

    private static func transmitter(
        _ address: IPAddress, port: UInt16 = 50_000
    ) throws -> BFDTransmitSocket {
        try BFDTransmitSocket(
            from: SocketAddress(address, port: port),
            to: SocketAddress(address, port: Self.port), interface: nil)
    }

    @Test(
        "a packet tells its sender's port, its hop limit, our address and the interface",
        arguments: loopbacks)
    func arrival(address: IPAddress) async throws {
        try await Namespace.run {
            try Namespace.shell("ip link set lo up")
            let receiver = try BFDReceiveSocket(address.family, port: Self.port)
            let sender = try Self.transmitter(address)
            let before = MonotonicClock.now()
            #expect(sender.send(Self.packet.span) == 0)
            let received = try Self.receive(receiver)
            #expect(received.map(\.bytes) == [Self.packet])
            let arrival = try #require(received.first?.arrival)
            #expect(arrival.peer == SocketAddress(address, port: 50_000))
            #expect(arrival.local == address)
            #expect(arrival.hops == 255)
            #expect(arrival.interface == BFDInterface.index(of: "lo"))
            #expect(before <= arrival.time && arrival.time <= MonotonicClock.now())
        }
    }

    @Test("a packet read late counts from when the kernel took it in")
    func stamp() async throws {
        try await Namespace.run {
            try Namespace.shell("ip link set lo up")
            let address = Self.loopbacks[0]
            let receiver = try BFDReceiveSocket(.ipv4, port: Self.port)
            let sender = try Self.transmitter(address)
            // The kernel begins to stamp a moment after it was asked to.
            let isStamped = try Namespace.eventually {
                #expect(try receiver.receive { _, _ in } == 0)
                #expect(sender.send(Self.packet.span) == 0)
                let sent = MonotonicClock.now()
                usleep(20_000)
                return try #require(try Self.receive(receiver).first?.arrival.time) <= sent
            }
            #expect(isStamped)
        }
    }

    @Test("a port that somebody has is an error that says what to do")
    func portTaken() async throws {
        try await Namespace.run {
            try Namespace.shell("ip link set lo up")
            let daemon = try DatagramSocket(
                SocketAddress(IPAddress(family: .ipv4, bits: 0), port: Self.port))
            let error = #expect(throws: SystemError.self) {
                _ = try BFDReceiveSocket(.ipv4, port: Self.port)
            }
            #expect(error?.code == EADDRINUSE)
            #expect(error?.description.contains("another BFD daemon") == true)
            #expect(daemon.local.port == Self.port)
            // The families are apart: the other one is free.
            _ = try BFDReceiveSocket(.ipv6, port: Self.port)
        }
    }

    @Test(
        "what is sent to a session's own port is neither kept nor answered",
        arguments: loopbacks)
    func deaf(address: IPAddress) async throws {
        try await Namespace.run {
            try Namespace.shell("ip link set lo up")
            let sender = try Self.transmitter(address)
            let other = try DatagramSocket(SocketAddress(address, port: 0))
            other.enqueue(Self.packet.span, to: SocketAddress(address, port: sender.port))
            // The answer about a port that nobody has comes after one about the first would.
            let closed = SocketAddress(address, port: sender.port + 1)
            other.enqueue(Self.packet.span, to: closed)
            #expect(other.flush().isEmpty)
            var errors: [SocketAddress] = []
            #expect(
                try Namespace.eventually {
                    try other.receiveErrors { errors.append($0.peer) } > 0
                })
            #expect(errors == [closed])
        }
    }

    @Test("an echo packet is heard from its IP header on, with the station to send it by")
    func echo() async throws {
        try await Namespace.run {
            try Namespace.shell(
                """
                ip link add eth0 type veth peer name eth1
                ip link set eth0 up && ip link set eth1 up
                """)
            let near = try #require(BFDInterface.index(of: "eth0"))
            let far = try #require(BFDInterface.index(of: "eth1"))
            let sender = try BFDEchoSocket(
                .ipv4, interface: near, echoPort: 3785, controlPort: 3784)
            let receiver = try BFDEchoSocket(
                .ipv4, interface: far, echoPort: 3785, controlPort: 3784)
            let packet = Self.udp(to: 3785)
            let station: [UInt8] = [0x02, 0, 0, 0, 0, 1]
            var heard: [([UInt8], BFDEchoSocket.Station)] = []
            // A link that came up this moment may still lose what is sent.
            let isHeard = try Namespace.eventually {
                #expect(sender.send(Self.udp(to: 3786), to: station) == 0)
                #expect(sender.send(packet, to: station) == 0)
                return try receiver.receive { bytes, from, _ in heard.append((bytes, from)) } > 0
            }
            #expect(isHeard)
            // The one to another port is none of ours.
            #expect(heard.allSatisfy { $0.0 == packet })
            #expect(heard.first?.1.count == 6)
        }
    }

    /// An IPv4 packet of documentation addresses with an empty datagram.
    private static func udp(to port: UInt16) -> [UInt8] {
        var writer = ByteWriter()
        writer.append([0x45, 0, 0, 28, 0, 0, 0x40, 0, 255, 17, 0, 0])
        writer.append([192, 0, 2, 1, 192, 0, 2, 1])
        writer.uint16(port)
        writer.uint16(port)
        writer.append([0, 8, 0, 0])
        return writer.bytes
    }

    @Test("whoever waits for the sockets wakes when a packet comes, and when the time is up")
    func group() async throws {
        try await Namespace.run {
            try Namespace.shell("ip link set lo up")
            let group = try BFDSocketGroup()
            let mailbox = try Mailbox(empty: 0)
            for address in Self.loopbacks {
                let receiver = try BFDReceiveSocket(address.family, port: Self.port)
                try group.add(receiver)
                let sender = try Self.transmitter(address)
                #expect(sender.send(Self.packet.span) == 0)
                let limit = MonotonicClock.now() + .seconds(5)
                #expect(try group.wait(with: mailbox, until: limit).isReady)
                #expect(try receiver.receive { _, _ in } == 1)
                let soon = MonotonicClock.now() + .milliseconds(5)
                #expect(try group.wait(with: mailbox, until: soon) == .nothing)
                #expect(MonotonicClock.now() >= soon)
            }
            mailbox.post { $0 = 1 }
            #expect(try group.wait(with: mailbox, until: nil).isSignalled)
        }
    }

    @Test("a jump of the wall clock moves an arrival by the time between two looks at most")
    func clockJump() {
        let second = Instant(nanoseconds: 1_000_000_000)
        var clock = BFDArrivalClock(at: second)
        clock.drained(at: second + .milliseconds(100))
        let now = second + .milliseconds(120)
        #expect(clock.time(ofAge: 5_000_000, at: now) == now - .milliseconds(5))
        #expect(clock.time(ofAge: 3_600_000_000_000, at: now) == second + .milliseconds(100))
        #expect(clock.time(ofAge: -1, at: now) == now)
    }

    @Test("an interface is found by name and by index, and one that is not there is not")
    func interfaces() async throws {
        try await Namespace.run {
            let index = try #require(BFDInterface.index(of: "lo"))
            #expect(BFDInterface.index(of: nil) == nil)
            #expect(BFDInterface.index(of: "eth9") == nil)
            try Namespace.shell("echo 1 > /proc/sys/net/ipv4/conf/lo/forwarding")
            #expect(BFDInterface.forwards(.ipv4, on: "lo"))
            try Namespace.shell("echo 0 > /proc/sys/net/ipv4/conf/lo/forwarding")
            #expect(!BFDInterface.forwards(.ipv4, on: "lo"))
            #expect(!BFDInterface.forwards(.ipv4, on: "../lo"))
            #expect(index == 1)
        }
    }
}
