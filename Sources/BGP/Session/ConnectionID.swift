/// Names one transport connection of a peer, for as long as the process lives.
///
/// Outgoing ones are numbered by ``BGPPeer``, incoming ones by who accepts them; the number's
/// lowest bit tells them apart, so the two never meet. Unique within a peer.
public struct ConnectionID: Hashable, Sendable {
    /// Twice the serial number, and one more for an incoming connection.
    public let number: UInt64

    private init(serial: UInt64, isIncoming: Bool) {
        number = serial &<< 1 | (isIncoming ? 1 : 0)
    }

    /// A connection that the peer opened; `serial` is the caller's own count, below 2⁶³.
    public static func incoming(_ serial: UInt64) -> ConnectionID {
        ConnectionID(serial: serial, isIncoming: true)
    }

    /// A connection that we open; `serial` counts the attempts.
    static func outgoing(_ serial: UInt64) -> ConnectionID {
        ConnectionID(serial: serial, isIncoming: false)
    }

    /// Whether the peer opened it.
    public var isIncoming: Bool { number & 1 == 1 }
}

extension ConnectionID: CustomStringConvertible {
    /// `incoming 3`, `outgoing 1`.
    public var description: String { "\(isIncoming ? "incoming" : "outgoing") \(number >> 1)" }
}
