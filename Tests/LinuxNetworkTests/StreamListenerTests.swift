import Glibc
import NetworkTypes
import TestNetwork
import Testing

@testable import LinuxNetwork

@Suite(.enabled(if: Namespace.isAvailable, "needs root to make network namespaces"))
struct StreamListenerTests {
    @Test("a port that is taken is refused with what to do about it")
    func taken() async throws {
        try await Namespace.run {
            try Namespace.shell(StreamSocketTests.loopback)
            let first = try StreamListener(try StreamPair.address("0.0.0.0"))
            let same = try StreamPair.address("127.0.0.1", first.local.port)
            #expect {
                _ = try StreamListener(same)
            } throws: { error in
                (error as? SystemError)?.code == EADDRINUSE
                    && "\(error)".contains("another BGP speaker")
            }
            let foreign = try StreamPair.address("192.0.2.1", 179)
            #expect {
                _ = try StreamListener(foreign)
            } throws: { error in
                (error as? SystemError)?.code == EADDRNOTAVAIL
            }
        }
    }

    @Test("a port is free again at once after connections to it ended from our side")
    func rebinding() async throws {
        try await Namespace.run {
            try Namespace.shell(StreamSocketTests.loopback)
            let address: SocketAddress
            do {
                let pair = try StreamPair("127.0.0.1")
                address = pair.listener.local
                pair.far.close()
                #expect(try StreamPair.receive(1, from: pair.near) == [])
            }
            #expect(try StreamListener(address).local == address)
        }
    }

    @Test("both families have one port each; connections come in batches")
    func batches() async throws {
        try await Namespace.run {
            try Namespace.shell(StreamSocketTests.loopback)
            for (any, host) in [("0.0.0.0", "127.0.0.1"), ("::", "::1")] {
                let listener = try StreamListener(try StreamPair.address(any))
                let target = try StreamPair.address(host, listener.local.port)
                let dialling = try (0..<100).map { _ in try StreamSocket(connectingTo: target) }
                #expect(
                    try Namespace.eventually {
                        try dialling.allSatisfy { try $0.isConnected() }
                    })
                var accepted: [StreamSocket] = []
                #expect(try listener.accept { accepted.append($0) } == 64)
                #expect(try listener.accept { accepted.append($0) } == 36)
                #expect(try listener.accept { accepted.append($0) } == 0)
                let sources = try Set(dialling.map { try $0.local() })
                #expect(Set(accepted.map(\.remote)) == sources && sources.count == 100)
                #expect(listener.turnedAway == 0)
            }
        }
    }

    @Test("a listener on one interface is not there on the others")
    func interface() async throws {
        try await Namespace.run {
            try Namespace.shell(
                StreamSocketTests.loopback + "; ip link add eth0 type veth; ip link set eth0 up")
            let listener = try StreamListener(
                try StreamPair.address("0.0.0.0"), interface: "eth0")
            let socket = try StreamSocket(
                connectingTo: try StreamPair.address("127.0.0.1", listener.local.port))
            #expect(throws: SystemError.self) {
                try Namespace.eventually { try socket.isConnected() }
            }
            #expect(throws: SystemError.self) {
                _ = try StreamListener(try StreamPair.address("::"), interface: "nowhere0")
            }
        }
    }
}
