import NetworkTypes

/// The close exchange of beats with one other member, and what it proves: that we hear it, and that
/// it hears us. The state is in the two times; as in BFD (RFC 5880 §6.2) a session is up when both
/// directions work.
struct Session: Sendable {
    /// How far a reassessment has come with this neighbour.
    enum Check: Equatable, Sendable { case none, asked(UInt32), answered, agreed }

    let peer: NodeID
    var endpoint: SocketAddress
    /// Whether the rings, as we see them, make us neighbours.
    var isNeighbour: Bool
    /// Otherwise: when the session ends.
    var lingersUntil: Instant
    /// How many of the next beats carry our name.
    var introductions = 3

    /// Of the beat that we send next.
    var sequence: UInt32 = 0
    /// When anything came from it; at first, when the session began.
    var heardAt: Instant
    var hasBeenHeard = false
    /// When it last heard us, as it says; at first, when the session began.
    var heardByPeerAt: Instant
    var isHeardByPeer = false

    private var expected: UInt32?
    private var lastBeatAt: Instant?
    private var lossThere = LossEstimate()
    private var lossBack = LossEstimate()
    private(set) var worstGap: Int64 = 0
    private(set) var roundTrip: Int64 = 0
    private(set) var peerHealth: UInt8 = 0

    var doubt: Doubt?
    /// Others hear it well for so long that only our link can be bad.
    var isBadLink = false
    var check = Check.none
    /// The ping that every session begins with.
    var openingPing: (sequence: UInt32, at: Instant)?

    var stores = Difference()
    var rosters = Difference()

    init(_ member: Member, isNeighbour: Bool, lingersUntil: Instant, at now: Instant) {
        peer = member.id
        endpoint = member.endpoint
        self.isNeighbour = isNeighbour
        self.lingersUntil = lingersUntil
        heardAt = now
        heardByPeerAt = now
    }

    /// Anything came from it.
    mutating func heard(at now: Instant) {
        heardAt = now
        hasBeenHeard = true
    }

    /// Share of its beats that get lost.
    var loss: Double { lossThere.share }
    /// Share of our beats that get lost.
    var reverseLoss: Double { lossBack.share }

    /// The last moment of which we know that both directions worked.
    var proof: Instant { min(heardAt, heardByPeerAt) }

    mutating func heardByPeer(at time: Instant) {
        if !isHeardByPeer || time > heardByPeerAt { heardByPeerAt = time }
        isHeardByPeer = true
    }

    mutating func acknowledged(sentAt: Instant, at now: Instant) {
        heardByPeer(at: sentAt)
        let sample = max(now.since(sentAt), 0)
        roundTrip = roundTrip == 0 ? sample : roundTrip + (sample - roundTrip) / 8
    }

    /// Weighs a beat: by its sequence how many before it were lost, by its time how regular it is,
    /// and by what it says how our own beats fare.
    mutating func take(_ beat: Beat, at now: Instant, timing: MembershipAgent.Timing) {
        peerHealth = min(beat.health, Wakefulness.worst)
        if let expected {
            let ahead = Int32(bitPattern: beat.sequence &- expected)
            if ahead < 0, ahead > -64 { return }  // late or twice
            let lost = ahead >= 0 && ahead < 1_000 ? Int(ahead) : 0
            for _ in 0..<min(lost, 64) { lossThere.take(isLost: true) }
            lossThere.take(isLost: false)
            if let lastBeatAt, ahead < 1_000, ahead >= 0 {
                let gap = max(now.since(lastBeatAt) - Int64(lost) * timing.beat, 0)
                worstGap = max(gap, worstGap - worstGap / 512)
            }
        }
        expected = beat.sequence &+ 1
        lastBeatAt = now
        guard beat.heardAge != .max else { return }
        let age = Int64(beat.heardAge) * MembershipAgent.Timing.millisecond
        heardByPeer(at: now.after(-age))
        // Once the session is in doubt the sample says what the doubt is about, not how often
        // single beats get lost.
        guard doubt == nil || age < timing.reverseOverdue else { return }
        lossBack.take(isLost: age > timing.beat * 5 / 4)
    }

    /// Time in which we did not run is nobody's silence.
    mutating func shift(by interval: Int64, at now: Instant) {
        heardAt = min(heardAt.after(interval), now)
        heardByPeerAt = min(heardByPeerAt.after(interval), now)
        lastBeatAt = lastBeatAt.map { min($0.after(interval), now) }
        lingersUntil = lingersUntil.after(interval)
        if let opening = openingPing {
            openingPing = (opening.sequence, opening.at.after(interval))
        }
        doubt?.shift(by: interval)
    }
}

extension Beat {
    /// Set in ``localHealth`` when the rings, as the sender sees them, make the receiver its
    /// neighbour; otherwise it only answers.
    static let neighbourBit: UInt8 = 0x80

    var isFromNeighbour: Bool { localHealth & Self.neighbourBit != 0 }
    var health: UInt8 { localHealth & ~Self.neighbourBit }
}
