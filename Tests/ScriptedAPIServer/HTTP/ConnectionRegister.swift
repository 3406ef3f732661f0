import NIOCore
import Synchronization

/// The open connections and whose they are, so that they can be dropped.
final class ConnectionRegister: Sendable {
    private struct Entry {
        var channel: any Channel
        var user = ""
    }

    private let entries = Mutex<[ObjectIdentifier: Entry]>([:])

    var count: Int { entries.withLock { $0.count } }

    func add(_ channel: any Channel) {
        let key = ObjectIdentifier(channel)
        entries.withLock { $0[key] = Entry(channel: channel) }
        channel.closeFuture.whenComplete { [self] _ in
            _ = entries.withLock { $0.removeValue(forKey: key) }
        }
    }

    /// Says whose a connection is; of an HTTP/2 stream, the connection below it.
    func name(_ channel: any Channel, _ user: String) {
        let key = ObjectIdentifier(Self.connection(of: channel))
        entries.withLock { entries in
            if entries[key] != nil, entries[key]?.user != user { entries[key]?.user = user }
        }
    }

    func closeAll(where isMeant: (String) -> Bool) {
        let channels = entries.withLock { entries in
            entries.values.filter { isMeant($0.user) }.map(\.channel)
        }
        for channel in channels { channel.close(promise: nil) }
    }

    /// Streams have the connection as their parent; connections have the listener.
    static func connection(of channel: any Channel) -> any Channel {
        guard let parent = channel.parent, parent.parent != nil else { return channel }
        return parent
    }
}
