import NetworkTypes

/// Asks now and then for addresses that other nodes own, and finds those that nobody answers for,
/// or more than one.
///
/// ```
///             interval                60 ms
///    ┌───► resting ────► asking ──────────┐
///    │     the owner alone answered       │
///    ├────────────────────────────────────┤
///    │     otherwise: again in 200 ms, until sixteen rounds without an answer, or two with
///    │     answers of others, make a verdict; then every 5 s, until it is fine again
///    └────────────────────────────────────┘
/// ```
///
/// The question is a probe, so nobody's neighbor table is touched (RFC 5227 §1.1, RFC 4862 §5.4.2).
/// Silence proves nothing to who is not heard itself: a verdict needs the answer of any other
/// station since the first missing one, and ``Action/seekSignOfLife`` says when to ask for one.
/// Sixteen, because a verdict takes the address from a node that lives: where three frames in ten
/// are lost, every second question is without an answer, and three in a row are an everyday thing.
/// While paused, and without ``authority``, nothing is asked, and rounds that were open count for
/// nothing.
///
/// Bounds: ``maximumAddresses`` addresses, the lowest when there are more; 100 questions a second;
/// eight answers to each.
public struct AnswerWatch: Equatable, Sendable {
    /// What is to be thought of one address.
    public enum Verdict: Hashable, Sendable {
        /// One station answers, the owner where it is known.
        case fine
        /// Nobody answered ``AnswerWatch/missesForVerdict`` times in a row.
        case unanswered
        /// Not the owner alone: these answered, twice in a row. In order; the owner's own, if among
        /// them, included.
        case answeredBy([MACAddress])
    }

    /// Something that happened.
    public enum Event: Equatable, Sendable {
        /// These addresses are to be watched, each with the link-layer addresses of its owner;
        /// empty when they are not known. All of them, not a change.
        case addressesChanged([IPAddress: Set<MACAddress>])
        /// There is a doubt about the address: ask for it now, if it is watched.
        case doubted(IPAddress)
        /// The interface has another link-layer address now.
        case macAddressChanged(MACAddress)
        /// The link was away: the rounds that are open count for nothing.
        case interrupted
        /// Watching has or has not to rest, because this node is isolated.
        case pauseChanged(Bool)
        /// ``nextDeadline`` has come.
        case deadlineReached
    }

    /// Something the caller is to do.
    public enum Action: Equatable, Sendable {
        /// Send this frame on the interface.
        case send([UInt8])
        /// Ask somebody who must answer, and keep ``AnswerWatch/lastAnswered`` up to date.
        case seekSignOfLife
        /// What is to be thought of the address has changed. At first it is fine.
        case found(IPAddress, Verdict)
    }

    /// How many addresses are watched at most.
    public static let maximumAddresses = 65_536

    /// How long answers are waited for.
    public static let collecting = Duration.milliseconds(60)
    /// From a question without the right answer to the next.
    public static let doubtInterval = Duration.milliseconds(200)
    /// From round to round while the verdict is not fine.
    public static let verdictInterval = Duration.seconds(5)
    /// The least time between two questions.
    public static let questionInterval = Duration.milliseconds(10)
    /// How long an address is left alone when its owner has changed.
    public static let settling = Duration.seconds(2)
    /// Rounds without any answer that make a verdict.
    public static let missesForVerdict = 16
    /// Rounds with answers of others that make a verdict.
    public static let crowdsForVerdict = 2
    static let maximumAnswers = 8

    /// Nothing is asked at or after this instant; at first, the end of the clock.
    public var authority = Instant.never {
        didSet { if authority > oldValue { hasLapsed = false } }
    }

    /// When another station last answered us alone. The caller sets it before each event.
    public var lastAnswered: Instant?

    let interval: Duration
    var macAddress: MACAddress
    var slots: [IPAddress: Int] = [:]
    var entries: [WatchedAddress] = []
    var freeSlots: [Int] = []
    var questions = DeadlineHeap()
    var endings = DeadlineHeap()
    var nextQuestion = Instant(nanoseconds: .min)
    var isPaused = false
    var hasLapsed = false
    /// Rounds that are open.
    var openRounds = 0

    /// A watch of no address, which will ask for each every `interval`.
    public init(macAddress: MACAddress, interval: Duration = .seconds(30)) {
        self.macAddress = macAddress
        self.interval = max(interval, Self.doubtInterval)
    }

    /// Whether answers are waited for: only then is a frame worth handing to
    /// ``receive(_:at:)``.
    public var isCollecting: Bool { openRounds > 0 }

    /// The verdicts that are not fine.
    public var findings: [IPAddress: Verdict] {
        slots.compactMapValues { slot in
            entries[slot].verdict == .fine ? nil : entries[slot].verdict
        }
    }

    /// How many addresses are watched.
    public var count: Int { slots.count }

    /// When ``Event/deadlineReached`` is to be handled next; `nil` while nothing is pending.
    public var nextDeadline: Instant? {
        if isPaused || hasLapsed { return nil }
        let question = questions.first.map { max($0.deadline, nextQuestion) }
        guard let ending = endings.first?.deadline else { return question }
        return question.map { min($0, ending) } ?? ending
    }

    /// Takes in a frame that the announcer dropped as an answer about a foreign address.
    public mutating func receive(_ frame: Span<UInt8>, at now: Instant) {
        guard isCollecting else { return }
        do throws(DecodeError) {
            let message = try NeighborMessage(EthernetView(frame))
            guard message.hardware != macAddress, let slot = slots[message.claimed],
                entries[slot].isAsking
            else { return }
            entries[slot].note(message.hardware)
        } catch {
            // The announcer has counted it.
        }
    }

    /// Takes in an event and says what to do about it.
    public mutating func handle(_ event: Event, at now: Instant) -> [Action] {
        switch event {
        case .addressesChanged(let addresses):
            return watch(addresses, at: now)
        case .doubted(let address):
            guard let slot = slots[address], !entries[slot].isAsking else { return [] }
            questions.set(slot, now)
        case .macAddressChanged(let changed):
            macAddress = changed
            interrupt(at: now)
        case .interrupted:
            interrupt(at: now)
        case .pauseChanged(let isPaused):
            self.isPaused = isPaused
            interrupt(at: now)
        case .deadlineReached:
            break
        }
        return runDue(at: now)
    }
}
