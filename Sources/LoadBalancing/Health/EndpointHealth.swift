public import NetworkTypes

/// The health of all endpoints that are asked, seen from this node, and who is taken out for it.
///
/// A machine of machines: one ``EndpointProbe`` an endpoint of a Service. What is more than the one
/// probe knows is decided here: when every endpoint that a Service has in a family is down, all of
/// them stay in (fail open), because what they have in common, the question or the way of this
/// node, is then more likely broken than each of them; `failsOpen` false says otherwise. When one
/// comes back, the others stay in until each had its chance to come back too.
///
/// Bounds: endpoints, questions under way, and questions a second; a question that there is no room
/// for is asked later, in the order in which they were due.
public struct EndpointHealth: Equatable, Sendable {
    /// So many endpoints are asked; those beyond it count as up, and ``unasked`` says how many.
    public static let maximumTargets = 4_096
    /// So many questions are under way at once; each may need a descriptor.
    public static let maximumQuestions = 512
    /// So many questions are asked in a second, when more are due.
    public static let maximumRate = 500

    /// An endpoint of a Service, and where it is asked.
    public struct Target: Hashable, Sendable, Comparable {
        /// The Service.
        public let service: ServiceName
        /// The endpoint.
        public let address: IPAddress
        /// The port that is asked, 1–65535.
        public let port: UInt16

        /// Names an endpoint.
        public init(service: ServiceName, address: IPAddress, port: UInt16) {
            self.service = service
            self.address = address
            self.port = port
        }

        /// By Service, address and port.
        public static func < (left: Self, right: Self) -> Bool {
            (left.service, left.address, left.port) < (right.service, right.address, right.port)
        }

        var group: Group { Group(service: service, family: address.family) }
    }

    /// What is to be done.
    public enum Action: Hashable, Sendable {
        /// Ask, and tell the answer under this number.
        case ask(Target, attempt: UInt64)
        /// Give the question up.
        case abandon(Target, attempt: UInt64)
        /// An endpoint was found dead, or alive again.
        case changed(Target, isUp: Bool, because: ProbeAnswer)
    }

    /// All endpoints of one Service and family.
    public struct Group: Hashable, Sendable, Comparable {
        /// The Service.
        public let service: ServiceName
        /// The family.
        public let family: IPAddress.Family

        /// By Service, IPv4 first.
        public static func < (left: Self, right: Self) -> Bool {
            (left.service, left.family.rawValue) < (right.service, right.family.rawValue)
        }
    }

    /// Who is taken out, by Service.
    public private(set) var excluded: [ServiceName: Set<IPAddress>] = [:]
    /// Where all were down and stay in; also those where some are back and the rest may follow.
    public private(set) var failingOpen: Set<Group> = []
    /// How many endpoints are not asked because there are too many.
    public private(set) var unasked = 0
    /// How many questions a second the intervals make, rounded up; beyond ``maximumRate`` all are
    /// asked less often than that.
    public private(set) var demand = 0

    private var probes: [Target: EndpointProbe] = [:]
    private var groups: [Group: GroupHealth] = [:]
    /// When a question begins, and when its time is over.
    private var beginnings = ProbeQueue()
    private var ends = ProbeQueue()
    private var underWay = 0
    /// When a next question would be on time at the even pace of ``maximumRate``.
    private var pace: Instant?
    private let seed: UInt64

    private static let step = Duration.seconds(1) / maximumRate
    /// How far questions may be ahead of the even pace.
    private static let advance = Duration.milliseconds(100)

    /// Nobody to ask yet. The seed is another one on each node.
    public init(seed: UInt64) { self.seed = seed }

    /// When it wants to be called again; `nil` when nothing comes but answers.
    public var nextDeadline: Instant? {
        var next = ends.first?.deadline
        if underWay < Self.maximumQuestions, let beginning = beginnings.first?.deadline {
            let earliest = pace.map { max(beginning, $0 - Self.advance) } ?? beginning
            next = next.map { min($0, earliest) } ?? earliest
        }
        return next
    }

    /// Says who is to be asked from now on. Who was asked before and still is, is remembered.
    public mutating func update(_ targets: [Target: ProbeSettings], at now: Instant) {
        let chosen =
            targets.count <= Self.maximumTargets
            ? Set(targets.keys) : Set(targets.keys.sorted().prefix(Self.maximumTargets))
        unasked = targets.count - chosen.count
        for target in probes.keys where !chosen.contains(target) {
            probes[target] = nil
            groups[target.group]?.note(target, nil)
        }
        var members: [Group: Set<Target>] = [:]
        var strict: Set<Group> = []
        for target in chosen {
            guard let settings = targets[target] else { continue }
            members[target.group, default: []].insert(target)
            if !settings.failsOpen { strict.insert(target.group) }
            if probes[target] == nil {
                probes[target] = EndpointProbe(settings, seed: seed(of: target), at: now)
            } else {
                probes[target]?.settings = settings
            }
        }
        groups = groups.filter { members[$0.key] != nil }
        for (group, targets) in members {
            var health = groups[group] ?? GroupHealth(targets, isStrict: false)
            health.members = targets
            health.isStrict = strict.contains(group)
            health.settle(probes)
            groups[group] = health
        }
        let rate = probes.values.reduce(0.0) { $0 + Duration.seconds(1) / $1.settings.interval }
        demand = Int(rate.rounded(.up))
        underWay = probes.values.count(where: \.isAsking)
        beginnings = queue(whereAsking: false)
        ends = queue(whereAsking: true)
        excluded = [:]
        failingOpen = []
        for group in groups.keys { show(group) }
    }

    /// Takes in the answer to a question.
    public mutating func answered(
        _ target: Target, attempt: UInt64, _ answer: ProbeAnswer, at now: Instant
    ) -> [Action] {
        handle(.answered(attempt: attempt, answer), of: target, at: now)
    }

    /// Does what is due.
    public mutating func deadlineReached(at now: Instant) -> [Action] {
        var actions: [Action] = []
        while let end = ends.first, end.deadline <= now {
            ends.removeFirst()
            guard probes[end.target]?.isAsking == true else { continue }
            actions += handle(.deadlineReached, of: end.target, at: now)
        }
        while let beginning = beginnings.first, beginning.deadline <= now,
            underWay < Self.maximumQuestions, pace.map({ $0 - Self.advance <= now }) ?? true
        {
            beginnings.removeFirst()
            pace = max(pace ?? now, now) + Self.step
            actions += handle(.deadlineReached, of: beginning.target, at: now)
        }
        return actions
    }

    private mutating func handle(
        _ event: EndpointProbe.Event, of target: Target, at now: Instant
    ) -> [Action] {
        guard var probe = probes[target] else { return [] }
        let wasAsking = probe.isAsking
        let steps = probe.handle(event, at: now)
        probes[target] = probe
        switch (wasAsking, probe.isAsking) {
        case (false, true):
            underWay += 1
            ends.add(target, at: probe.nextDeadline)
            // Questions that were answered leave their ends behind.
            if ends.count > 64 + 4 * probes.count { ends = queue(whereAsking: true) }
        case (true, false):
            underWay -= 1
            beginnings.add(target, at: probe.nextDeadline)
            judge(target, probe)
        case (true, true), (false, false): break
        }
        return steps.map { step in
            switch step {
            case .ask(let attempt): .ask(target, attempt: attempt)
            case .abandon(let attempt): .abandon(target, attempt: attempt)
            case .changed(let isUp, let answer): .changed(target, isUp: isUp, because: answer)
            }
        }
    }

    /// Works out what an answer means for the group.
    private mutating func judge(_ target: Target, _ probe: EndpointProbe) {
        let group = target.group
        guard var health = groups.removeValue(forKey: group) else { return }
        let before = (health.stage, health.isDown(target))
        health.note(target, probe)
        health.settle(probes)
        let isDifferent = before != (health.stage, health.isDown(target))
        groups[group] = health
        if isDifferent { show(group) }
    }

    private mutating func show(_ group: Group) {
        if groups[group]?.isFailingOpen == true {
            failingOpen.insert(group)
        } else {
            failingOpen.remove(group)
        }
        let out = IPAddress.Family.allCases.reduce(into: Set<IPAddress>()) { out, family in
            out.formUnion(groups[Group(service: group.service, family: family)]?.excluded ?? [])
        }
        excluded[group.service] = out.isEmpty ? nil : out
    }

    private func queue(whereAsking isAsking: Bool) -> ProbeQueue {
        ProbeQueue(
            probes.filter { $0.value.isAsking == isAsking }.map {
                ProbeQueue.Entry(deadline: $0.value.nextDeadline, target: $0.key)
            })
    }

    /// FNV-1a over the name of the target, so that equal runs are equal and targets differ.
    private func seed(of target: Target) -> UInt64 {
        var hash = seed ^ 0xcbf2_9ce4_8422_2325
        for byte in "\(target.service)/\(target.address)/\(target.port)".utf8 {
            hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3
        }
        return hash
    }
}
