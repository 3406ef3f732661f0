import NetworkTypes

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

/// One address of the table.
struct AnnouncedAddress: Equatable, Sendable {
    let address: IPAddress
    var settings: AnnouncementSettings
    var state: AnnouncementState
    var isAnswering: Bool
    var counters = AddressCounters()
    /// Rounds of probing or checking lost in a row; each waits longer.
    var lostRounds = 0
    var lastDefence: Instant?
    var lastReport: Instant?

    init(_ address: IPAddress, _ settings: AnnouncementSettings) {
        self.address = address
        self.settings = settings
        state = Self.beginning(settings.start)
        isAnswering = state.isAnswering
    }

    mutating func enter(_ next: AnnouncementState) {
        state = next
        isAnswering = next.isAnswering
    }

    /// Goes back to where the address comes into use from.
    mutating func restart() {
        switch (settings.start, state) {
        case (.afterProbing, _): enter(.probing(sent: 0))
        case (.afterCheck, _), (.atOnce, .standingBy): enter(.checking(sent: 0))
        case (.atOnce, _): enter(.awaitingAuthority)
        }
    }

    private static func beginning(_ start: AnnouncementSettings.Start) -> AnnouncementState {
        switch start {
        case .atOnce: .announcing(sent: 0)
        case .afterProbing: .probing(sent: 0)
        case .afterCheck: .checking(sent: 0)
        }
    }

    /// A number that differs between addresses and stays the same for one: deadlines are spread by
    /// it where a random number would do, so that a replay is exact.
    func spread(_ salt: UInt64) -> UInt64 { address.spread(salt) }
}

extension IPAddress {
    /// A number that differs between addresses and stays the same for one.
    func spread(_ salt: UInt64) -> UInt64 {
        var mixed = UInt64(truncatingIfNeeded: bits ^ bits >> 64) ^ salt
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

extension Instant {
    /// The end of the clock: how an unlimited authority is written.
    static let never = Instant(nanoseconds: .max)
}
