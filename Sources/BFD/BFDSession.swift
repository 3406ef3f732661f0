public import NetworkTypes

/// One BFD session (RFC 5880 §6.8): keeps asking whether packets pass to the other end and back.
///
/// ```
///                              heard: Down
///          heard: AdminDown   ┌───────────┐
///          nothing for a ┌──► │   Down    │ ◄───────────────────┐ heard: Down, AdminDown;
///          detection time│    └───────────┘                     │ nothing for a detection time;
///                        │      │       │                       │ echo lost
///                  ┌──────────┐ │ heard │ heard: Init      ┌──────────┐
///                  │   Init   │◄┘ Down  └────────────────► │    Up    │ ─┐ heard: Init, Up
///                  └──────────┘ ─────────────────────────► └──────────┘ ◄┘
///                        heard: Init, Up
///
///          disable: from any state to AdminDown; enable: from there to Down
/// ```
///
/// Time comes in by the packets' arrival. The caller drains its socket before it says that a
/// deadline has been reached, and gives each packet the instant at which the kernel received it,
/// which may be older than the last event; then a late wake-up cannot make a living path look dead.
///
/// What deserves a word:
/// - Intervals change as §6.8.3 wants: at once where that is safe for the other end, and otherwise
///   when it has confirmed them by a Poll Sequence (`BFDSession+Timers.swift`).
/// - A disabled session repeats AdminDown at the old pace until the other end is heard to follow,
///   for a detection time at most. At the slow pace of §6.8.3, one lost packet would look like a
///   broken path (§6.8.16).
/// - When the other end falls silent, all that is known of it is forgotten, not only its
///   discriminator (§6.8.1): after a restart it may be another one.
/// - Echo packets decide nothing until one has come back: an end that offers the Echo function, but
///   whose network drops such packets, costs neither the session nor its speed (§6.4).
/// - A packet that fails authentication changes nothing, not even whether a sequence number is
///   known, which the letter of §6.7.3 would let it.
///
/// Standards: RFC 5880 §4 packets, §6.1–6.5, §6.7 authentication, §6.8; §6.6 as far as the other
/// end uses Demand mode, never on our side; RFC 5881 §5 and RFC 5883 §4 hop limits; RFC 5882 §3.2,
/// §4.1 what is a failure (``BFDReachability``). Bounds: nothing here grows; every packet brings at
/// most one packet in answer.
public struct BFDSession: Sendable {
    /// Something that happened.
    public enum Event: Hashable, Sendable {
        /// A control packet for this session came in with this hop limit.
        case received(BFDPacket, timeToLive: UInt8)
        /// The echo packet of this number came back.
        case echoReturned(UInt32)
        /// The instant named by ``BFDSession/nextDeadline`` has come, and the socket is drained.
        case deadlineReached
        /// The session is to be held with other settings from now on; nothing is reset.
        case settingsChanged(Settings)
        /// The operator, or the end of this process, holds the session down (§6.8.16).
        case disable
        /// The operator lets go of it.
        case enable
    }

    /// Something to do.
    public enum Action: Hashable, Sendable {
        /// Send this control packet.
        case send(BFDPacket)
        /// Send an echo packet of this number, which is to come back.
        case sendEcho(UInt32)
        /// The session is in this state now, for this reason.
        case stateChanged(BFDState, BFDDiagnostic)
        /// Those who use the path are to know this.
        case reachabilityChanged(BFDReachability)
        /// The disabled session was heard to be, or has said so for a detection time, or nobody is
        /// there to hear it: it may be removed.
        case farewellEnded
    }

    /// Our name for the session, not 0.
    public let discriminator: UInt32
    /// How the session is held.
    public internal(set) var settings: Settings
    /// The state (bfd.SessionState).
    public internal(set) var state = BFDState.down
    /// What the session says about the path.
    public internal(set) var reachability = BFDReachability.unknown

    let digest: BFDDigest
    let started: Instant
    var random: RandomNumbers
    /// The latest instant that any event brought.
    var clock: Instant
    var since: Instant
    var diagnostic = BFDDiagnostic.none

    var remote = Remote()
    var remoteDiagnostic = BFDDiagnostic.none
    var lastReceived: Instant?

    /// What our packets say, and what we go by: they differ while a Poll Sequence runs.
    var advertised: Intervals
    var inForce: Intervals
    var poll: Poll?
    var unansweredPolls = 0
    var lastPoll: Instant?

    var lastSent: Instant?
    var lastContent: BFDPacket?
    var spread: UInt16
    var owesFinal = false
    var farewell: Farewell?
    var echo = Echo()
    var sequences: Sequences
    var counters = BFDStatus.Counters()

    /// A session that is Down and, unless it is passive, begins to send at `now`.
    ///
    /// - Parameters:
    ///   - settings: How the session is to be held.
    ///   - discriminator: Our name for it, which no other session has; not 0.
    ///   - seed: Where its random numbers start: jitter, first sequence number.
    ///   - digest: Computes the digests of authentication.
    ///   - now: The time.
    public init(
        settings: Settings, discriminator: UInt32, seed: UInt64, digest: @escaping BFDDigest,
        at now: Instant
    ) {
        precondition(discriminator != 0, "0 means that a discriminator is not known")
        precondition(settings.detectMultiplier != 0, "a packet cannot carry it")
        self.settings = settings
        self.discriminator = discriminator
        self.digest = digest
        started = now
        clock = now
        since = now
        random = RandomNumbers(seed: seed)
        spread = UInt16(truncatingIfNeeded: random.next())
        sequences = Sequences(transmit: UInt32(truncatingIfNeeded: random.next()))
        advertised = Self.wanted(settings, state: .down, isEchoActive: false)
        inForce = advertised
    }

    /// Takes in what happened and returns what to do, in this order.
    ///
    /// - Parameter now: When it happened; for packets, when the kernel received them.
    public mutating func handle(_ event: Event, at now: Instant) -> [Action] {
        clock = max(clock, now)
        var actions: [Action] = []
        switch event {
        case .received(let packet, let timeToLive):
            if let reason = receive(packet, timeToLive: timeToLive, at: now, &actions) {
                counters.discards.count(reason)
            }
        case .echoReturned(let number): echoReturned(number, at: now)
        case .deadlineReached: expire(&actions)
        case .settingsChanged(let new): adopt(new)
        case .disable: disable(&actions)
        case .enable: enable(&actions)
        }
        settle(&actions)
        return actions
    }

    /// When to say that a deadline has been reached; `nil` while there is none.
    public var nextDeadline: Instant? {
        var earliest = nextTransmission
        for deadline in [detectionDeadline, echo.nextDeadline, farewell?.end] {
            guard let deadline else { continue }
            earliest = min(earliest ?? deadline, deadline)
        }
        return earliest
    }

    /// What is due by the clock. Detection first: what is sent then tells of it.
    private mutating func expire(_ actions: inout [Action]) {
        if let deadline = detectionDeadline, deadline <= clock {
            if state == .`init` || state == .up {
                change(to: .down, .controlDetectionTimeExpired, &actions)
            }
            forgetRemote()
        }
        if let deadline = echo.detectionDeadline, deadline <= clock, state == .up {
            change(to: .down, .echoFunctionFailed, &actions)
        }
        if let farewell, farewell.end <= clock {
            self.farewell = nil
            actions.append(.farewellEnded)
        }
        updateEcho()
        updateIntervals()
        // In demand mode nothing was expected: going down by the echo function starts the count,
        // and may find the time long over.
        if let deadline = detectionDeadline, deadline <= clock, state == .down { forgetRemote() }
        judge(&actions)
        if let due = nextTransmission, due <= clock { transmit(&actions) }
        if let due = echo.nextTransmission, due <= clock {
            actions.append(.sendEcho(sendEcho()))
        }
    }

    /// Brings everything derived up to date, and tells the other end what is new to it.
    private mutating func settle(_ actions: inout [Action]) {
        updateEcho()
        updateIntervals()
        judge(&actions)
        if owesFinal {
            owesFinal = false
            transmit(isFinal: true, &actions)
        } else if maySend, lastContent != content {
            transmit(&actions)
        }
    }

    mutating func change(
        to new: BFDState, _ reason: BFDDiagnostic, _ actions: inout [Action]
    ) {
        guard new != state else { return }
        if new == .up { counters.ups &+= 1 }
        if state == .up { counters.downs &+= 1 }
        state = new
        diagnostic = reason
        since = clock
        actions.append(.stateChanged(new, reason))
    }

    /// RFC 5882 §3.2: AdminDown at either end is no failure of the path.
    private mutating func judge(_ actions: inout [Action]) {
        let verdict: BFDReachability
        switch state {
        case .up: verdict = .up
        case .adminDown: verdict = .unknown
        case .down, .`init`:
            if remote.state == .adminDown {
                verdict = .unknown
            } else {
                verdict = reachability == .up ? .down : reachability
            }
        }
        guard verdict != reachability else { return }
        reachability = verdict
        actions.append(.reachabilityChanged(verdict))
    }

    private mutating func disable(_ actions: inout [Action]) {
        guard state != .adminDown else { return }
        let interval = transmitInterval
        change(to: .adminDown, .administrativelyDown, &actions)
        let time = isFarewellDue ? interval * Int(settings.detectMultiplier) : .zero
        farewell = Farewell(interval: interval, end: clock + time)
    }

    private mutating func enable(_ actions: inout [Action]) {
        guard state == .adminDown else { return }
        farewell = nil
        change(to: .down, .none, &actions)
    }

    private mutating func adopt(_ new: Settings) {
        precondition(new.detectMultiplier != 0, "a packet cannot carry it")
        if new.authentication?.method != settings.authentication?.method {
            sequences.forgetReceived()
        }
        settings = new
    }
}
