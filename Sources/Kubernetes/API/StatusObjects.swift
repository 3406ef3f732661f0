public import NetworkTypes

/// Keeps this process's own status objects on the server as they should be: what its node answers
/// for (`ServiceL2Status`), what routers have from it (`ServiceBGPStatus`), and whether the
/// configuration is right as it reads it (`ConfigurationState`).
///
/// ```
///   looking (own objects, once) ──► quiet ◄──► writing, one object after the other
///      ▲                               │ 404, 409: look at that object again
///      └──── failed: wait, again ──────┘
/// ```
///
/// Level-based: each write makes one object what it should be by then; what was so in between is
/// never written. Paced by the size of the cluster: at most five requests a second, and all nodes
/// together make about 200, so a change that concerns every node does not fall on the server at
/// once. One request is on its way at a time.
///
/// `ServiceBGPStatus` grows with nodes × Services, because every node announces every Service; it
/// is kept only up to ``announcementLimit`` of them, and taken away beyond.
public struct StatusObjects: Sendable {
    /// Whose objects they are.
    public enum Role: Hashable, Sendable {
        /// The controller's: a ConfigurationState.
        case controller
        /// A node's speaker. With the Node's `metadata.uid`, the objects belong to it and go when
        /// it goes; empty when unknown.
        case speaker(node: String, uid: String)
    }

    /// What should be on the server.
    public struct Content: Hashable, Sendable {
        /// The interfaces on which the node answers for a Service's addresses.
        public var interfaces: [ObjectName: Set<String>]
        /// The peers that have a Service's routes from the node.
        public var peers: [ObjectName: Set<String>]
        /// What is wrong with the configuration.
        public var problems: [Problem]

        /// Makes content.
        public init(
            interfaces: [ObjectName: Set<String>] = [:], peers: [ObjectName: Set<String>] = [:],
            problems: [Problem] = []
        ) {
            self.interfaces = interfaces
            self.peers = peers
            self.problems = problems
        }
    }

    /// What happened.
    public enum Event: Sendable {
        /// This should be on the server from now on.
        case wanted(Content)
        /// Somebody else may have written these objects meanwhile: all of them are looked at again.
        case doubted
        /// The cluster is of this size: Nodes, and Services that have an address.
        case sized(nodes: Int, services: Int)
        /// The request of that number was carried out; the answer's body.
        case answered(Int, [UInt8])
        /// The request of that number was not, or nobody knows.
        case failed(Int, APIFailure)
        /// ``StatusObjects/nextDeadline`` has come.
        case deadlineReached
    }

    /// What the shell is to do.
    public enum Action: Equatable, Sendable {
        /// Send the request, and say what became of it under that number.
        case send(Int, ObjectRequest)
    }

    /// The most ServiceBGPStatus that all nodes together may keep.
    public static let announcementLimit = 20_000
    /// All nodes together make a request every so often.
    static let share = Duration.milliseconds(5)
    /// One node makes a request every so often at the most.
    static let interval = Duration.milliseconds(200)
    /// The longest that a change waits only for other nodes' sake.
    static let longestSpread = Duration.seconds(60)
    /// How long a kind is left alone that cannot be read or written.
    static let kindRests = Duration.seconds(30)

    let role: Role
    let namespace: String
    let manager: String
    var content: Content?
    var nodes = 1
    var services = 0
    var keepsAnnouncements = true
    /// What the server has, as far as it was looked at.
    var known: [Item: Value] = [:]
    var work = FirstInFirstOut<Item>()
    var queued: Set<Item> = []
    var kinds: [Kind: KindState]
    var request: Request?
    var requestCount = 0
    var pause: RequestPause
    /// When the next request may be made.
    var notBefore = Instant(nanoseconds: .min)
    /// Whether there was nothing to do: what comes then is spread over time.
    var isQuiet = true
    var jitter: RetryPace

    /// Makes a machine that has not looked yet, and does nothing before it is told what is wanted.
    ///
    /// - Parameters:
    ///   - namespace: where the objects live.
    ///   - manager: the field manager.
    ///   - seed: spreads the nodes over time.
    public init(role: Role, namespace: String, manager: String, seed: UInt64) {
        self.role = role
        self.namespace = namespace
        self.manager = manager
        jitter = RetryPace(seed: seed)
        pause = RequestPause(seed: ~seed)
        let own: [Kind] = role == .controller ? [.configuration] : Kind.allCases
        kinds = Dictionary(uniqueKeysWithValues: own.map { ($0, KindState()) })
    }

    /// When ``Event/deadlineReached`` is due; `nil` for not at all.
    public var nextDeadline: Instant? {
        guard request == nil, content != nil else { return nil }
        var due: Instant?
        if !work.isEmpty || kinds.values.contains(where: { !$0.isSeen && $0.rests == nil }) {
            due = notBefore
        } else {
            due = kinds.values.filter { !$0.isSeen }.compactMap(\.rests).min()
        }
        return due.map { max($0, pause.until ?? $0) }
    }

    /// What people should know about these objects: which kind cannot be written and why, or is not
    /// kept because there would be too many.
    public var problems: [Problem] {
        var problems = Kind.allCases.compactMap { kind in
            kinds[kind]?.trouble.map {
                Problem(
                    .warning, object: "\(kind.resource)", rule: $0.rule, remedy: $0.remedy)
            }
        }
        if !keepsAnnouncements, kinds[.announcement] != nil {
            problems.append(
                Problem(
                    .notice, object: "\(Kind.announcement.resource)",
                    rule: "not kept, because \(nodes) nodes × \(services) Services would be more "
                        + "than \(Self.announcementLimit) objects",
                    remedy: "ask the speakers: martlet explain, or their metrics"))
        }
        return problems
    }

    /// Takes in what happened. `time` is what people's clocks show `now`.
    public mutating func handle(_ event: Event, at now: Instant, time: WallTime) -> [Action] {
        switch event {
        case .wanted(let content): want(content)
        case .doubted: lookAgain()
        case .sized(let nodes, let services): size(nodes: nodes, services: services)
        case .answered(let number, let body): succeed(number, body, at: now)
        case .failed(let number, let failure): fail(number, failure, at: now)
        case .deadlineReached: break
        }
        return next(at: now, time).map { [$0] } ?? []
    }
}
