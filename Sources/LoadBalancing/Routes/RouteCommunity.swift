/// A mark on a route that routers act on, by the value that goes on the wire.
public enum RouteCommunity: Hashable, Sendable {
    /// Two numbers of 16 bits (RFC 1997).
    case standard(UInt16, UInt16)
    /// Three numbers of 32 bits (RFC 8092).
    case large(UInt32, UInt32, UInt32)
}

extension RouteCommunity: Comparable {
    /// Standard ones first, then by value.
    public static func < (left: RouteCommunity, right: RouteCommunity) -> Bool {
        switch (left, right) {
        case (.standard(let high, let low), .standard(let otherHigh, let otherLow)):
            (high, low) < (otherHigh, otherLow)
        case (.large(let admin, let one, let two), .large(let otherAdmin, let first, let second)):
            (admin, one, two) < (otherAdmin, first, second)
        case (.standard, .large): true
        case (.large, .standard): false
        }
    }
}

extension RouteCommunity: CustomStringConvertible {
    /// `a:b` or `large:a:b:c`.
    public var description: String {
        switch self {
        case .standard(let high, let low): "\(high):\(low)"
        case .large(let administrator, let first, let second):
            "large:\(administrator):\(first):\(second)"
        }
    }
}
