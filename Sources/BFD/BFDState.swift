/// The state of a session (RFC 5880 §4.1). The raw value is the Sta field.
public enum BFDState: UInt8, Hashable, Sendable, CaseIterable {
    /// Held down by its operator; no statement about the path.
    case adminDown = 0
    /// The other end does not hear us, or nothing is known of it yet.
    case down = 1
    /// The other end is heard, but does not say that it hears us.
    case `init` = 2
    /// Both ends hear each other.
    case up = 3
}

extension BFDState: CustomStringConvertible {
    /// The RFC's name.
    public var description: String {
        switch self {
        case .adminDown: "AdminDown"
        case .down: "Down"
        case .`init`: "Init"
        case .up: "Up"
        }
    }
}

/// What a session says about its path to those who use it (RFC 5882 §3.2, §4.1).
///
/// Only ``down`` is a failure. A session that has not been up yet says nothing, because the other
/// end may not speak BFD; nor does one that either operator holds down.
public enum BFDReachability: Hashable, Sendable, CaseIterable {
    /// No statement: never up yet, or held down by an operator.
    case unknown
    /// Packets pass both ways.
    case up
    /// They did, and do no longer.
    case down
}
