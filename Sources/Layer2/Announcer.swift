import NetworkTypes

/// Answers ARP and neighbor discovery for the addresses of one interface, announces them, and
/// notices when another station has one of them.
///
/// Both families are one table and one piece of code; only ``AddressFrames`` and the decoders know
/// the wire formats.
///
/// ```
///   first use      taken over from a node     handed over by a node,
///                  that seems to be gone      or ours before a restart
///       │                   │                          │
///       ▼                   ▼                          ▼
///    probing            checking               awaitingAuthority
///       │ 150 ms            │ 10 ms                    │ none, as a rule
///       └───────────────────┴──────────┬───────────────┘
///                                      ▼         burst sent
///                                  announcing ───────────────► active ──┐
///                                      ▲                        │  ▲    │ every interval:
///                                      └────────────────────────┘  └────┘ announce
///                     link up, new link-layer address, a rival heard
///
///   What else happens                                   from, to
///   ─────────────────────────────────────────────────   ──────────────────────────────────
///   a peer has it: wait for it, ask again               probing → probing
///   a peer has it, so the verdict was wrong             checking → held → checking
///   a stranger has it                                   probing, checking → conflicted → back
///   nobody answers, and nobody is heard at all          checking → waitingToHear
///   somebody is heard                                   waitingToHear → checking
///   nobody is, but being alone is plausible: 1 s        waitingToHear → announcing
///   another interface of this node has it               any but held, conflicted → standingBy
///   it has it no more, or is gone                       standingBy → checking
///   the address is added again, to start at once        any but standingBy → announcing
///   a stranger claims it: report, defend                announcing, active: stays
/// ```
///
/// Answers are given while announcing and active, and only before ``authority``: a process that was
/// stopped and goes on knows by it that what it believes may be long past. From that instant on not
/// a frame leaves, and what is due waits.
///
/// The three ways of coming into use differ in what is known. Nobody knows anything about the first
/// use: three probes, 150 ms. A takeover comes from a verdict that the owner is gone, which the
/// wire is asked to confirm: two probes, 10 ms; when another speaker answers after all, the verdict
/// is wrong, nobody moves, and the check is repeated with ever longer waits. The probes name no
/// sender, so nobody's neighbor table is touched. A stranger who probes during the check is not
/// given way to, as he would be before a first use: the address has been in use, his probe will be
/// answered. In a hand-over the owner waits for our announcement, so there is nothing to ask.
///
/// Questions are answered as soon as an address is in use, also when its announcement still waits
/// for the pacer: who asks has no better answer to wait for.
///
/// Two interfaces of one node on one LAN hear each other. The one with the lower link-layer address
/// goes on, the other stands by, so that clients see one answer.
///
/// Standards: RFC 826 (packet reception); RFC 5227 §2.1.1 probing, §2.3 announcing, §2.4(c)
/// defence; RFC 4861 §7.1 validation, §7.2.3–7.2.4 answers, §7.2.6 unsolicited advertisements; RFC
/// 4862 §5.4 duplicate address detection; RFC 6980 no fragments; RFC 4291 §2.7.1 solicited-node
/// groups. Not done: proxying, anycast delays, the nonce of RFC 7527 (our own probes come back with
/// our own link-layer source and are dropped by it).
///
/// Where times differ from the RFCs, ``Timing`` says why. Bounds: ``maximumAddresses`` addresses;
/// frames grow nothing; unasked frames are paced by ``Schedule``; peers, siblings and companions
/// are as many as the caller names, and eight stations are remembered.
public struct Announcer: Equatable, Sendable {
    /// Something that happened.
    public enum Event: Equatable, Sendable {
        /// The address is to be announced here. For one that is already, the settings change and
        /// nothing starts again; one that is not in use yet is at once when it is to start so.
        case addressAdded(IPAddress, AnnouncementSettings)
        /// The address is not to be announced here any more. Nothing is sent: the next owner does.
        case addressRemoved(IPAddress)
        /// The interface has another link-layer address now.
        case macAddressChanged(MACAddress)
        /// The link came up again, so that caches and switch tables may have forgotten us.
        case linkRestored
        /// The link-layer addresses of the other speakers are these.
        case peersChanged(Set<MACAddress>)
        /// The link-layer addresses of this node's other interfaces that are up are these.
        case siblingsChanged(Set<MACAddress>)
        /// The interface's own addresses, to ask questions from, are these.
        case ownAddressesChanged([IPAddress])
        /// The addresses of other nodes and of gateways on this LAN, to be asked for a sign of life
        /// while isolated, are these.
        case companionsChanged([IPAddress])
        /// No other node has been heard, on any path, since then; `nil` when one is heard.
        /// `isAlonePlausible` says that at most one other node is known, so that being alone is no
        /// strong sign of being cut off.
        case isolationChanged(since: Instant?, isAlonePlausible: Bool)
        /// Frames may be sent before this instant.
        case authorityChanged(Instant)
        /// There was no authority for a while, and now there is. While isolated that is no proof
        /// that nobody else took over meanwhile: what was in use is checked before it is again.
        case authorityRestored
        /// A rival for the address was heard: announce it in a burst again, if it is in use.
        case reannounce(IPAddress)
        /// An answer that was expected from another station did not come: ask some for a sign of
        /// life, so that ``lastHeard`` tells whether anybody is heard at all. At most once in 100
        /// ms.
        case signOfLifeWanted
        /// ``nextDeadline`` has come.
        case deadlineReached
        /// A frame came in; ``receive(_:at:reply:)`` is the same without copies.
        case frameReceived([UInt8])
    }

    /// Something the caller is to do.
    public enum Action: Equatable, Sendable {
        /// Send this frame on the interface.
        case send([UInt8])
        /// Listen to this group, so that snooping switches deliver it (RFC 4861 §7.2.1).
        case joinGroup(IPAddress)
        /// No address needs this group any more.
        case leaveGroup(IPAddress)
        /// The address is in use from now on: questions are answered.
        case answering(IPAddress)
        /// A stranger has or claims the address. At most one report a second for each address.
        case conflict(Conflict)
        /// Another speaker answers for or claims the address, as happens while it changes hands. At
        /// most one report a second for each address.
        case peerAnnounces(IPAddress, MACAddress)
        /// The address was to be taken over, but this speaker still answers for it: nobody moves.
        /// One report for each check.
        case heldByPeer(IPAddress, MACAddress)
        /// The address is not answered any more: another interface of this node does so.
        case standingBy(IPAddress)
        /// The address, perhaps with others, is not taken over before anybody is heard on this LAN.
        /// One report for each time of isolation.
        case waitingToHear(IPAddress)
        /// Whether the node address of a former owner was answered for, at the end of the check.
        case formerOwnerAnswers(IPAddress, Bool)
        /// The address cannot be announced: not unicast, or the table is full.
        case refused(IPAddress)
    }

    /// An address that a stranger has or claims.
    public struct Conflict: Hashable, Sendable {
        /// When it was noticed.
        public enum Phase: Hashable, Sendable {
            /// While probing: the address is not used here; probing starts again later.
            case beforeUse
            /// While in use: the address is defended and kept.
            case inUse
        }

        /// The address.
        public let address: IPAddress
        /// The link-layer address of the stranger.
        public let offender: MACAddress
        /// Before use or in use.
        public let phase: Phase

        /// A report of these fields.
        public init(address: IPAddress, offender: MACAddress, phase: Phase) {
            self.address = address
            self.offender = offender
            self.phase = phase
        }
    }

    /// What became of a received frame.
    public enum Outcome: Equatable, Sendable {
        /// The answer is in the reply buffer; send it.
        case answered
        /// Nothing to do.
        case dropped(Drop)
        /// Do these; the reply buffer is of no meaning.
        case acted([Action])
    }

    /// How many addresses the table holds at most. The next one is refused.
    public static let maximumAddresses = 65_536

    /// The name of the interface, for reports.
    public let interface: String

    /// The link-layer address of the interface.
    public internal(set) var macAddress: MACAddress

    /// Frames that led to nothing, by reason.
    public internal(set) var drops = DropCounters()

    /// No frame leaves at or after this instant; at first, the end of the clock. A shell sets it
    /// before each call. While it has passed, nothing is asked for by ``nextDeadline``.
    public var authority = Instant.never {
        didSet { if authority > oldValue { hasLapsed = false } }
    }

    /// Addresses that another interface of this node found still answered by their owner: they are
    /// not taken over here either, where nobody may know the owner.
    public var heldElsewhere: Set<IPAddress> = []

    /// When a frame of another station was last received on this interface.
    public internal(set) var lastHeard: Instant?

    /// When another station last answered this interface alone: so its questions are heard.
    public internal(set) var lastAnswered: Instant?

    /// When what is in use was last put back to the check.
    var recheckedAt: Instant?

    var peers: Set<MACAddress> = []
    var siblings: Set<MACAddress> = []
    var slots: [IPAddress: Int] = [:]
    var entries: [AnnouncedAddress] = []
    var freeSlots: [Int] = []
    var schedule = Schedule()
    var witnesses = Witnesses()
    /// Until then nobody else is added to the witnesses: most frames cost a comparison.
    var nextSighting = Instant(nanoseconds: .min)
    var isolation: Isolation?
    /// The earliest time of the next search for a sign of life that the caller asks for.
    var nextSearch = Instant(nanoseconds: .min)
    /// Isolated, and nothing heard since: read for every frame.
    var isDeaf = false
    var inquiries = OwnerInquiries()
    /// Something was due when there was no authority: it waits for the next one.
    var hasLapsed = false
    /// How many addresses need each solicited-node group: neighbors in number share one.
    var groupUsers: [IPAddress: Int] = [:]

    /// An announcer without addresses.
    ///
    /// - Precondition: `macAddress` is a unicast address.
    public init(interface: String, macAddress: MACAddress) {
        precondition(macAddress.isStation, "not the address of an Ethernet interface")
        self.interface = interface
        self.macAddress = macAddress
    }

    /// When ``Event/deadlineReached`` is to be handled next; `nil` while nothing is pending, or all
    /// that is waits for authority.
    public var nextDeadline: Instant? {
        if hasLapsed { return nil }
        var next = schedule.nextDeadline ?? .never
        if let askAt = isolation?.askAt { next = min(next, askAt) }
        if let inquiry = inquiries.nextDeadline { next = min(next, inquiry) }
        return next == .never ? nil : next
    }

    /// Takes in an event and says what to do about it.
    public mutating func handle(_ event: Event, at now: Instant) -> [Action] {
        switch event {
        case .addressAdded(let address, let settings):
            return add(address, settings, at: now)
        case .addressRemoved(let address):
            return remove(address)
        case .macAddressChanged(let changed):
            guard changed != macAddress, changed.isStation else { return [] }
            macAddress = changed
            return startOver(at: now)
        case .linkRestored:
            return startOver(at: now)
        case .peersChanged(let changed):
            let isGrown = !changed.isSubset(of: peers)
            peers = changed
            // Who was taken for a stranger may turn out to be one of us.
            return isGrown ? retryConflicted(at: now) : []
        case .siblingsChanged(let changed):
            return follow(siblings: changed, at: now)
        case .ownAddressesChanged(let changed):
            witnesses.ownAddresses = changed
            return []
        case .companionsChanged(let changed):
            witnesses.companions = changed
            return []
        case .isolationChanged(let since, let isAlonePlausible):
            return isolate(since: since, isAlonePlausible: isAlonePlausible, at: now)
        case .authorityChanged(let instant):
            authority = instant
            return runDue(at: now)
        case .signOfLifeWanted:
            return seekSignOfLife(at: now)
        case .authorityRestored:
            return isolation == nil ? [] : recheck(at: now)
        case .reannounce(let address):
            return reannounce(address, at: now)
        case .deadlineReached:
            return runDue(at: now)
        case .frameReceived(let frame):
            var reply = FrameBuffer()
            switch receive(frame.span, at: now, reply: &reply) {
            case .answered: return [.send(reply.bytes)]
            case .dropped: return []
            case .acted(let actions): return actions
            }
        }
    }
}
