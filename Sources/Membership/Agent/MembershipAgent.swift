public import NetworkTypes

/// Knows who is alive, says when that changes, and keeps everybody's entries: a member of the
/// gossip, as a pure state machine.
///
/// A member as another sees it:
///
/// ```
///            heard of                    missed, 9 nats              18 nats and a witness,
///               │                                                    or 30 and nobody to ask
///               ▼      ┌───────────────────────────────► suspect ──────────────┐
///             alive ───┤                                    │                  ▼
///              ▲ ▲     └── port unreachable twice ──────────┼───────────────► dead ──┐
///              │ │                                          │                        │
///              │ └───── it raised its incarnation ◄─────────┘                        │
///              │                                                                     │
///              └───────────────── it raised its incarnation ◄──── left ◄─────────────┘
///                                                          (goodbye)        1 h: forgotten
/// ```
///
/// **Watched closely, by few.** Two rings order all live members by frozen hashes; neighbours in
/// either ring exchange beats every 20 ms, so everybody is watched by up to four others, whatever
/// the number of members, and watcher and watched agree on it. Silence is weighed, not timed: a
/// missed beat or an unanswered ping counts −ln of its probability on this very link (phi accrual,
/// Hayashibara et al., 2004, for discrete messages), so that a lossy link makes a watcher patient
/// and a clean one quick. Before a verdict other watchers are asked what they hear.
///
/// **Spread widely.** Verdicts go along the rings at once and ride on a few beats afterwards (SWIM,
/// Das et al., 2002). A suspect hears of it and refutes by raising its incarnation. Who runs late
/// itself is patient with others, and time in which we did not run is nobody's silence (Lifeguard,
/// Dadgar et al., 2018). A verdict made while we hear nobody stays with us, and what is remembered
/// of the dead is passed on only as a suspicion: so a member that is deaf cannot bury the others,
/// and a cut that heals makes nobody dead who is not.
///
/// **The permit to answer.** ``authorizedUntil`` lies 50 ms ahead of the last time that we ran.
/// After a pause of more than 40 ms there is no permit until most neighbours have answered and our
/// entries are as theirs are.
///
/// Bounds: ``Roster/maximumMembers`` members, ``maximumSessions`` sessions, 512 rumours, 2,048
/// datagrams waiting for the pacer (more are dropped, and the next exchange of digests makes up for
/// them), the store's own bounds. Not handled: members that lie; whoever holds a key is trusted.
public struct MembershipAgent: Sendable {
    /// Something that happened.
    public enum Event: Sendable {
        /// A datagram came whose sender the seal has proved. Datagrams are to be handled before
        /// ``deadlineReached``: what waited in the socket is no silence.
        case datagramReceived([UInt8], from: SocketAddress, sender: NodeID)
        /// Something that we sent there met a closed port.
        case portUnreachable(SocketAddress)
        /// Something that we sent there met no host.
        case hostUnreachable(SocketAddress)
        /// Where others may be found. To be handled first of all, even if empty: until then nothing
        /// is known of other members.
        case seedsChanged([Seed])
        /// An entry of ours is this now; `nil`: gone.
        case entryChanged(key: [UInt8], value: [UInt8]?)
        /// Many entries of ours, in one go.
        case entriesChanged([EntryChange])
        /// We are about to end: say goodbye.
        case leave
        /// ``nextDeadline`` has come.
        case deadlineReached
    }

    /// Something the caller is to do.
    public enum Action: Equatable, Sendable {
        /// Seal this and send it.
        case send([UInt8], to: SocketAddress)
        /// A member is in another state, or new.
        case memberChanged(MemberChange)
        /// Entries of another member as they now are.
        case entriesChanged(node: String, [EntryChange])
        /// A member was gone for so long that nothing is remembered of it, its entries included.
        case nodeForgotten(String)
        /// Something an operator should know; each once.
        case trouble(Trouble)
    }

    /// What an agent is told for good.
    public struct Settings: Sendable {
        /// Our node's name, valid by ``NodeName``.
        public var name: String
        /// Of this boot: greater than that of any boot before, such as nanoseconds since 1970.
        public var incarnation: UInt64
        /// For the random numbers.
        public var seed: UInt64
        /// The port that we listen on.
        public var port: UInt16
        /// The times.
        public var timing: Timing

        /// Makes settings.
        public init(
            name: String, incarnation: UInt64, seed: UInt64,
            port: UInt16 = MembershipAgent.defaultPort,
            timing: Timing = Timing()
        ) {
            self.name = name
            self.incarnation = incarnation
            self.seed = seed
            self.port = port
            self.timing = timing
        }
    }

    /// How many members are in close exchange with us at most; further ones are not answered with
    /// beats. Four is usual.
    public static let maximumSessions = 32

    /// The port where members listen unless told otherwise.
    public static let defaultPort: UInt16 = 7481

    let settings: Settings
    let timing: Timing
    let own: NodeID

    /// What happened so far, as numbers.
    public internal(set) var counters = Counters()
    /// Since when nobody is heard who should be; `nil` while somebody is, or nobody is known.
    public internal(set) var isolatedSince: Instant?
    /// When ``Event/deadlineReached`` is to be handled next. Always set: the permit to answer
    /// depends on waking up.
    public internal(set) var nextDeadline: Instant?
    /// Raised to refute what is said of us.
    public internal(set) var incarnation: UInt64

    var roster: Roster
    var store: ReplicatedStore
    var sessions: [Session] = []
    var random: RandomNumbers
    var wakefulness: Wakefulness
    var schedule: Schedule
    var reassessment: Reassessment?
    var seeds = SeedList()
    var rumours = RumourList()
    var graves: [NodeID: Grave] = [:]
    var probeRound: [NodeID] = []
    var deadRound: [NodeID] = []
    var nearRound: [NodeID] = []
    var probing: Probe?
    var goodbyes = 0
    var hasLeft = false
    var pingSequence: UInt32 = 0
    var hostAnsweredAt: Instant?
    var hasHadSession = false
    /// When unknown senders were last greeted, and how often since.
    var greetings = RateLimit(most: 50, in: .seconds(1))
    var inquiriesForNames = RateLimit(most: 50, in: .seconds(1))
    var reported: Set<Trouble> = []
    /// Who lives, or where, has changed in this call: sessions are to be arranged anew.
    var topologyChanged = false

    /// A member without a session that was pinged and has not answered.
    struct Probe: Sendable { let id: NodeID }

    // What one call of `handle` gathers.
    var actions: [Action] = []
    var outbox = Outbox()
    var floods: [Flood] = []
    var bulk = BulkQueue()

    /// An agent that knows nobody.
    ///
    /// - Precondition: the name is valid by ``NodeName``.
    public init(_ settings: Settings, at now: Instant) {
        precondition(NodeName.isValid(settings.name), "not a node's name")
        self.settings = settings
        timing = settings.timing
        own = NodeID(name: settings.name)
        incarnation = min(settings.incarnation, Self.maximumIncarnation - 1)
        store = ReplicatedStore(own: own, generation: incarnation)
        roster = Roster(own: own, incarnation: incarnation)
        random = RandomNumbers(seed: settings.seed ^ own.bits)
        wakefulness = Wakefulness(at: now)
        schedule = Schedule(at: now, timing: settings.timing, spread: own.bits)
        reassessment = Reassessment(since: now, isStart: true)
        nextDeadline = schedule.earliest
    }

    /// Greater ones are invented: nanoseconds since 1970 stay below until the year 2262.
    static let maximumIncarnation: UInt64 = 1 << 63

    /// Takes in an event and says what to do about it.
    public mutating func handle(_ event: Event, at time: Instant) -> [Action] {
        let now = wake(at: time)
        switch event {
        case .datagramReceived(let bytes, let from, let sender):
            receive(bytes, from: from, sender: sender, at: now)
        case .portUnreachable(let address): portUnreachable(address, at: now)
        case .hostUnreachable(let address): hostUnreachable(address, at: now)
        case .seedsChanged(let changed): changeSeeds(changed, at: now)
        case .entryChanged(let key, let value):
            publish([EntryChange(key: key, value: value)], at: now)
        case .entriesChanged(let changes): publish(changes, at: now)
        case .leave: leave(at: now)
        case .deadlineReached: runDue(at: now)
        }
        if topologyChanged { arrangeSessions(at: now) }
        if reassessment != nil { concludeReassessment(at: now) }
        flush(at: now)
        nextDeadline = earliestDeadline
        wakefulness.expected = nextDeadline
        defer { actions = [] }
        return actions
    }
}
