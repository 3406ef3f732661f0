import LoadBalancing
import Membership
import NetworkTypes

/// Watches what must hold, whatever happens: who answers for what, since when nobody does, since
/// when two do, and whether addresses move without a cause.
///
/// It looks at the machines from outside, every ``Simulation/Settings/inspection``, so its times
/// are exact to that. What it believes of a node is what a capture on the LAN would show: a process
/// that is stopped, or has no authority, does not answer.
package final class Judge {
    /// What must hold, and for how long it may not.
    package struct Bounds: Sendable {
        /// After the last disturbance every address that can be owned is answered for within this:
        /// 75 ms to find a node dead that was cut off, some more where neighbours have to agree,
        /// 10 ms for the wire; the same again for a second try where a frame was lost.
        package var answeredAgain = Duration.milliseconds(500)
        /// The same while datagrams or frames are being lost, or a node is slow: the evidence for a
        /// death takes as much longer as loss makes silence more likely.
        package var answeredAgainUnderLoss = Duration.seconds(3)
        /// Nobody can be unserved for longer than this, however often it is disturbed.
        package var answeredAtAll = Duration.seconds(20)
        /// Two that hear each other answer for one address at most this long. In a hand-over the
        /// new owner announces, and the old one stops when it hears the claim: two turns of threads
        /// and a datagram. If that is lost, its repetition on the next beats.
        package var overlap = Duration.milliseconds(100)
        /// The same while datagrams or frames are being lost, or a node is slow.
        package var overlapUnderLoss = Duration.milliseconds(1500)
        /// The same after a cut has healed: until the parts have noticed each other (they ask one
        /// another every 200 ms) and have exchanged their claims.
        package var overlapAfterHeal = Duration.seconds(1)
        /// What may be called the cause of a move is not longer ago than this.
        package var causeMemory = Duration.seconds(8)

        /// The bounds that hold for the product.
        package init() {}
    }

    /// What must hold.
    package var bounds = Bounds()
    /// What did not hold, at most ``maximumViolations``.
    package internal(set) var violations: [String] = []
    /// The trace as it was at the first of them.
    package internal(set) var traceAtViolation = ""
    /// What was seen, for reports.
    package internal(set) var figures = Figures()
    /// How many violations are kept.
    package static let maximumViolations = 20

    /// What was seen.
    package struct Figures: Sendable {
        /// The longest time that two answered for one address in one segment.
        package var longestOverlap = Duration.zero
        /// The longest time that nobody answered although somebody could have.
        package var longestGap = Duration.zero
        /// Addresses that came to another node.
        package var moves = 0
        /// Takeovers that the wire stopped.
        package var holds = 0
        /// Moves that were refused to the operator.
        package var refusals = 0
        /// Answers that clients got to their questions.
        package var answers: UInt64 = 0

        /// Nothing was seen.
        package init() {}
    }

    let addresses: [IPAddress]
    let indices: [IPAddress: Int]
    /// By address: the nodes that answer, if they can.
    var answerers: [[Int]]
    /// By address: when two began.
    var doubleSince: [Instant?]
    /// By client and address: since when nobody answers who could be heard.
    var unservedSince: [[Instant?]]
    /// By node: when something was last done to it that is a cause for its addresses to move.
    var troubledAt: [Instant?]
    /// By address: when an operator last wanted it elsewhere.
    var wantedAt: [IPAddress: Instant] = [:]
    var lastDisturbance = Instant(nanoseconds: 0)
    var lastHeal: Instant?
    /// By address: the last one who began to answer.
    package internal(set) var lastAnswerer: [Int?]
    /// By address: when that was.
    package internal(set) var answeringSince: [Instant?]
    /// By node that was noted dead: by whom, and when first.
    package internal(set) var deaths: [String: [Int: Instant]] = [:]
    /// By address: the highest epoch claimed.
    var epochs: [IPAddress: UInt64] = [:]

    init(addresses: [IPAddress], nodes: Int, clients: Int) {
        self.addresses = addresses
        indices = Dictionary(
            uniqueKeysWithValues: addresses.enumerated().map { ($0.element, $0.offset) })
        answerers = Array(repeating: [], count: addresses.count)
        doubleSince = Array(repeating: nil, count: addresses.count)
        unservedSince = Array(
            repeating: Array(repeating: nil, count: addresses.count), count: clients)
        troubledAt = Array(repeating: nil, count: nodes)
        lastAnswerer = Array(repeating: nil, count: addresses.count)
        answeringSince = Array(repeating: nil, count: addresses.count)
    }

    // MARK: What happens

    /// Something was done to a node, so that its addresses may move.
    func disturbed(_ node: Int, at now: Instant) {
        troubledAt[node] = now
        lastDisturbance = now
    }

    /// Conditions changed in a way that is no cause for any address to move.
    func unsettled(at now: Instant) { lastDisturbance = now }

    /// All cuts are gone.
    func healed(at now: Instant) {
        lastHeal = now
        lastDisturbance = now
    }

    func moveRequested(_ address: IPAddress, at now: Instant) {
        wantedAt[address] = now
        lastDisturbance = now
    }

    /// A node answers for an address from now on.
    package func began(_ address: IPAddress, at node: Int, now: Instant) {
        guard let index = indices[address] else { return }
        if !answerers[index].contains(node) { answerers[index].append(node) }
        if lastAnswerer[index] != node {
            if lastAnswerer[index] != nil { figures.moves += 1 }
            lastAnswerer[index] = node
            answeringSince[index] = now
        }
    }

    /// A node does not answer for an address any more.
    package func ended(_ address: IPAddress, at node: Int, now: Instant) {
        guard let index = indices[address] else { return }
        answerers[index].removeAll { $0 == node }
    }

    func heard(_ answer: VirtualClient.Answer, by client: Int) {
        if !answer.isGratuitous { figures.answers += 1 }
    }

    func noted(_ change: MemberChange, by observer: Int, at now: Instant) {
        guard change.to == .dead || change.to == .left else { return }
        if deaths[change.name]?[observer] == nil {
            deaths[change.name, default: [:]][observer] = now
        }
    }

    /// Forgets what was seen so far, before a measurement.
    package func startOver() {
        deaths = [:]
        figures = Figures()
    }

    func claimed(_ address: IPAddress, epoch: UInt64, by node: Int, at now: Instant) {
        epochs[address] = max(epochs[address] ?? 0, epoch)
    }

    func refused(_ address: IPAddress, by node: Int) { figures.refusals += 1 }

    func held(_ address: IPAddress, by peer: String, seenBy node: Int) {
        figures.holds += 1
    }

    func violated(_ text: String, in world: Simulation) {
        guard violations.count < Self.maximumViolations else { return }
        if violations.isEmpty { traceAtViolation = world.trace.text }
        violations.append("at \(world.now.inMilliseconds) ms: \(text)")
    }
}
