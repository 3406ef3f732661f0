import NetworkTypes

/// Why a received frame led to nothing.
public enum Drop: Hashable, Sendable {
    /// The bytes broke a rule of their format.
    case undecodable(DecodeError)
    /// We sent it ourselves, or it speaks of our own link-layer address.
    case ownFrame
    /// Sent to the link-layer address of another station.
    case otherStation
    /// Asks for an address that is not ours.
    case foreignAddress
    /// A reply or advertisement about an address that is not ours.
    case foreignAnswer
    /// Asks for, or claims, an address of ours that we do not use now.
    case notInUse
    /// Another speaker probes for the address that we probe for; the probe gives way to ours.
    case peerProbe
    /// A question that would be answered, but the authority to speak has passed.
    case unauthorized

    /// The reasons that are not about format, in counting order.
    static let decisions: [Drop] = [
        .ownFrame, .otherStation, .foreignAddress, .foreignAnswer, .notInUse, .peerProbe,
        .unauthorized,
    ]

    /// Every reason there is.
    public static var allCases: [Drop] {
        decisions + DecodeError.allCases.map { .undecodable($0) }
    }

    var position: Int {
        switch self {
        case .ownFrame: 0
        case .otherStation: 1
        case .foreignAddress: 2
        case .foreignAnswer: 3
        case .notInUse: 4
        case .peerProbe: 5
        case .unauthorized: 6
        case .undecodable(let error): 7 + Int(error.rawValue)
        }
    }
}

/// How many frames were dropped, by reason: one counter for each reason, so frames cannot grow it.
public struct DropCounters: Equatable, Sendable {
    private var counts: [UInt64]

    init() {
        counts = Array(repeating: 0, count: Drop.allCases.count)
    }

    /// Frames dropped for `reason` since the start.
    public subscript(_ reason: Drop) -> UInt64 { counts[reason.position] }

    /// Frames dropped for any reason.
    public var total: UInt64 { counts.reduce(0, &+) }

    mutating func count(_ reason: Drop) { counts[reason.position] &+= 1 }
}
