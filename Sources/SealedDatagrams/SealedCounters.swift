import NetworkTypes

/// Why a datagram was dropped.
package enum DropReason: String, CaseIterable, Hashable, Sendable {
    /// Shorter than any, of another version, or with an inside that no sender writes.
    case malformed
    /// Longer than any.
    case tooLong
    /// Sealed with a key that is not in the ring.
    case wrongKey
    /// The hint is of a key in the ring, the seal is not.
    case forged
    /// In clear, while this node seals.
    case notSealed
    /// Seen before, or too far behind the newest of its session.
    case replayed
    /// From a former start of its sender.
    case stale
    /// From a node that is up under the name of another.
    case sameName
    /// Our own.
    case reflected
    /// It echoes no challenge of ours, and 200 hellos have been sent within a second.
    case crowded
    /// It echoes no challenge of ours, and the hello that brings it was sent less than 50 ms ago.
    case early
    /// A hello that answers nothing we sent lately.
    case unasked

    /// Whether an operator is told; the others happen between nodes that are well.
    var isTrouble: Bool { self != .early && self != .unasked }
}

/// What a ``SealedChannel`` has done since it was made.
package struct SealedCounters: Equatable, Sendable {
    /// Datagrams made, hellos and repetitions included.
    package internal(set) var sealed = 0
    /// Datagrams whose content was handed over.
    package internal(set) var opened = 0
    /// Hellos made, which is once for each first contact and after each restart.
    package internal(set) var hellos = 0
    /// Payloads sent again because a hello came.
    package internal(set) var resent = 0
    /// Payloads that were too long to send.
    package internal(set) var refused = 0
    /// Datagrams dropped, by reason.
    package internal(set) var dropped: [DropReason: Int] = [:]
}

/// Something an operator should look at, told once for each reason and source.
package struct SealedTrouble: Hashable, Sendable {
    /// What was wrong.
    package let reason: DropReason
    /// Who sent it, or wrote that address on it.
    package let source: IPAddress

    /// One sentence for the log.
    package var description: String {
        switch reason {
        case .malformed: "\(source) sends datagrams that are not Martlet's"
        case .tooLong: "\(source) sends datagrams longer than Martlet's"
        case .wrongKey: "\(source) seals with a key that this node does not have"
        case .forged: "\(source) sends datagrams that were changed or forged"
        case .notSealed: "\(source) sends without sealing"
        case .replayed: "\(source) sends datagrams again that came before"
        case .stale: "\(source) sends datagrams of a former start of its node"
        case .sameName: "\(source) uses the node name of another that is up"
        case .reflected: "\(source) sends our own datagrams back"
        case .crowded: "\(source) has its datagrams ignored: too many first contacts at once"
        case .early, .unasked: "\(source) makes the acquaintance of this node"
        }
    }

    /// What the reader can do.
    package var remedy: String {
        switch reason {
        case .wrongKey: "give every node the same key file; a new key goes below the old one first"
        case .notSealed: "give that node the key file, or take sealing off everywhere"
        case .sameName: "give each node its own name (--node)"
        case .crowded: "nothing, when a large cluster starts; else look for who sends so much"
        default: "keep strangers from this port, unless the network itself repeats datagrams"
        }
    }
}
