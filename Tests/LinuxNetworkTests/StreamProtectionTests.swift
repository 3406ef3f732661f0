import Glibc
import NetworkTypes
import TestNetwork
import Testing

@testable import LinuxNetwork

/// TCP MD5 signatures (RFC 2385) and TTL security (RFC 5082).
@Suite(.enabled(if: Namespace.isAvailable, "needs root to make network namespaces"))
struct StreamProtectionTests {
    private static func key(_ text: String) throws -> StreamKey { try #require(StreamKey(text)) }

    private static func whole(_ text: String) throws -> Prefix {
        let address = try #require(IPAddress(text))
        return try #require(Prefix(address, length: address.family.bitWidth))
    }

    /// A counter of `/proc/net/netstat`, of the network namespace of this thread.
    private static func count(_ name: String) throws -> Int {
        let text = try Namespace.shell("cat /proc/thread-self/net/netstat")
        let lines = text.split(separator: "\n").map { $0.split(separator: " ") }
        for (names, values) in zip(lines, lines.dropFirst()) {
            if let column = names.firstIndex(where: { $0 == name }), column < values.count,
                let value = Int(values[column])
            {
                return value
            }
        }
        return 0
    }

    @Test("a password is 1 to 80 bytes and never printed")
    func passwords() throws {
        #expect(StreamKey("") == nil)
        #expect(StreamKey(String(repeating: "x", count: 81)) == nil)
        #expect(StreamKey(String(repeating: "x", count: 80)) != nil)
        let options = StreamOptions(key: try Self.key("hunter2"))
        var dumped = ""
        dump(options, to: &dumped)
        #expect(!"\(options)\(String(reflecting: options))\(dumped)".contains("hunter2"))
        #expect(!"\(dumped)".contains("\(UInt8(ascii: "h"))"))
    }

    @Test("the same password on both sides connects", arguments: ["127.0.0.1", "::1"])
    func sameKey(host: String) async throws {
        try await Namespace.run {
            try Namespace.shell(StreamSocketTests.loopback)
            let pair = try StreamPair(host, .init(key: try Self.key("secret")))
            #expect(try pair.isAlive())
            #expect(try Self.count("TCPMD5Failure") == 0)
        }
    }

    @Test("another password, or none on one side, never connects and ends as no answer")
    func otherKey() async throws {
        try await Namespace.run {
            try Namespace.shell(StreamSocketTests.loopback)
            let signed = try StreamListener(try StreamPair.address("127.0.0.1"))
            try signed.setKey(try Self.key("secret"), for: try Self.whole("127.0.0.1"))
            let plain = try StreamListener(try StreamPair.address("127.0.0.1"))
            let targets = [
                (signed.local, StreamKey("other")), (signed.local, nil),
                (plain.local, StreamKey("secret")),
            ]
            let attempts = try targets.map { target, key in
                try StreamSocket(connectingTo: target, .init(key: key))
            }
            for socket in attempts {
                #expect {
                    _ = try Namespace.eventually(within: .seconds(60)) {
                        try socket.isConnected()
                    }
                } throws: { error in
                    (error as? SystemError)?.code == ETIMEDOUT && "\(error)".contains("passwords")
                }
            }
            #expect(try signed.accept { _ in } == 0)
            #expect(try plain.accept { _ in } == 0)
        }
    }

    @Test(
        "a password changes on a connection that is up; it waits while the ends differ",
        arguments: ["127.0.0.1", "::1"])
    func rotation(host: String) async throws {
        try await Namespace.run {
            try Namespace.shell(StreamSocketTests.loopback)
            let pair = try StreamPair(host, .init(key: try Self.key("old")))
            let new = try Self.key("new")
            try pair.listener.setKey(new, for: try Self.whole(host))
            #expect(try pair.isAlive())

            try pair.near.setKey(new)
            try StreamPair.send("waits", over: pair.near)
            #expect(try Namespace.eventually { try Self.count("TCPMD5Failure") > 0 })
            #expect(pair.near.unacknowledged == 5)
            try pair.far.setKey(new)
            #expect(try StreamPair.receive(5, from: pair.far) == Array("waits".utf8))
            #expect(try pair.isAlive())
            #expect(try StreamPair(pair.listener, .init(key: new)).isAlive())
        }
    }

    @Test("a password can be taken from a connection that is up, and put on one")
    func onAndOff() async throws {
        try await Namespace.run {
            try Namespace.shell(StreamSocketTests.loopback)
            let pair = try StreamPair("127.0.0.1", .init(key: try Self.key("old")))
            try pair.near.setKey(nil)
            try pair.far.setKey(nil)
            #expect(try pair.isAlive())
            try pair.near.setKey(try Self.key("again"))
            try pair.far.setKey(try Self.key("again"))
            #expect(try pair.isAlive())
            try pair.far.setKey(nil)
            try pair.far.setKey(nil)
        }
    }

    @Test("each peer of a listener has its own password, the longest block counts")
    func perPeer() async throws {
        try await Namespace.run {
            try Namespace.shell(
                StreamSocketTests.loopback
                    + "; for host in 1 2 3; do ip addr add 192.0.2.$host/32 dev lo; done")
            let listener = try StreamListener(try StreamPair.address("0.0.0.0"))
            let block = try #require(Prefix("192.0.2.0/24"))
            try listener.setKey(try Self.key("block"), for: block)
            try listener.setKey(try Self.key("two"), for: try Self.whole("192.0.2.2"))
            let target = SocketAddress(
                try #require(IPAddress("127.0.0.1")), port: listener.local.port)
            func connects(_ source: String, _ password: String?) throws -> Bool {
                let before = try Self.count("TCPMD5Failure")
                let before2 = try Self.count("TCPMD5NotFound")
                let socket = try StreamSocket(
                    connectingTo: target,
                    .init(
                        source: IPAddress(source), key: try password.map { try Self.key($0) }))
                var refused = false
                let connected = try Namespace.eventually {
                    refused =
                        try Self.count("TCPMD5Failure") > before
                        || Self.count("TCPMD5NotFound") > before2
                    return try refused || socket.isConnected()
                }
                return connected && !refused
            }
            #expect(try connects("192.0.2.1", "block"))
            #expect(try connects("192.0.2.2", "two"))
            #expect(try !connects("192.0.2.2", "block"))
            #expect(try !connects("192.0.2.3", nil))
            #expect(try connects("127.0.0.1", nil))
            try listener.setKey(nil, for: block)
            #expect(try connects("192.0.2.3", nil))
            #expect(throws: SystemError.self) {
                try listener.setKey(nil, for: try #require(Prefix("2001:db8::/64")))
            }
        }
    }

    @Test(
        "who is farther away than TTL security allows is found out when it connects",
        arguments: ["127.0.0.1", "::1"])
    func reachOfIncoming(host: String) async throws {
        try await Namespace.run {
            try Namespace.shell(StreamSocketTests.loopback)
            let far = try StreamPair(host, .init(reach: .routed(64)))
            #expect(try !far.far.setReach(.secured(hops: 1)))
            let near = try StreamPair(host, .init(reach: .secured(hops: 1)))
            #expect(try near.far.setReach(.secured(hops: 1)))
            #expect(try near.isAlive())
            let three = try StreamPair(host, .init(reach: .routed(253)))
            #expect(try three.far.setReach(.secured(hops: 3)))
        }
    }

    @Test(
        "a segment from farther away is dropped on a connection that is up",
        arguments: ["127.0.0.1", "::1"])
    func reachOfSegments(host: String) async throws {
        try await Namespace.run {
            try Namespace.shell(StreamSocketTests.loopback)
            let pair = try StreamPair(host, .init(reach: .secured(hops: 1)))
            #expect(try pair.far.setReach(.secured(hops: 1)))
            let before = try Self.count("TCPMinTTLDrop")
            #expect(try pair.near.setReach(.routed(254)))
            try StreamPair.send("far", over: pair.near)
            #expect(try Namespace.eventually { try Self.count("TCPMinTTLDrop") > before })
            #expect(try pair.far.receive(with: StreamBuffer()) { _ in } == .nothing)
            #expect(try pair.near.setReach(.secured(hops: 1)))
            #expect(try StreamPair.receive(3, from: pair.far) == Array("far".utf8))
        }
    }

    @Test("on the wire: class CS6 and the hop limit asked for", arguments: ["127.0.0.1", "::1"])
    func marking(host: String) async throws {
        try await Namespace.run {
            try Namespace.shell(StreamSocketTests.loopback)
            let listener = try StreamListener(try StreamPair.address(host))
            for (reach, hops) in [
                (StreamReach.adjacent, 1), (.routed(64), 64), (.secured(hops: 2), 255),
            ] as [(StreamReach, UInt8)] {
                let tap = socket(17, Int32(SOCK_RAW.rawValue), 0x0300)  // AF_PACKET, ETH_P_ALL
                defer { close(tap) }
                let pair = try StreamPair(listener, .init(reach: reach))
                #expect(pair.near.descriptor >= 0)
                var frame = [UInt8](repeating: 0, count: 256)
                // The first frame of all is the SYN.
                let count = recv(tap, &frame, frame.count, Int32(MSG_DONTWAIT))
                try #require(count > 50)
                let isIPv4 = host == "127.0.0.1"
                #expect(isIPv4 ? frame[15] == 0xc0 : frame[14] & 0xf == 0xc)
                #expect(frame[isIPv4 ? 22 : 21] == hops)
            }
        }
    }
}
