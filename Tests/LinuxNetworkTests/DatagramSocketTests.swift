import Glibc
import NetworkTypes
import Synchronization
import TestNetwork
import Testing

@testable import LinuxNetwork

@Suite(.enabled(if: Namespace.isAvailable, "needs root to make network namespaces"))
struct DatagramSocketTests {
    /// Two networks on one machine would short-cut through loopback, so the far end of the pair
    /// is moved into a second namespace, which a process holds open.
    private static func far(_ body: (String) throws -> Void) throws {
        let holder = try Namespace.shell("unshare -n sleep 300 >/dev/null 2>&1 & echo $!")
        let process = holder.filter(\.isNumber)
        // SIGKILL, because the test runner blocks other signals and children inherit that.
        defer { _ = try? Namespace.shell("kill -KILL \(process)") }
        try #require(
            try Namespace.eventually {
                try Namespace.shell(
                    "test \"$(readlink /proc/\(process)/ns/net)\" != "
                        + "\"$(readlink /proc/thread-self/ns/net)\" && echo other || true"
                ).contains("other")
            })
        try Namespace.shell(
            """
            ip link set lo up
            ip link add eth0 type veth peer name far0
            ip link set far0 netns \(process)
            ip addr add 192.0.2.1/24 dev eth0
            ip addr add 2001:db8::1/64 dev eth0 nodad
            ip link set eth0 up
            far="nsenter -n -t \(process)"
            $far ip addr add 192.0.2.2/24 dev far0
            $far ip addr add 2001:db8::2/64 dev far0 nodad
            $far ip link set far0 up
            """)
        try body(process)
    }

    private static func address(_ text: String, _ port: UInt16) throws -> SocketAddress {
        SocketAddress(try #require(IPAddress(text)), port: port)
    }

    /// What comes back within the time, until there is something.
    private static func errors(
        _ socket: DatagramSocket, within limit: Duration = .seconds(5)
    ) throws -> [DatagramSocket.ReturnedError] {
        var errors: [DatagramSocket.ReturnedError] = []
        _ = try Namespace.eventually(within: limit) {
            try socket.receiveErrors { errors.append($0) } > 0
        }
        return errors
    }

    private static let loopback = "ip link set lo up"

    @Test(
        "datagrams go both ways, whole and in order, in both families",
        arguments: ["127.0.0.1", "::1"])
    func bothWays(host: String) async throws {
        try await Namespace.run {
            try Namespace.shell(Self.loopback)
            let one = try DatagramSocket(try Self.address(host, 0))
            let other = try DatagramSocket(try Self.address(host, 0))
            for number in 0..<150 as Range<UInt8> {
                one.enqueue([number, 1, 2].span, to: other.local)
            }
            #expect(one.flush() == [])
            var seen: [[UInt8]] = []
            var peers: Set<SocketAddress> = []
            var calls: [Int] = []
            while calls.last != 0 {
                calls.append(
                    try other.receive { bytes, peer in
                        seen.append(bytes.array(0..<bytes.count))
                        peers.insert(peer)
                    })
            }
            #expect(calls == [64, 64, 22, 0])
            #expect(seen == (0..<150).map { [UInt8($0), 1, 2] })
            #expect(peers == [one.local])
        }
    }

    @Test(
        "a port where nobody listens is told with the peer, and quotes what was sent",
        arguments: ["192.0.2.2", "2001:db8::2"])
    func portUnreachable(host: String) async throws {
        try await Namespace.run {
            try Self.far { _ in
                let target = try Self.address(host, 7481)
                let own = target.address.family == .ipv4 ? "0.0.0.0" : "::"
                let socket = try DatagramSocket(try Self.address(own, 0))
                socket.enqueue([1, 2, 3, 4].span, to: target)
                #expect(socket.flush() == [])
                let errors = try Self.errors(socket)
                #expect(
                    errors == [
                        .init(peer: target, kind: .portUnreachable, quoted: [1, 2, 3, 4])
                    ])
                // The error left on the socket fails no later call.
                #expect(try socket.receive { _, _ in } == 0)
            }
        }
    }

    @Test("an address that nobody resolves is told as an unreachable host, in both families")
    func hostUnreachable() async throws {
        try await Namespace.run {
            try Self.far { _ in
                try Namespace.shell(
                    """
                    for family in ipv4 ipv6; do
                        sysctl -qw net.$family.neigh.eth0.retrans_time_ms=20
                    done
                    """)
                for (own, host) in [("0.0.0.0", "192.0.2.9"), ("::", "2001:db8::9")] {
                    let socket = try DatagramSocket(try Self.address(own, 0))
                    let target = try Self.address(host, 7481)
                    socket.enqueue([1].span, to: target)
                    _ = socket.flush()
                    let errors = try Self.errors(socket)
                    #expect(errors.map(\.peer) == [target])
                    #expect(errors.map(\.kind) == [.hostUnreachable])
                }
            }
        }
    }

    @Test("dead peers among living ones cost the living nothing, nor does a peer without a route")
    func deadAmongLiving() async throws {
        try await Namespace.run {
            try Namespace.shell(Self.loopback)
            let sender = try DatagramSocket(try Self.address("127.0.0.1", 0))
            let living = try DatagramSocket(try Self.address("127.0.0.1", 0))
            let dead = try Self.address("127.0.0.1", 9)
            let nowhere = try Self.address("198.51.100.1", 9)
            for number in 0..<30 as Range<UInt8> {
                sender.enqueue([number].span, to: dead)
                sender.enqueue([number].span, to: nowhere)
                sender.enqueue([number].span, to: living.local)
            }
            let failures = sender.flush()
            var seen: [UInt8] = []
            while try living.receive({ bytes, _ in seen.append(bytes[0]) }) > 0 {}
            #expect(seen == Array(0..<30))
            #expect(failures.count == 30)
            #expect(failures.allSatisfy { $0.destination == nowhere && !$0.isFull })
            #expect(sender.unsent == 30)
            var errors: [DatagramSocket.ReturnedError] = []
            while try sender.receiveErrors({ errors.append($0) }) > 0 {}
            #expect(errors.count == 30)
            #expect(errors.allSatisfy { $0.peer == dead && $0.kind == .portUnreachable })
        }
    }

    @Test("a full receive buffer loses the newest and nothing else; a long datagram is counted")
    func fullReceiveBuffer() async throws {
        try await Namespace.run {
            try Namespace.shell(Self.loopback)
            let sender = try DatagramSocket(try Self.address("127.0.0.1", 0))
            let receiver = try DatagramSocket(
                try Self.address("127.0.0.1", 0), receiveBuffer: 32 << 10)
            let payload = [UInt8](repeating: 7, count: 1_200)
            for _ in 0..<500 { sender.enqueue(payload.span, to: receiver.local) }
            #expect(sender.flush() == [])
            var count = 0
            while try receiver.receive({ bytes, _ in count += bytes.count / 1_200 }) > 0 {}
            #expect(count > 4 && count < 500)
            sender.enqueue(payload.span, to: receiver.local)
            _ = sender.flush()
            #expect(try receiver.receive { _, _ in } == 1)
            let device = "/dev/udp/127.0.0.1/\(receiver.local.port)"
            try Namespace.shell("bash -c 'head -c 3000 /dev/zero >\(device)'")
            #expect(try receiver.receive { _, _ in Issue.record("handed over") } == 1)
            #expect(receiver.oversized == 1)
        }
    }

    @Test("a full send buffer is a failure of the datagrams that found it full")
    func fullSendBuffer() async throws {
        try await Namespace.run {
            try Self.far { _ in
                // Nobody answers for this address, so datagrams wait, charged to the socket.
                try Namespace.shell("sysctl -qw net.ipv4.neigh.eth0.unres_qlen_bytes=10000000")
                let socket = try DatagramSocket(
                    try Self.address("0.0.0.0", 0), sendBuffer: 16 << 10)
                let target = try Self.address("192.0.2.9", 7481)
                let payload = [UInt8](repeating: 7, count: 1_200)
                for _ in 0..<100 { socket.enqueue(payload.span, to: target) }
                let failures = socket.flush()
                #expect(!failures.isEmpty && failures.count < 100)
                #expect(failures.allSatisfy { $0.isFull && $0.destination == target })
                #expect(socket.flush() == [])
            }
        }
    }

    @Test("on the wire: class CS6 and no DF, in both families")
    func marking() async throws {
        try await Namespace.run {
            try Namespace.shell(Self.loopback)
            for (host, offset, value) in [("127.0.0.1", 15, 0xc0), ("::1", 14, 0x6c)] {
                let target = try Self.address(host, 0)
                let receiver = try DatagramSocket(target)
                let sender = try DatagramSocket(target)
                let tap = socket(17, Int32(SOCK_RAW.rawValue), 0x0300)  // AF_PACKET, ETH_P_ALL
                defer { close(tap) }
                sender.enqueue([1].span, to: receiver.local)
                #expect(sender.flush() == [])
                var frame = [UInt8](repeating: 0, count: 256)
                let count = recv(tap, &frame, frame.count, Int32(MSG_DONTWAIT))
                try #require(count > 40)
                #expect(Int(frame[offset]) == value)
                if host == "127.0.0.1" { #expect(frame[20] & 0x40 == 0) }
            }
        }
    }

    @Test("one thread sleeps for mail and for both families at once")
    func waiting() async throws {
        try await Namespace.run {
            try Namespace.shell(Self.loopback)
            let port = try DatagramPort([
                try Self.address("127.0.0.1", 0), try Self.address("::1", 0),
            ])
            let mailbox = try Mailbox(empty: 0)
            let soon = MonotonicClock.now() + .milliseconds(1)
            #expect(try port.wait(with: mailbox, until: soon) == .nothing)
            for (index, socket) in port.sockets.enumerated() {
                let peer = try DatagramSocket(SocketAddress(socket.local.address, port: 0))
                peer.enqueue([UInt8(index)].span, to: socket.local)
                #expect(peer.flush() == [])
                let woken = try port.wait(with: mailbox, until: nil)
                #expect(woken.isReady)
                #expect(woken.isOtherReady == (index == 1))
                #expect(!woken.isSignalled)
                var seen: [UInt8] = []
                #expect(try port.receive { bytes, _ in seen.append(bytes[0]) } == 1)
                #expect(seen == [UInt8(index)])
            }
            mailbox.post { $0 = 1 }
            #expect(try port.wait(with: mailbox, until: nil).isSignalled)
        }
    }

    @Test("an address in use and a link-local destination are refused with words")
    func refusals() async throws {
        try await Namespace.run {
            try Namespace.shell(Self.loopback)
            let first = try DatagramSocket(try Self.address("127.0.0.1", 0))
            #expect {
                _ = try DatagramSocket(first.local)
            } throws: { error in
                (error as? SystemError)?.code == EADDRINUSE
                    && "\(error)".contains("\(first.local)")
            }
            let port = try DatagramPort([try Self.address("0.0.0.0", 0)])
            #expect(!port.enqueue([1].span, to: try Self.address("fe80::1", 7481)))
            #expect(!port.enqueue([1].span, to: try Self.address("2001:db8::1", 7481)))
        }
    }
}
