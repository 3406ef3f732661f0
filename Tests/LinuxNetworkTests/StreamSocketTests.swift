import Glibc
import NetworkTypes
import TestNetwork
import Testing

@testable import LinuxNetwork

@Suite(.enabled(if: Namespace.isAvailable, "needs root to make network namespaces"))
struct StreamSocketTests {
    static let loopback = "ip link set lo up"

    @Test("bytes go both ways, and both ends name each other", arguments: ["127.0.0.1", "::1"])
    func bothWays(host: String) async throws {
        try await Namespace.run {
            try Namespace.shell(Self.loopback)
            let pair = try StreamPair(host)
            #expect(try pair.isAlive())
            #expect(try pair.near.local() == pair.far.remote)
            #expect(try pair.far.local() == pair.near.remote)
            #expect(pair.near.remote.socketAddress == pair.listener.local)
            #expect(pair.far.isIncoming && !pair.near.isIncoming)
        }
    }

    @Test("who has finished sending still receives; the end comes after the last byte")
    func halfClose() async throws {
        try await Namespace.run {
            try Namespace.shell(Self.loopback)
            let pair = try StreamPair("127.0.0.1")
            let buffer = StreamBuffer()
            #expect(try pair.far.receive(with: buffer) { _ in } == .nothing)
            try StreamPair.send("last", over: pair.near)
            try pair.near.finish()
            #expect(try StreamPair.receive(9, from: pair.far) == Array("last".utf8))
            #expect(try pair.far.receive(with: buffer) { _ in } == .end)
            try StreamPair.send("answer", over: pair.far)
            #expect(try StreamPair.receive(6, from: pair.near) == Array("answer".utf8))
        }
    }

    @Test("a port where nobody listens is an error with words, told once")
    func refused() async throws {
        try await Namespace.run {
            try Namespace.shell(Self.loopback)
            let socket = try StreamSocket(connectingTo: try StreamPair.address("127.0.0.1", 179))
            #expect {
                _ = try Namespace.eventually { try socket.isConnected() }
            } throws: { error in
                (error as? SystemError)?.code == ECONNREFUSED
                    && "\(error)".contains("127.0.0.1:179")
            }
            #expect(throws: SystemError.self) { try socket.isConnected() }
        }
    }

    @Test("no route, a source that is not ours and a missing interface are errors at once")
    func impossible() async throws {
        try await Namespace.run {
            try Namespace.shell(Self.loopback)
            func code(_ remote: String, _ options: StreamOptions = StreamOptions()) throws -> Int32?
            {
                let remote = try StreamPair.address(remote, 179)
                do throws(SystemError) {
                    _ = try StreamSocket(connectingTo: remote, options)
                    return nil
                } catch {
                    return error.code
                }
            }
            #expect(try code("198.51.100.1") == ENETUNREACH)
            #expect(try code("127.0.0.1", .init(source: IPAddress("192.0.2.1"))) == EADDRNOTAVAIL)
            #expect(try code("127.0.0.1", .init(source: IPAddress("::1"))) == EAFNOSUPPORT)
            #expect(try code("127.0.0.1", .init(interface: "nowhere0")) == ENODEV)
            #expect(try code("fe80::1") == EINVAL)
            #expect(try code("fe80::1", .init(interface: "nowhere0")) == ENODEV)
        }
    }

    @Test("a peer that does not read costs a bounded amount, and what it reads later is whole")
    func slowPeer() async throws {
        try await Namespace.run {
            try Namespace.shell(Self.loopback)
            let pair = try StreamPair("127.0.0.1")
            let poller = try Poller(with: try Mailbox(empty: 0))
            try poller.add(pair.near.descriptor, tag: 1, writing: true)
            let pattern = (0..<251).map { UInt8($0) }
            let block = Array(repeating: pattern, count: 400).flatMap { $0 }
            var sent = 0
            // Full: neither send nor the poller finds room any more.
            _ = try Namespace.eventually {
                sent += try pair.near.send(block.span.extracting((sent % 251)...))
                return try poller.wait(until: MonotonicClock.now()).events.isEmpty
            }
            #expect(sent > 1 << 16 && sent < 32 << 20)
            #expect(pair.near.unsent <= 2 * Int(StreamSocket.unsentLimit) + block.count)
            #expect(pair.near.unsent > 0 && pair.near.unacknowledged >= pair.near.unsent)

            let bytes = try StreamPair.receive(sent, from: pair.far)
            #expect(bytes.count == sent)
            #expect(bytes.enumerated().allSatisfy { $0.element == UInt8($0.offset % 251) })
            #expect(Namespace.eventually { pair.near.unacknowledged == 0 })
            #expect(try poller.wait(until: nil).events.first?.isWritable == true)
        }
    }

    @Test("the last words arrive although the peer's own were not read")
    func lastWords() async throws {
        try await Namespace.run {
            try Namespace.shell(Self.loopback)
            let pair = try StreamPair("127.0.0.1")
            try StreamPair.send("unread", over: pair.near)
            #expect(Namespace.eventually { pair.near.unacknowledged == 0 })
            try StreamPair.send("goodbye", over: pair.far)
            pair.far.close()
            pair.far.close()
            #expect(try StreamPair.receive(9, from: pair.near) == Array("goodbye".utf8))
            #expect(try pair.near.receive(with: StreamBuffer()) { _ in } == .end)
        }
    }

    @Test("an aborted connection is reset, and every call on the closed one is harmless")
    func abort() async throws {
        try await Namespace.run {
            try Namespace.shell(Self.loopback)
            let pair = try StreamPair("127.0.0.1")
            pair.far.abort()
            #expect {
                try Namespace.eventually {
                    try pair.near.receive(with: StreamBuffer()) { _ in } != .nothing
                }
            } throws: { error in
                (error as? SystemError)?.code == ECONNRESET
            }
            #expect(pair.far.descriptor == -1 && pair.far.unsent == 0)
            #expect(throws: SystemError.self) { try pair.far.send([1].span) }
            // The writing end is told, not killed by SIGPIPE.
            #expect(throws: SystemError.self) { try pair.near.send([1].span) }
        }
    }

    @Test("a connection comes from the source address and out of the interface it was given")
    func source() async throws {
        try await Namespace.run {
            try Namespace.shell(Self.loopback + "; ip addr add 192.0.2.7/32 dev lo")
            let source = try #require(IPAddress("192.0.2.7"))
            let pair = try StreamPair("127.0.0.1", .init(source: source, interface: "lo"))
            #expect(pair.far.remote.address == source)
            #expect(try pair.isAlive())
        }
    }

    @Test("a link-local peer is reached through its interface, and known by it when it connects")
    func linkLocal() async throws {
        try await Namespace.run {
            try LinkLocalPair.make()
            let listener = try StreamListener(try StreamPair.address("::"))
            let target = SocketAddress(
                try LinkLocalPair.address(of: "far0"), port: listener.local.port)
            let source = try LinkLocalPair.address(of: "eth0")
            let key = try #require(StreamKey("secret"))
            try listener.setKey(key, for: try #require(Prefix("fe80::/10")))
            let near = try StreamSocket(
                connectingTo: target, .init(interface: "eth0", reach: .adjacent, key: key))
            var far: StreamSocket?
            _ = try Namespace.eventually { try listener.accept { far = $0 } > 0 }
            let accepted = try #require(far)
            #expect(try Namespace.eventually { try near.isConnected() })
            #expect(
                accepted.remote
                    == StreamEnd(
                        SocketAddress(source, port: try near.local().socketAddress.port),
                        interface: "far0"))
            #expect(near.remote.description == "[\(target.address)%eth0]:\(target.port)")
        }
    }
}
