import NetworkTypes

extension BFDSession {
    /// The two intervals that the other end has to know of, microseconds.
    struct Intervals: Hashable, Sendable {
        var transmit: UInt32
        var receive: UInt32
    }

    /// A Poll Sequence (RFC 5880 §6.5).
    struct Poll: Hashable, Sendable {
        /// Answers that may still come to packets from before the values polled for.
        var staleAnswers: Int
        /// Whether a packet with the values polled for has been sent.
        var isSent = false
    }

    /// A disabled session's last words.
    struct Farewell: Hashable, Sendable {
        /// The pace agreed before.
        var interval: Duration
        /// When they have been said for the other end's detection time.
        var end: Instant
    }

    private static let mostStaleAnswers = 64

    /// Whether the other end goes on as if this session were not held down.
    var isFarewellDue: Bool {
        remote.isKnown && (remote.state == .up || remote.state == .`init`)
    }

    static func wanted(_ settings: Settings, state: BFDState, isEchoActive: Bool) -> Intervals {
        Intervals(
            transmit: max(
                settings.desiredMinTransmit, state == .up ? shortestInterval : slowInterval),
            receive: max(
                settings.requiredMinReceive, isEchoActive ? slowInterval : shortestInterval))
    }

    /// §6.8.3: a change is polled for; sending less often, and expecting packets more often, wait
    /// until the other end knows.
    mutating func updateIntervals() {
        let wanted = Self.wanted(settings, state: state, isEchoActive: echo.isActive)
        if wanted != advertised {
            advertised = wanted
            startPoll()
        }
        guard poll != nil, state == .up else {
            inForce = advertised
            return
        }
        inForce.transmit = min(inForce.transmit, advertised.transmit)
        inForce.receive = max(inForce.receive, advertised.receive)
    }

    /// Every packet of a running sequence is answered, so a change during one has to wait for as
    /// many answers more. Lost ones cost a few packets more; those older than a detection time are
    /// not waited for.
    private mutating func startPoll() {
        guard let detectionTime else { return }
        if let lastPoll, clock - lastPoll > detectionTime { unansweredPolls = 0 }
        poll = Poll(staleAnswers: min(unansweredPolls, Self.mostStaleAnswers))
    }

    mutating func finishPoll() {
        unansweredPolls = max(unansweredPolls - 1, 0)
        guard let running = poll else { return }
        if running.staleAnswers > 0 {
            poll?.staleAnswers -= 1
        } else if running.isSent {
            poll = nil
        }
    }
}
