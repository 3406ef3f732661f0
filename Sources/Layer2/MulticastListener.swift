import NetworkTypes

/// Tells routers and snooping switches which multicast groups one interface listens to, so that
/// solicitations sent to the groups are delivered: the listener's half of MLD (RFC 3810 §6,
/// RFC 2710 for queriers that know only version 1).
///
/// Why not leave it to the kernel: it walks a list of its joined groups for every multicast packet
/// that arrives. With 1,000 groups that takes longer than the answer, with 10,000 about 100 µs.
///
/// ```
///              joined, left, link restored                     query received
///   silent ──────────────────────────────▶ changes waiting    ───────────────▶ answers waiting
///      ▲                                      │      ▲                              │
///      └────── said `robustness` times ───────┘      └─ again within a second       │ delay over
///      ▲                                                                            │
///      └────────────────────────────────────────────────────────────────────────────┘
/// ```
///
/// Every group is listened to from all sources (EXCLUDE mode without sources). Bounds: groups are
/// as many as the caller joins; a query makes each group wait once, however many queries come; at
/// most 32 frames leave in any 20 ms.
public struct MulticastListener: Equatable, Sendable {
    /// Something that happened.
    public enum Event: Equatable, Sendable {
        /// We listen to the group from now on.
        case joined(IPAddress)
        /// We do not listen to the group any more.
        case left(IPAddress)
        /// The interface has this link-layer address and this link-local address, or none.
        case interfaceChanged(MACAddress, linkLocal: IPAddress?)
        /// The link came up again; there may be another switch at its end.
        case linkRestored
        /// Somebody asks.
        case queryReceived(MulticastQuery)
        /// ``nextDeadline`` has come.
        case deadlineReached
    }

    /// Something the caller is to do.
    public enum Action: Equatable, Sendable {
        /// Send this frame on the interface.
        case send([UInt8])
    }

    /// How often a change is said (§9.1, Robustness Variable).
    static let robustness = 2
    /// From one saying to the next (§9.11, Unsolicited Report Interval).
    static let unsolicitedReportInterval = Duration.seconds(1)
    /// How long a version 1 querier is remembered: twice the default query interval and a
    /// response delay (§9.12).
    static let olderVersionTimeout = Duration.seconds(260)
    /// The longest delay taken from a query, whatever it says.
    static let longestDelay = Duration.seconds(60)

    private static let framesPerWindow = 32
    private static let window = Duration.milliseconds(20)

    /// The groups we listen to.
    public private(set) var groups: Set<IPAddress> = []

    private var hardware: MACAddress
    private var source = IPAddress.unspecifiedIPv6
    private var version1Until: Instant?

    /// Changes not yet said `robustness` times: how often still.
    private var changes: [IPAddress: Int] = [:]
    private var saying = GroupQueue()
    private var sayingAt: Instant?
    private var again = GroupQueue()
    private var answering = GroupQueue()
    private var answeringAt: Instant?

    /// A listener without groups.
    public init(macAddress: MACAddress) {
        hardware = macAddress
    }

    /// When ``Event/deadlineReached`` is to be handled next; `nil` while nothing is to be said.
    public var nextDeadline: Instant? {
        switch (sayingAt, answeringAt) {
        case (let saying?, let answering?): min(saying, answering)
        case (let saying, let answering): saying ?? answering
        }
    }

    /// Takes in an event and says what to do about it.
    public mutating func handle(_ event: Event, at now: Instant) -> [Action] {
        switch event {
        case .joined(let group):
            guard groups.insert(group).inserted else { return [] }
            change(group, at: now)
        case .left(let group):
            guard groups.remove(group) != nil else { return [] }
            change(group, at: now)
        case .interfaceChanged(let macAddress, let linkLocal):
            let source = linkLocal ?? .unspecifiedIPv6
            guard macAddress != hardware || source != self.source else { return [] }
            hardware = macAddress
            self.source = source
            sayEverything(at: now)
        case .linkRestored:
            version1Until = nil
            sayEverything(at: now)
        case .queryReceived(let query):
            note(query, at: now)
        case .deadlineReached:
            return sendDue(at: now)
        }
        return []
    }

    private mutating func change(_ group: IPAddress, at now: Instant) {
        changes[group] = Self.robustness
        again.remove(group)
        saying.append(group)
        sayingAt = min(sayingAt ?? now, now)
    }

    private mutating func sayEverything(at now: Instant) {
        changes = [:]
        saying = GroupQueue()
        again = GroupQueue()
        for group in groups.sorted() { change(group, at: now) }
    }

    private mutating func note(_ query: MulticastQuery, at now: Instant) {
        if query.isVersion1 { version1Until = now + Self.olderVersionTimeout }
        // Spread by link-layer address, where the RFC draws lots, so that hosts do not answer all
        // at once and a replay is exact.
        let spread = (hardware.bits &* 0x9e37_79b9_7f4a_7c15) ^ UInt64(groups.count) << 32
        let delay = min(query.maximumResponseDelay, Self.longestDelay).scaled(by: spread)
        if let group = query.group {
            guard groups.contains(group) else { return }
            answering.append(group)
        } else {
            for group in groups.sorted() { answering.append(group) }
        }
        guard !answering.isEmpty else { return }
        answeringAt = min(answeringAt ?? now + delay, now + delay)
    }

    private mutating func sendDue(at now: Instant) -> [Action] {
        var records: [(group: IPAddress, record: MulticastReport.Record)] = []
        let isVersion1 = version1Until.map { now < $0 } ?? false
        let limit =
            Self.framesPerWindow * (isVersion1 ? 1 : MulticastReport.maximumRecords)
        if let due = sayingAt, due <= now { sayChanges(&records, limit, at: now) }
        if let due = answeringAt, due <= now {
            while records.count < limit, let group = answering.popFirst() {
                // One that left meanwhile is said as a change.
                if groups.contains(group) { records.append((group, .listening)) }
            }
            answeringAt = answering.isEmpty ? nil : now + Self.window
        }
        return frames(records, isVersion1: isVersion1).map { .send($0) }
    }

    private mutating func sayChanges(
        _ records: inout [(group: IPAddress, record: MulticastReport.Record)], _ limit: Int,
        at now: Instant
    ) {
        while records.count < limit, let group = saying.popFirst() {
            guard let times = changes[group] else { continue }
            records.append((group, groups.contains(group) ? .joined : .left))
            changes[group] = times > 1 ? times - 1 : nil
            if times > 1 { again.append(group) }
        }
        if !saying.isEmpty {
            sayingAt = now + Self.window
        } else if again.isEmpty {
            sayingAt = nil
        } else {
            swap(&saying, &again)
            sayingAt = now + Self.unsolicitedReportInterval
        }
    }

    private func frames(
        _ records: [(group: IPAddress, record: MulticastReport.Record)], isVersion1: Bool
    ) -> [[UInt8]] {
        let report = MulticastReport(hardware: hardware, source: source)
        if isVersion1 { return records.map { report.version1Frame($0.group, $0.record) } }
        return stride(from: 0, to: records.count, by: MulticastReport.maximumRecords).map { start in
            let end = min(start + MulticastReport.maximumRecords, records.count)
            return report.frame(Array(records[start..<end]))
        }
    }
}

/// Groups in the order in which they came, each at most once.
private struct GroupQueue: Equatable, Sendable {
    private var order: [IPAddress] = []
    private var head = 0
    private var members: Set<IPAddress> = []

    var isEmpty: Bool { members.isEmpty }

    mutating func append(_ group: IPAddress) {
        if members.insert(group).inserted { order.append(group) }
    }

    mutating func remove(_ group: IPAddress) {
        guard members.remove(group) != nil, let index = order[head...].firstIndex(of: group) else {
            return
        }
        order.remove(at: index)
    }

    mutating func popFirst() -> IPAddress? {
        guard head < order.count else { return nil }
        let group = order[head]
        head += 1
        members.remove(group)
        // Taken ones are forgotten when they are half of the list, so it never outgrows its
        // content.
        if head * 2 >= order.count {
            order.removeFirst(head)
            head = 0
        }
        return group
    }
}
