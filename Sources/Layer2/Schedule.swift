import NetworkTypes

/// What is due when, in lanes that share the bound on frames nobody asked for: 200 in any window of
/// 20 ms, 10,000 a second.
///
/// Each such frame is a broadcast that every station of the LAN has to read. 10,000 addresses that
/// move at once are announced within 2 s; a switch port and a transmit queue of 1,000 frames keep
/// up.
///
/// When hundreds of addresses are taken over at once, a check that has begun is finished before
/// another begins, and checks begin at most 75 at a time, which leaves a quarter of the bound to
/// announcements: the first address is in use after 10 ms, and no client waits for its announcement
/// until all checks are over. Repeated announcements come last.
struct Schedule: Equatable, Sendable {
    /// In order of precedence.
    enum Lane: Int, Sendable {
        /// Steps that send nothing by themselves: a silence that is long enough.
        case silent
        /// Questions of a check that has begun.
        case finishing
        /// The first question of a check.
        case starting
        /// The first announcement of an address.
        case opening
        /// Probes before a first use, and announcements that repeat.
        case repeating

        static let inOrder: [Lane] = [.silent, .finishing, .starting, .opening, .repeating]

        /// The most frames of one step: both forms of an ARP announcement; a question with the one
        /// for the former owner.
        var frames: Int {
            switch self {
            case .silent: 0
            case .finishing: 1
            case .starting, .opening, .repeating: 2
            }
        }
    }

    static let limit = 200
    static let startLimit = 75

    private var lanes = Array(repeating: DeadlineHeap(), count: Lane.inOrder.count)
    /// By slot: the lane its deadline is in.
    private var laneOfSlot: [Lane] = []
    private var frames = Pacer(limit: Schedule.limit)
    private var starts = Pacer(limit: Schedule.startLimit)

    /// Gives `slot` a deadline, or takes it away.
    mutating func set(_ slot: Int, _ deadline: Instant?, _ lane: Lane) {
        while laneOfSlot.count <= slot { laneOfSlot.append(.silent) }
        let previous = laneOfSlot[slot]
        if previous != lane { lanes[previous.rawValue].set(slot, nil) }
        laneOfSlot[slot] = lane
        lanes[lane.rawValue].set(slot, deadline)
    }

    /// Takes note of a frame.
    mutating func countFrame(at now: Instant) { frames.count(at: now) }

    /// Takes note of a check that begins.
    mutating func countStart(at now: Instant) { starts.count(at: now) }

    /// Whether one more frame may leave now.
    func admitsFrame(at now: Instant) -> Bool { frames.admits(1, at: now) }

    /// The slot whose step is to be taken now. What is due and not admitted stays, and
    /// ``nextDeadline`` says when it will be.
    func due(at now: Instant) -> Int? {
        for lane in Lane.inOrder {
            if let first = lanes[lane.rawValue].first, earliest(first.deadline, lane) <= now {
                return first.slot
            }
        }
        return nil
    }

    var nextDeadline: Instant? {
        var next: Instant?
        for lane in Lane.inOrder {
            guard let first = lanes[lane.rawValue].first else { continue }
            let deadline = earliest(first.deadline, lane)
            next = next.map { min($0, deadline) } ?? deadline
        }
        return next
    }

    private func earliest(_ deadline: Instant, _ lane: Lane) -> Instant {
        switch lane {
        case .silent: deadline
        case .starting: max(deadline, frames.earliest(lane.frames), starts.earliest(1))
        case .finishing, .opening, .repeating: max(deadline, frames.earliest(lane.frames))
        }
    }
}
