import NetworkTypes
import TestNetwork
import Testing

@testable import LinuxNetwork

/// Two ends of a TCP connection over loopback, and the listener between them.
struct StreamPair {
    let listener: StreamListener
    /// The end that connected.
    let near: StreamSocket
    /// The end that was accepted.
    let far: StreamSocket

    static func address(_ text: String, _ port: UInt16 = 0) throws -> SocketAddress {
        SocketAddress(try #require(IPAddress(text)), port: port)
    }

    init(_ host: String, _ options: StreamOptions = StreamOptions()) throws {
        let listener = try StreamListener(try Self.address(host))
        if let key = options.key {
            let address = listener.local.address
            let whole = try #require(Prefix(address, length: address.family.bitWidth))
            try listener.setKey(key, for: whole)
        }
        try self.init(listener, options)
    }

    init(_ listener: StreamListener, _ options: StreamOptions = StreamOptions()) throws {
        self.listener = listener
        let near = try StreamSocket(connectingTo: listener.local, options)
        var accepted: StreamSocket?
        _ = try Namespace.eventually {
            try listener.accept { accepted = $0 } > 0
        }
        far = try #require(accepted)
        #expect(try Namespace.eventually { try near.isConnected() })
        self.near = near
    }

    /// Sends what the socket takes.
    static func send(_ text: String, over socket: StreamSocket) throws {
        let bytes = Array(text.utf8)
        #expect(try socket.send(bytes.span) == bytes.count)
    }

    /// What arrives, until it is `count` bytes or the stream or the time ends.
    static func receive(
        _ count: Int, from socket: StreamSocket, within limit: Duration = .seconds(5)
    ) throws -> [UInt8] {
        let buffer = StreamBuffer()
        var bytes: [UInt8] = []
        _ = try Namespace.eventually(within: limit) {
            let received = try socket.receive(with: buffer) { span in
                for index in 0..<span.count { bytes.append(span[index]) }
            }
            return bytes.count >= count || received == .end
        }
        return bytes
    }

    /// Whether bytes go both ways.
    func isAlive(within limit: Duration = .seconds(5)) throws -> Bool {
        for (from, to) in [(near, far), (far, near)] {
            try Self.send("hello", over: from)
            guard try Self.receive(5, from: to, within: limit) == Array("hello".utf8) else {
                return false
            }
        }
        return true
    }
}
