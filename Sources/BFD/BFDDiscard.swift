/// Why a packet was discarded, one case for each rule.
public enum BFDDiscard: UInt8, Error, Hashable, Sendable, CaseIterable {
    // MARK: RFC 5880 §6.8.6, in its order

    /// The version is not 1.
    case version
    /// The Length field is less than 24, or 26 with an authentication section.
    case lengthTooSmall
    /// The Length field reaches past the end of the datagram.
    case lengthBeyondPayload
    /// The detection multiplier is 0.
    case detectMultiplierZero
    /// The multipoint bit is set.
    case multipoint
    /// My Discriminator is 0.
    case myDiscriminatorZero
    /// Your Discriminator is none of ours.
    case unknownDiscriminator
    /// Your Discriminator is 0, but the state is neither Down nor AdminDown.
    case yourDiscriminatorZero
    /// Your Discriminator is 0, and no session is configured with the sender.
    case noSession
    /// Authenticated, but the session is not.
    case unexpectedAuthentication
    /// Not authenticated, but the session is.
    case missingAuthentication
    /// The session is held down by its operator; the packet's fields were noted.
    case adminDown

    // MARK: RFC 5880 §6.7.2–6.7.4

    /// Authenticated by another method.
    case authenticationType
    /// The key number is not known.
    case authenticationKey
    /// The section's length is not that of its type.
    case authenticationLength
    /// The sequence number is outside of the window.
    case authenticationSequence
    /// Password or digest do not match.
    case authenticationDigest

    // MARK: RFC 5881 §5, RFC 5883 §4

    /// The hop limit is below the least accepted: 255 on a single hop.
    case timeToLive
}

extension BFDDiscard: CustomStringConvertible {
    /// The rule in words.
    public var description: String {
        switch self {
        case .version: "version is not 1"
        case .lengthTooSmall: "length field too small"
        case .lengthBeyondPayload: "length field beyond the datagram"
        case .detectMultiplierZero: "detection multiplier is 0"
        case .multipoint: "multipoint bit set"
        case .myDiscriminatorZero: "my discriminator is 0"
        case .unknownDiscriminator: "your discriminator is unknown"
        case .yourDiscriminatorZero: "your discriminator is 0 in this state"
        case .noSession: "no session with the sender"
        case .unexpectedAuthentication: "authenticated, the session is not"
        case .missingAuthentication: "not authenticated, the session is"
        case .adminDown: "session is administratively down"
        case .authenticationType: "authenticated by another method"
        case .authenticationKey: "unknown key number"
        case .authenticationLength: "wrong length of authentication"
        case .authenticationSequence: "sequence number outside of the window"
        case .authenticationDigest: "password or digest does not match"
        case .timeToLive: "hop limit too low"
        }
    }
}

/// How many packets were discarded, by reason: one counter for each, so packets cannot grow it.
public struct BFDDiscardCounters: Hashable, Sendable {
    private var counts = Array(repeating: UInt64(0), count: BFDDiscard.allCases.count)

    /// Makes counters at 0.
    public init() {}

    /// Packets discarded for `reason`.
    public subscript(_ reason: BFDDiscard) -> UInt64 { counts[Int(reason.rawValue)] }

    /// Packets discarded for any reason.
    public var total: UInt64 { counts.reduce(0, &+) }

    /// Counts one more.
    public mutating func count(_ reason: BFDDiscard) { counts[Int(reason.rawValue)] &+= 1 }
}
