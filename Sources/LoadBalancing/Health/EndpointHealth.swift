public import NetworkTypes

/// The health of all endpoints that are asked, seen from this node, and who is taken out for it.
///
/// A machine of machines: one ``EndpointProbe`` an endpoint of a Service. What is more than the one
/// probe knows is decided here: when every endpoint that a Service has in a family is down, all of
/// them stay in (fail open), because what they have in common, the question or the way of this
/// node, is then more likely broken than each of them; `failsOpen` false says otherwise.
public struct EndpointHealth: Equatable, Sendable {
    /// So many endpoints are asked; those beyond it count as up, and ``unasked`` says how many.
    public static let maximumTargets = 4_096

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
    }

    /// What is to be done.
    public enum Action: Hashable, Sendable {
        /// Ask, and tell the answer under this number.
        case ask(Target, attempt: UInt64)
        /// Give the question up.
        case abandon(Target, attempt: UInt64)
        /// An endpoint was found dead, or alive again.
        case changed(Target, isUp: Bool, because: ProbeAnswer)
        /// ``excluded`` is different now.
        case verdictChanged
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
    /// Where all are down and stay in.
    public private(set) var failingOpen: Set<Group> = []
    /// How many endpoints are not asked because there are too many.
    public private(set) var unasked = 0

    private var probes: [Target: EndpointProbe] = [:]
    private let seed: UInt64

    /// Nobody to ask yet. The seed is another one on each node.
    public init(seed: UInt64) { self.seed = seed }

    /// When it wants to be called again; `nil` when nobody is asked.
    public var nextDeadline: Instant? { probes.values.lazy.map(\.nextDeadline).min() }

    /// What is known of an endpoint; `nil` when it is not asked.
    public func probe(of target: Target) -> EndpointProbe? { probes[target] }

    /// Says who is to be asked from now on. Who was asked before and still is, is remembered.
    public mutating func update(
        _ targets: [Target: ProbeSettings], at now: Instant
    ) -> [Action] {
        let chosen =
            targets.count <= Self.maximumTargets
            ? Set(targets.keys) : Set(targets.keys.sorted().prefix(Self.maximumTargets))
        unasked = targets.count - chosen.count
        probes = probes.filter { chosen.contains($0.key) }
        for target in chosen {
            guard let settings = targets[target] else { continue }
            if probes[target] == nil {
                probes[target] = EndpointProbe(settings, seed: seed(of: target), at: now)
            } else {
                probes[target]?.settings = settings
            }
        }
        return judge()
    }

    /// Takes in the answer to a question.
    public mutating func answered(
        _ target: Target, attempt: UInt64, _ answer: ProbeAnswer, at now: Instant
    ) -> [Action] {
        handle(.answered(attempt: attempt, answer), of: target, at: now)
    }

    /// Does what is due.
    public mutating func deadlineReached(at now: Instant) -> [Action] {
        let due = probes.filter { $0.value.nextDeadline <= now }.keys.sorted()
        return due.flatMap { handle(.deadlineReached, of: $0, at: now) }
    }

    private mutating func handle(
        _ event: EndpointProbe.Event, of target: Target, at now: Instant
    ) -> [Action] {
        guard let steps = probes[target]?.handle(event, at: now) else { return [] }
        return steps.flatMap { step -> [Action] in
            switch step {
            case .ask(let attempt): [.ask(target, attempt: attempt)]
            case .abandon(let attempt): [.abandon(target, attempt: attempt)]
            case .changed(let isUp, let answer):
                [.changed(target, isUp: isUp, because: answer)] + judge()
            }
        }
    }

    /// Works out who is out.
    private mutating func judge() -> [Action] {
        var down: [Group: Set<IPAddress>] = [:]
        var living: Set<Group> = []
        var strict: Set<Group> = []
        for (target, probe) in probes {
            let group = Group(service: target.service, family: target.address.family)
            if !probe.settings.failsOpen { strict.insert(group) }
            if probe.isUp {
                living.insert(group)
            } else {
                down[group, default: []].insert(target.address)
            }
        }
        var next: [ServiceName: Set<IPAddress>] = [:]
        failingOpen = []
        for (group, addresses) in down {
            if living.contains(group) || strict.contains(group) {
                next[group.service, default: []].formUnion(addresses)
            } else {
                failingOpen.insert(group)
            }
        }
        guard next != excluded else { return [] }
        excluded = next
        return [.verdictChanged]
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
