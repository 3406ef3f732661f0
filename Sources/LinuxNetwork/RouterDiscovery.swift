import NetworkTypes

/// Finds the one neighbour on a link by router advertisements, and makes itself found: what a BGP
/// peer that is configured by its interface alone needs (RFC 4861 §6, used between routers).
///
/// ```
/// Searching ── advertisement ──▶ Found ── another, the first silent for 30 s or failed ──▶ Found
/// ```
///
/// Routers that peer this way (FRR, Cumulus, SONiC) take any advertisement as the sign of a
/// neighbour and advertise every 10 s themselves; so do we, with a lifetime of 0.
///
/// - At the start one solicitation, two more 4 s apart while nobody answers (§6.3.7), and an
///   advertisement at once. The random delay before the first is left out: two ends of a cable are
///   no crowd.
/// - Advertisements every 7.5–10 s (§6.2.4); a solicitation is answered within 0.5 s, but never
///   less than 3 s after the last one (§6.2.6).
/// - A second sender on the link does not displace the first one as long as that is heard, or the
///   session would flap between them.
package struct RouterDiscovery: Sendable {
    /// What happened.
    package enum Event: Equatable, Sendable {
        /// A message was heard, from this link-local (or, asking, perhaps unspecified) address.
        case received(RouterMessage, from: IPAddress)
        /// The neighbour does not answer, or its session ended: whoever advertises next is taken.
        case neighborFailed
        /// ``nextDeadline`` is reached.
        case deadlineReached
    }

    /// What to do.
    package enum Action: Equatable, Sendable {
        /// Send this; when it cannot be sent, the next one will do.
        case send(RouterMessage)
        /// The neighbour is this one now.
        case found(IPAddress)
    }

    /// The neighbour's link-local address, once it is known.
    package private(set) var neighbor: IPAddress?
    /// When the neighbour was last heard.
    package private(set) var lastHeard: Instant?
    /// Who else advertises on the link, the last one heard; `nil` if nobody.
    package private(set) var bystander: IPAddress?

    private let linkAddress: MACAddress?
    private var hasFailed = false
    private var solicitations = 3
    private var nextSolicitation: Instant?
    private var lastSolicitation: Instant?
    private var nextAdvertisement: Instant
    private var lastAdvertisement: Instant?
    private var noise: UInt64

    private static let solicitationInterval = Duration.seconds(4)
    private static let longestInterval = Duration.seconds(10)
    private static let answerSpacing = Duration.seconds(3)
    private static let answerDelay = Duration.milliseconds(500)
    private static let silence = Duration.seconds(30)

    /// Begins at once. `seed` is for the jitter.
    package init(linkAddress: MACAddress?, seed: UInt64, at now: Instant) {
        self.linkAddress = linkAddress
        noise = seed
        nextSolicitation = now
        nextAdvertisement = now
    }

    /// When to say ``Event/deadlineReached``.
    package var nextDeadline: Instant {
        guard let nextSolicitation else { return nextAdvertisement }
        return min(nextSolicitation, nextAdvertisement)
    }

    /// Takes an event in.
    package mutating func handle(_ event: Event, at now: Instant) -> [Action] {
        switch event {
        case .received(.advertisement, let source): heard(source, at: now)
        case .received(.solicitation, _): asked(at: now)
        case .neighborFailed: failed(at: now)
        case .deadlineReached: due(at: now)
        }
    }

    private mutating func heard(_ source: IPAddress, at now: Instant) -> [Action] {
        nextSolicitation = nil
        if source == neighbor {
            lastHeard = now
            hasFailed = false
            return []
        }
        if neighbor != nil, !hasFailed, let lastHeard, now - lastHeard < Self.silence {
            bystander = source
            return []
        }
        if bystander == source { bystander = nil }
        neighbor = source
        lastHeard = now
        hasFailed = false
        return [.found(source)]
    }

    private mutating func asked(at now: Instant) -> [Action] {
        var answer = now + Self.answerDelay * random()
        if let lastAdvertisement { answer = max(answer, lastAdvertisement + Self.answerSpacing) }
        nextAdvertisement = min(nextAdvertisement, answer)
        return []
    }

    private mutating func failed(at now: Instant) -> [Action] {
        hasFailed = true
        solicitations = 3
        let earliest = lastSolicitation.map { $0 + Self.solicitationInterval } ?? now
        nextSolicitation = nextSolicitation ?? max(now, earliest)
        return []
    }

    private mutating func due(at now: Instant) -> [Action] {
        var actions: [Action] = []
        if let solicitation = nextSolicitation, solicitation <= now {
            solicitations -= 1
            lastSolicitation = now
            nextSolicitation = solicitations > 0 ? now + Self.solicitationInterval : nil
            actions.append(.send(.solicitation(linkAddress)))
        }
        if nextAdvertisement <= now {
            lastAdvertisement = now
            nextAdvertisement = now + Self.longestInterval * (0.75 + 0.25 * random())
            actions.append(
                .send(.advertisement(RouterAdvertisement(linkAddress: linkAddress))))
        }
        return actions
    }

    /// From 0 up to 1, by SplitMix64: enough to keep two ends from sending in step.
    private mutating func random() -> Double {
        noise &+= 0x9e37_79b9_7f4a_7c15
        var mixed = noise
        mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
        return Double((mixed ^ mixed >> 31) >> 11) / Double(1 << 53 as UInt64)
    }
}
