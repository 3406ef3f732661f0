public import NetworkTypes

/// Tells people what happened to objects, as Events of `events.k8s.io/v1`, without flooding anyone.
///
/// ```
///   told ──► new? ──► queued ──► POST ──► known ──(told again)──► PATCH of the series
///              │                            │ 6 min without a word
///              └ budget of the object       └──► forgotten; the next word makes a new Event
///                is spent: not told
/// ```
///
/// - What is told again while it is known counts in the Event's series: the first repeat at once,
///   later ones together, five minutes after the first that was not yet said.
/// - An object has a budget of 25 Events, and one more every 300 s. What is beyond is not told.
/// - The queue is bounded; when it is full the oldest is lost. One request is on its way at a time.
///   ``lost`` counts what was not told for any reason.
/// - A server that is away or busy is waited for, longer each time, up to half a minute; an Event
///   that the server will never take is dropped, and ``trouble`` says why.
public struct EventRecorder: Sendable {
    /// What happened.
    public struct Tiding: Hashable, Sendable {
        /// The Service that it happened to.
        public var service: ObjectName
        /// That Service's `metadata.uid`; empty when unknown. `kubectl describe` shows only Events
        /// that bear it.
        public var uid: String
        /// Whether somebody should look.
        public var isWarning: Bool
        /// What happened, in one word.
        public var reason: String
        /// What was being done, in one word.
        public var action: String
        /// What happened, in a sentence; what is beyond 1024 bytes is cut off.
        public var note: String

        /// Makes a tiding; without an action it is the one that goes with the reason.
        public init(
            service: ObjectName, uid: String, isWarning: Bool, reason: String,
            action: String? = nil, note: String
        ) {
            self.service = service
            self.uid = uid
            self.isWarning = isWarning
            self.reason = reason.cut(toBytes: 128)
            self.action = action ?? Self.action(of: reason)
            self.note = note.cut(toBytes: 1024)
        }

        private static func action(of reason: String) -> String {
            switch reason {
            case "nodeAssigned", "announceFailed": "Announce"
            case "ClearAssignment", "AddressLost": "Release"
            default: "Allocate"
            }
        }
    }

    /// What happened to the recorder.
    public enum Event: Sendable {
        /// Something is to be told.
        case told(Tiding)
        /// The request of that number was carried out.
        case answered(Int)
        /// The request of that number was not, or nobody knows.
        case failed(Int, APIFailure)
        /// ``EventRecorder/nextDeadline`` has come.
        case deadlineReached
    }

    /// What the shell is to do.
    public enum Action: Equatable, Sendable {
        /// Send the request, and say what became of it under that number.
        case send(Int, ObjectRequest)
    }

    /// Events known at a time, for their series; beyond it the one silent longest is forgotten.
    public static let knownLimit = 1024
    /// How long an Event is known after the last word.
    static let finishes = Duration.seconds(360)
    /// How long repeats wait to be said together.
    static let gathers = Duration.seconds(300)
    static let budget = (burst: 25, refill: Duration.seconds(300))
    /// How often a server may say no to a tiding, in a way that may pass.
    static let patience = 8

    let manager: String
    let controller: String
    let instance: String
    let queueLimit: Int
    var names: EventNames
    var entries: [Tiding: Entry] = [:]
    var outbox = FirstInFirstOut<Tiding>()
    var idle = FirstInFirstOut<Mark>()
    var gathering = FirstInFirstOut<Mark>()
    var budgets: EventBudgets
    var request: Request?
    var requestCount = 0
    var pause: RequestPause

    /// How many tidings were not told.
    public internal(set) var lost: UInt64 = 0
    /// What the last attempt failed of; `nil` when it did not.
    var failing: APIFailure?

    /// Makes a recorder.
    ///
    /// - Parameters:
    ///   - manager: the field manager, and after `martlet.dev/` the reporting controller.
    ///   - instance: which one of its kind: the pod, or the node.
    ///   - seed: keeps the names apart that two recorders give.
    ///   - queueLimit: how many Events wait to be written.
    public init(manager: String, instance: String, seed: UInt64, queueLimit: Int = 4096) {
        self.manager = manager
        controller = "martlet.dev/" + (manager.split(separator: "-").last.map(String.init) ?? "")
        self.instance = instance.cut(toBytes: 128)
        self.queueLimit = max(1, queueLimit)
        names = EventNames(seed: seed)
        pause = RequestPause(seed: seed)
        budgets = EventBudgets(burst: Self.budget.burst, refill: Self.budget.refill)
    }

    /// When ``Event/deadlineReached`` is due; `nil` for not at all.
    public var nextDeadline: Instant? {
        let dues = [
            idle.first?.due, gathering.first?.due,
            request == nil && !outbox.isEmpty ? pause.until : nil,
        ]
        return dues.compactMap(\.self).min()
    }

    /// Why Events cannot be written, with the way out; `nil` while they can.
    public var trouble: String? { failing.map { "\(Self.rule($0)); \(Self.remedy($0))" } }

    /// What people should know: that the server refuses Events. That it is away, others say.
    public var problems: [Problem] {
        guard let failing, failing.code != nil else { return [] }
        return [
            Problem(
                .warning, object: "\(APIResource.events)", rule: Self.rule(failing),
                remedy: Self.remedy(failing))
        ]
    }

    private static func rule(_ failure: APIFailure) -> String {
        "Events cannot be written: \(failure.summary)"
    }

    private static func remedy(_ failure: APIFailure) -> String {
        failure.code == 403
            ? "allow the verbs create and patch on events.events.k8s.io" : "it is tried again"
    }

    /// How many Events wait.
    public var waitingCount: Int { outbox.count }

    /// Takes in what happened. `time` is what people's clocks show `now`.
    public mutating func handle(_ event: Event, at now: Instant, time: WallTime) -> [Action] {
        switch event {
        case .told(let tiding): take(tiding, at: now, time)
        case .answered(let number): succeed(number)
        case .failed(let number, let failure): fail(number, failure, at: now, time)
        case .deadlineReached: break
        }
        forget(at: now)
        gather(at: now)
        return next(at: now).map { [$0] } ?? []
    }
}
