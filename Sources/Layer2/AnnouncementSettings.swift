import NetworkTypes

/// How one address is to be announced.
public struct AnnouncementSettings: Hashable, Sendable {
    /// How an address comes into use.
    public enum Start: Hashable, Sendable {
        /// At once: it is handed over by an owner that waits for our announcement, or was ours.
        case atOnce
        /// After looking for another user of it (RFC 5227 §2.1): its first use in the cluster.
        case afterProbing
        /// After asking whether its old owner still answers, 10 ms: it is taken over from a node
        /// that seems to be gone.
        case afterCheck
    }

    /// How the address comes into use. Without meaning once it is.
    public var start: Start

    /// The time between announcements while nothing changes; `nil` for none. Below one second it
    /// counts as one second.
    public var reannounceInterval: Duration?

    /// The address, on this LAN, of the node that had it before. With ``Start/afterCheck`` it is
    /// asked for as well, for the report only: it tells a dead process from a dead node.
    public var formerOwner: IPAddress?

    /// Probing first, and announcing every 60 s, unless told otherwise.
    public init(
        start: Start = .afterProbing, reannounceInterval: Duration? = .seconds(60),
        formerOwner: IPAddress? = nil
    ) {
        self.start = start
        self.reannounceInterval = reannounceInterval
        self.formerOwner = formerOwner
    }
}

/// Where an address stands; the diagram is at ``Announcer``.
public enum AnnouncementState: Hashable, Sendable {
    /// Not in use yet: asking whether another station has it; `sent` questions so far.
    case probing(sent: Int)
    /// Not in use yet: asking whether its old owner still answers; `sent` questions so far.
    case checking(sent: Int)
    /// Not in use: another speaker answers for it. The check starts again at `retryAt`.
    case held(retryAt: Instant)
    /// Not in use: nobody answered the check, but this node is isolated and has not yet heard
    /// anybody at all on this LAN.
    case waitingToHear
    /// Not in use: another interface of this node answers for it on the same LAN. Checked again at
    /// `retryAt`.
    case standingBy(retryAt: Instant)
    /// Not in use yet: it is to be as soon as there is authority to speak.
    case awaitingAuthority
    /// In use, and in the opening burst of announcements; `sent` announcements so far.
    case announcing(sent: Int)
    /// In use.
    case active
    /// Not in use: another station has it. Probing or the check starts again at `retryAt`.
    case conflicted(retryAt: Instant)

    /// Whether questions for the address are answered.
    public var isAnswering: Bool {
        switch self {
        case .announcing, .active: true
        case .probing, .checking, .held, .waitingToHear, .standingBy, .awaitingAuthority,
            .conflicted:
            false
        }
    }
}
