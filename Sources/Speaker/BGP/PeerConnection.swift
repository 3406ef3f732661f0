import BGP
import LinuxNetwork

/// One TCP connection with a peer, and what waits to go out on it. Belongs to the BGP thread.
final class PeerConnection {
    let id: ConnectionID
    let tag: UInt64
    let socket: StreamSocket
    /// Whether the connection exists; an attempt does not yet.
    var isConnected: Bool
    var framer = MessageFramer()
    /// Whole messages, of which the first `sent` bytes the kernel has taken.
    var waiting: [UInt8] = []
    var sent = 0
    /// Whether the poller tells of room to write.
    var watchesWriting: Bool
    /// What the kernel had not sent when last looked at.
    var unsent = 0

    /// As much is made ready at a time: enough for the largest window, little to throw away.
    static let chunk = 256 << 10

    init(id: ConnectionID, tag: UInt64, socket: StreamSocket, isConnected: Bool) {
        self.id = id
        self.tag = tag
        self.socket = socket
        self.isConnected = isConnected
        watchesWriting = !isConnected
    }

    var isClosed: Bool { socket.descriptor < 0 }
    var hasWaiting: Bool { sent < waiting.count }

    /// Gives the kernel what it takes. Returns false when something is left.
    func flush() throws(SystemError) -> Bool {
        // The socket does not touch what waits, so this is no copy.
        let bytes = waiting
        while hasWaiting {
            let count = try socket.send(bytes.span.extracting(sent..<bytes.count))
            if count == 0 { return false }
            sent += count
        }
        waiting.removeAll(keepingCapacity: waiting.capacity <= 2 * Self.chunk)
        sent = 0
        return true
    }

    /// Whether bytes wait that the peer does not take, and whether some went since the last look.
    func progress() -> (isStalled: Bool, hasMoved: Bool) {
        let now = socket.unsent + waiting.count - sent
        defer { unsent = now }
        return (now > 0, now < unsent)
    }
}
