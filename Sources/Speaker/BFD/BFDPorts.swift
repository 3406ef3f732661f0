import LinuxNetwork
import NetworkTypes

/// The ports that control packets come in by, each open as long as a session needs it.
final class BFDPorts {
    /// A port of one family.
    struct Key: Hashable {
        var family: IPAddress.Family
        var isMultihop: Bool

        var port: UInt16 { isMultihop ? BFDPorts.multihop : BFDPorts.singleHop }
    }

    /// Single hop (RFC 5881 §4).
    static let singleHop: UInt16 = 3784
    /// Multihop (RFC 5883 §5).
    static let multihop: UInt16 = 4784
    /// More than the kernel's buffer holds: what came before a turn began is read in it.
    private static let roundsPerTurn = 256

    private var sockets: [Key: BFDReceiveSocket] = [:]
    private(set) var troubles: [Key: SystemError] = [:]

    /// Whether packets for the key can come in.
    func isOpen(_ key: Key) -> Bool { sockets[key] != nil }

    /// Opens and closes, so that these are open. One that is taken today may be free tomorrow:
    /// calling again tries again.
    func need(_ keys: Set<Key>, in group: BFDSocketGroup) {
        sockets = sockets.filter { keys.contains($0.key) }
        troubles = troubles.filter { keys.contains($0.key) }
        for key in keys where sockets[key] == nil {
            do throws(SystemError) {
                let socket = try BFDReceiveSocket(key.family, port: key.port)
                try group.add(socket)
                sockets[key] = socket
                troubles[key] = nil
            } catch {
                troubles[key] = error
            }
        }
    }

    /// Hands over everything that waits. A socket that fails is closed, to be opened again.
    func receive(_ body: (Key, Span<UInt8>, BFDReceiveSocket.Arrival) -> Void) {
        for (key, socket) in sockets {
            do throws(SystemError) {
                for _ in 0..<Self.roundsPerTurn {
                    let count = try socket.receive { bytes, arrival in body(key, bytes, arrival) }
                    if count < BFDReceiveSocket.batch { break }
                }
            } catch {
                sockets[key] = nil
                troubles[key] = error
            }
        }
    }
}
