/// A BGP community value, as advertisements attach it to routes.
public enum BGPCommunity: Hashable, Sendable {
    /// Two numbers of 16 bits, `a:b` (RFC 1997).
    case standard(UInt16, UInt16)
    /// Three numbers of 32 bits, `large:a:b:c` (RFC 8092).
    case large(UInt32, UInt32, UInt32)

    /// The names that need no Community object, from the registry of well-known communities.
    public static let wellKnown: [String: BGPCommunity] = [
        "graceful-shutdown": .standard(65535, 0),  // RFC 8326
        "accept-own": .standard(65535, 1),  // RFC 7611
        "llgr-stale": .standard(65535, 6),  // RFC 9494
        "no-llgr": .standard(65535, 7),  // RFC 9494
        "blackhole": .standard(65535, 666),  // RFC 7999
        "no-export": .standard(65535, 65281),  // RFC 1997
        "no-advertise": .standard(65535, 65282),  // RFC 1997
        "no-export-subconfed": .standard(65535, 65283),  // RFC 1997
        "no-peer": .standard(65535, 65284),  // RFC 3765
    ]
}

extension BGPCommunity: LosslessStringConvertible {
    /// Reads `a:b` or `large:a:b:c` in decimal; names are not values and give `nil`.
    public init?(_ text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.allSatisfy({ $0.utf8.count <= 10 }) else { return nil }
        let numbers = parts.drop { $0 == "large" }.compactMap { part -> UInt32? in
            part.utf8.allSatisfy { (0x30...0x39).contains($0) } ? UInt32(part) : nil
        }
        if parts.count == 4, parts[0] == "large", numbers.count == 3 {
            self = .large(numbers[0], numbers[1], numbers[2])
        } else if parts.count == 2, numbers.count == 2, let high = UInt16(exactly: numbers[0]),
            let low = UInt16(exactly: numbers[1])
        {
            self = .standard(high, low)
        } else {
            return nil
        }
    }

    /// `a:b` or `large:a:b:c`.
    public var description: String {
        switch self {
        case .standard(let high, let low): "\(high):\(low)"
        case .large(let administrator, let first, let second):
            "large:\(administrator):\(first):\(second)"
        }
    }
}
