public import NetworkTypes

/// What members say to each other. One datagram carries several, sealed by the shell.
public enum Message: Hashable, Sendable {
    /// The regular sign of life between neighbours.
    case beat(Beat)
    /// Asks the receiver to acknowledge at once.
    case ping(sequence: UInt32)
    /// The answer to a ping, to whoever sent it. `regards` is what the answerer believes of the
    /// asker: one that was declared dead while it slept learns it here.
    case acknowledgement(sequence: UInt32, regards: MemberState)
    /// Asks what the receiver knows of another member (SWIM's indirect probe, answered from fresh
    /// memory).
    case inquiry(about: NodeID, sequence: UInt32)
    /// The answer to an inquiry.
    case testimony(Testimony)
    /// What became of members.
    case news([MemberNews])
    /// Which versions of whose entries the sender holds; `wantsReply` asks for the same in return,
    /// over the same range of members.
    case digest(Digest, wantsReply: Bool)
    /// Entries of one member.
    case delta(Delta)
}

/// The regular sign of life between neighbours.
public struct Beat: Hashable, Sendable {
    /// Counts the beats of this session, so that the receiver can tell loss from silence.
    public var sequence: UInt32
    /// How long ago, in milliseconds, the sender last heard from the receiver; 65535: never, or
    /// longer ago.
    public var heardAge: UInt16
    /// The sender's own lateness (Lifeguard's local health): 0 is well, 8 is the worst. The highest
    /// bit is set when the rings, as the sender sees them, make the receiver its neighbour;
    /// otherwise it only answers.
    public var localHealth: UInt8
    /// The sender's incarnation.
    public var incarnation: UInt64
    /// Hashes of what the sender holds: of all entries in the upper half, of all live members and
    /// their incarnations in the lower. Equal hashes, equal views.
    public var storeHash: UInt64

    /// Makes a beat.
    public init(
        sequence: UInt32, heardAge: UInt16, localHealth: UInt8, incarnation: UInt64,
        storeHash: UInt64
    ) {
        self.sequence = sequence
        self.heardAge = heardAge
        self.localHealth = localHealth
        self.incarnation = incarnation
        self.storeHash = storeHash
    }
}

/// Whether a member lives, as far as is known.
public enum MemberState: UInt8, Hashable, Sendable, CaseIterable {
    /// It was heard from, and nobody doubts it.
    case alive = 0
    /// Somebody misses it; it can still refute.
    case suspect = 1
    /// It is gone.
    case dead = 2
    /// It said goodbye.
    case left = 3
}

/// Why a member is suspected or dead.
public enum DeathCause: UInt8, Hashable, Sendable, CaseIterable {
    /// Not suspected and not dead.
    case none = 0
    /// Nothing was heard of it.
    case silence = 1
    /// Its host says that nobody listens on its port.
    case processGone = 2
    /// It is heard, but hears nobody.
    case deaf = 3
}

/// What became of a member: SWIM's updates. Of two, the one of the higher incarnation counts; at
/// equal incarnations the later of alive, suspect, dead, left.
public struct MemberNews: Hashable, Sendable {
    /// The node's name.
    public var name: String
    /// Where it is reached.
    public var endpoint: SocketAddress
    /// Raised by the member alone, to refute what is said of it.
    public var incarnation: UInt64
    /// Whether it lives.
    public var state: MemberState
    /// Why not.
    public var cause: DeathCause
    /// Who says so.
    public var witness: NodeID

    /// Makes an update.
    public init(
        name: String, endpoint: SocketAddress, incarnation: UInt64, state: MemberState,
        cause: DeathCause = .none, witness: NodeID
    ) {
        self.name = name
        self.endpoint = endpoint
        self.incarnation = incarnation
        self.state = state
        self.cause = cause
        self.witness = witness
    }

    /// The member's identifier.
    public var id: NodeID { NodeID(name: name) }
}

/// What a neighbour of a member knows of it.
public struct Testimony: Hashable, Sendable {
    /// The member.
    public var about: NodeID
    /// The inquiry's sequence.
    public var sequence: UInt32
    /// How long ago, in milliseconds, the witness last heard from it; 65535: never, or it has no
    /// session with it.
    public var heardAge: UInt16
    /// Whether the member hears the witness.
    public var isHeard: Bool
    /// Whether the witness has a session with it, so that silence means something.
    public var hasSession: Bool

    /// Makes a testimony.
    public init(
        about: NodeID, sequence: UInt32, heardAge: UInt16, isHeard: Bool, hasSession: Bool
    ) {
        self.about = about
        self.sequence = sequence
        self.heardAge = heardAge
        self.isHeard = isHeard
        self.hasSession = hasSession
    }
}

/// What the sender holds of all members of a range: a member in the range that is not listed is one
/// of which it holds nothing.
public struct Digest: Hashable, Sendable {
    /// The lowest identifier that the range covers.
    public var first: NodeID
    /// The highest identifier that the range covers.
    public var last: NodeID
    /// What is held, ascending by node; all nodes lie in the range.
    public var entries: [DigestEntry]

    /// Makes a digest, of all members unless told otherwise.
    public init(
        _ entries: [DigestEntry], first: NodeID = NodeID(bits: 0),
        last: NodeID = NodeID(bits: .max)
    ) {
        self.entries = entries
        self.first = first
        self.last = last
    }
}

/// Up to which version the sender holds a member's entries.
public struct DigestEntry: Hashable, Sendable {
    /// The member.
    public var node: NodeID
    /// The boot that the entries belong to.
    public var generation: UInt64
    /// The highest version held without a gap.
    public var version: UInt64
    /// The version from which on the sender's copy is whole, see ``Delta/target``; 0 when it is.
    public var target: UInt64

    /// Makes an entry.
    public init(node: NodeID, generation: UInt64, version: UInt64, target: UInt64 = 0) {
        self.node = node
        self.generation = generation
        self.version = version
        self.target = target
    }
}

/// Entries of one member, ascending by version and without a gap: whoever holds everything up to
/// `from` holds everything up to `through` afterwards.
public struct Delta: Hashable, Sendable {
    /// One entry; a `value` of `nil` says that it was deleted.
    public struct Entry: Hashable, Sendable {
        /// The longest key, in bytes.
        public static let maximumKey = 64
        /// The longest value, in bytes.
        public static let maximumValue = 1_024

        /// What it is about: 1 to 64 bytes.
        public var key: [UInt8]
        /// What it says, at most 1,024 bytes.
        public var value: [UInt8]?
        /// Which of the member's changes it was.
        public var version: UInt64

        /// Makes an entry.
        public init(key: [UInt8], value: [UInt8]?, version: UInt64) {
            self.key = key
            self.value = value
            self.version = version
        }
    }

    /// The member whose entries these are.
    public var node: NodeID
    /// The boot that they belong to.
    public var generation: UInt64
    /// What the receiver must hold already; 0: nothing.
    public var from: UInt64
    /// What it holds afterwards; greater than `from`.
    public var through: UInt64
    /// Deletions up to this version may have been forgotten by the sender: who has not come that
    /// far must start again from 0.
    public var floor: UInt64
    /// The version that a copy begun from 0 must reach to be whole: what the sender knows of came
    /// from there. Until then what was held before stands. 0: the receiver's copy is whole already.
    public var target: UInt64
    /// The entries whose last change lies in between.
    public var entries: [Entry]

    /// Makes a delta.
    public init(
        node: NodeID, generation: UInt64, from: UInt64, through: UInt64, floor: UInt64 = 0,
        target: UInt64 = 0, entries: [Entry]
    ) {
        self.node = node
        self.generation = generation
        self.from = from
        self.through = through
        self.floor = floor
        self.target = target
        self.entries = entries
    }
}
