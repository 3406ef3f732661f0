import Crypto
import NetworkTypes

/// What a receiver knows of one session of a sender.
struct SealedSession: Sendable {
    /// The hash of the sender's node name.
    let sender: UInt64
    /// The derived key, and the hint of the ring's key it comes from.
    var key: SymmetricKey?
    var hint: UInt32
    var window = ReplayWindow()
    /// The challenge given to it, and the generation of its node that went into it.
    var challenge: UInt64
    var generation: UInt64
    /// Whether it has echoed the challenge.
    var isConfirmed = false
    /// Since when another session of the same node has taken its place.
    var retired: Instant?
    var lastHello: Instant?
    /// When it was used last, counted in datagrams.
    var used: UInt64

    init(
        sender: UInt64, key: SymmetricKey?, hint: UInt32, challenge: UInt64, generation: UInt64,
        used: UInt64
    ) {
        self.sender = sender
        self.key = key
        self.hint = hint
        self.challenge = challenge
        self.generation = generation
        self.used = used
    }
}

/// What a receiver knows of a node: which of its sessions counts.
struct SealedNode: Sendable {
    /// How many sessions remembered as retired.
    static let maximumRetired = 8

    var current: SessionID
    /// Changes with `current`, so that no challenge given to another session before is good after.
    var generation: UInt64
    /// The sessions before, the newest last; they are not even answered.
    var retired: [SessionID] = []
}

/// What a sender knows of a destination.
struct SealedPeer: Sendable {
    /// What to echo there.
    var challenge: UInt64
    /// The session that answers from there.
    var session: SessionID
    var used: UInt64
}
