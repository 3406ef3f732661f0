import NetworkTypes

/// How one address is to be announced.
public struct AnnouncementSettings: Hashable, Sendable {
    /// Look for another user of the address before the first use (RFC 5227 §2.1).
    public var probeFirst: Bool

    /// The time between announcements while nothing changes; `nil` for none. Below one second it
    /// counts as one second.
    public var reannounceInterval: Duration?

    /// Probing first, and announcing every 60 s, unless told otherwise.
    public init(probeFirst: Bool = true, reannounceInterval: Duration? = .seconds(60)) {
        self.probeFirst = probeFirst
        self.reannounceInterval = reannounceInterval
    }
}

/// What happened to one address since it was added.
public struct AddressCounters: Hashable, Sendable {
    /// Questions for the address, answered or not.
    public internal(set) var requestsReceived: UInt64 = 0
    /// Answers, those to probes of other stations included.
    public internal(set) var responsesSent: UInt64 = 0
    /// Frames of unasked announcements: two each time for IPv4, one for IPv6.
    public internal(set) var gratuitousSent: UInt64 = 0
    /// Frames by which another station claimed the address, reported or not.
    public internal(set) var claimsReceived: UInt64 = 0
}

/// Where an address stands; the diagram is at ``Announcer``.
public enum AnnouncementState: Hashable, Sendable {
    /// Not in use yet: asking whether another station has it; `sent` questions so far.
    case probing(sent: Int)
    /// In use, and in the opening burst of announcements; `sent` announcements so far.
    case announcing(sent: Int)
    /// In use.
    case active
    /// Not in use: another station has it. Probing starts again at `retryAt`.
    case conflicted(retryAt: Instant)

    /// Whether questions for the address are answered.
    public var isAnswering: Bool {
        switch self {
        case .announcing, .active: true
        case .probing, .conflicted: false
        }
    }
}

/// One address of the table.
struct AnnouncedAddress: Equatable, Sendable {
    let address: IPAddress
    var settings: AnnouncementSettings
    var state: AnnouncementState
    var isAnswering: Bool
    var counters = AddressCounters()
    /// Rounds of probing lost in a row, to a stranger or to a peer; each waits longer.
    var lostRounds = 0
    var lastDefence: Instant?
    var lastReport: Instant?

    init(_ address: IPAddress, _ settings: AnnouncementSettings) {
        self.address = address
        self.settings = settings
        state = settings.probeFirst ? .probing(sent: 0) : .announcing(sent: 0)
        isAnswering = state.isAnswering
    }

    mutating func enter(_ next: AnnouncementState) {
        state = next
        isAnswering = next.isAnswering
    }

    /// A number that differs between addresses and stays the same for one: deadlines are spread by
    /// it where a random number would do, so that a replay is exact.
    func spread(_ salt: UInt64) -> UInt64 {
        var mixed = UInt64(truncatingIfNeeded: address.bits ^ address.bits >> 64) ^ salt
        mixed = (mixed ^ mixed >> 32) &* 0x9e37_79b9_7f4a_7c15
        mixed = (mixed ^ mixed >> 29) &* 0xbf58_476d_1ce4_e5b9
        return mixed ^ mixed >> 32
    }
}

extension Duration {
    /// The part of the duration that `fraction` is of 2⁶⁴.
    func scaled(by fraction: UInt64) -> Duration {
        let whole = UInt64(max(wholeNanoseconds, 0))
        return .nanoseconds(Int64(whole.multipliedFullWidth(by: fraction).high))
    }
}
