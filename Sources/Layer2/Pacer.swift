import NetworkTypes

/// The bound on frames nobody asked for: 200 in any window of 20 ms, 10,000 a second.
///
/// Each is a broadcast that every station of the LAN has to read. 10,000 addresses that move at
/// once are announced within 2 s; a switch port and a transmit queue of 1,000 frames keep up.
struct Pacer: Equatable, Sendable {
    static let limit = 200
    static let window = Duration.milliseconds(20)
    /// The most frames of one step: both forms of an ARP announcement.
    static let largestStep = 2

    private var windowEnd = Instant(nanoseconds: .min)
    private var sent = 0

    /// Whether a step may be taken now. When not, its deadline stays and ``earliest(_:)`` says
    /// when.
    mutating func admits(at now: Instant) -> Bool {
        if now >= windowEnd {
            windowEnd = now + Self.window
            sent = 0
        }
        return hasRoom
    }

    mutating func count() { sent += 1 }

    /// The earliest instant at which a step that is due at `deadline` can be taken.
    func earliest(_ deadline: Instant) -> Instant {
        hasRoom ? deadline : max(deadline, windowEnd)
    }

    private var hasRoom: Bool { sent + Self.largestStep <= Self.limit }
}
