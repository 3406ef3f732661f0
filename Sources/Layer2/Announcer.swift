import NetworkTypes

/// Answers ARP and neighbor discovery for the addresses of one interface, announces them, and
/// notices when another station has one of them.
///
/// Both families are one table and one piece of code; only ``AddressFrames`` and the decoders know
/// the wire formats.
///
/// ```
///            added, probeFirst                                added, not probeFirst
///                    │                                                  │
///                    ▼            three probes, nobody has it           ▼
///        ┌──────► probing ───────────────────────────────────────► announcing ──┐
///        │         │    ▲                                            ▲          │ burst sent
///  retry │         │    │ a peer speaker has it: wait, probe again    │          ▼
///        │         │    └─── probing                 link up, MAC    │       active ──┐
///        │         │ a stranger has it               changed         └──────────┤ ▲   │ interval:
///        │         ▼                                                            │ └───┘ announce
///        └──── conflicted                 a stranger claims it: report, defend ─┘
/// ```
///
/// Answers are given while announcing and active. Standards: RFC 826 (packet reception); RFC 5227
/// §2.1.1 probing, §2.3 announcing, §2.4(c) defence; RFC 4861 §7.1 validation, §7.2.3–7.2.4
/// answers, §7.2.6 unsolicited advertisements; RFC 4862 §5.4 duplicate address detection; RFC 6980
/// no fragments; RFC 4291 §2.7.1 solicited-node groups. Not done: proxying, anycast delays, the
/// nonce of RFC 7527 (our own probes come back with our own link-layer source and are dropped by
/// it).
///
/// Where times differ from the RFCs, ``Timing`` says why. Bounds: ``maximumAddresses`` addresses;
/// frames grow nothing; unasked frames are paced by ``Pacer``; peers are as many as the caller
/// names.
public struct Announcer: Equatable, Sendable {
    /// Something that happened.
    public enum Event: Equatable, Sendable {
        /// The address is to be announced here. For one that is already, the settings change; one
        /// that is still probed for, or conflicted, is in use at once when probing is turned off.
        case addressAdded(IPAddress, AnnouncementSettings)
        /// The address is not to be announced here any more. Nothing is sent: the next owner does.
        case addressRemoved(IPAddress)
        /// The interface has another link-layer address now.
        case macAddressChanged(MACAddress)
        /// The link came up again, so that caches and switch tables may have forgotten us.
        case linkRestored
        /// The link-layer addresses of the other speakers are these.
        case peersChanged(Set<MACAddress>)
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

    var peers: Set<MACAddress> = []
    var slots: [IPAddress: Int] = [:]
    var entries: [AnnouncedAddress] = []
    var freeSlots: [Int] = []
    var deadlines = DeadlineHeap()
    var pacer = Pacer()
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

    /// When ``Event/deadlineReached`` is to be handled next; `nil` while nothing is pending.
    public var nextDeadline: Instant? {
        deadlines.first.map { pacer.earliest($0.deadline) }
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
            peers = changed
            return []
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
