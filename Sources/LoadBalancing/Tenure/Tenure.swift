public import NetworkTypes

/// The time of addresses with one node: turns elections into announcing, claiming and yielding.
///
/// ```
///              elected                    answering: claim
///   (absent) ───────────▶ taking ─────────────────────────▶ holding ◀──────────┐
///      ▲                    │  ▲ elected                       │               │ elected
///      │        heldByPeer  ▼  │ as handover        not elected│               │ again
///      │                   held ── answering: claim ──▶        ▼               │
///      │                                                   yielding ───────────┘
///      └──── withdraw ◀─────────────────────────────────────── │
/// ```
///
/// - An address is claimed once it is answered for: what is so, not what is intended. The claim
///   stays, also while the node may not own the address, until nobody wants the address or a later
///   claim of another node is seen; that is the memory by which addresses stay where they are.
/// - A node that should not own an address any more *yields*: it answers until it sees a stronger
///   claim of a node that lives, or hears the elected node announce the address. A node that cannot
///   own it (not ready, no endpoint, interface gone) waits for that no longer than
///   ``Timing/hardYield``, and not at all when nobody else can own it either.
/// - A stronger claim (higher epoch, then rank) of a node that may own the address silences this
///   one at once. The other way round, an elected node that sees a claim above its own, of a node
///   that may not own the address, raises its own.
/// - An address that is not answered for yet is left without ado when the election changes.
///
/// Where nodes are *fenced*, all that is stricter: an address is begun with only while this node's
/// Lease is fresh, and once nobody else can be answering for it. Nodes that are not heard must have
/// been found silent by their Leases; nodes that are heard must not claim the address, so it is
/// claimed before it is answered for, and whoever has it stops, takes its own claim back, and only
/// then this node begins.
///
/// Liveness and operators' wishes are elected on at once. Claims of others act at once on the
/// addresses that they are for; the election that follows is put off a little, since claims come
/// by the hundred when a node with many addresses dies, and mostly confirm what was decided.
public struct Tenure: Sendable {
    /// The times that the rules are made of.
    enum Timing {
        /// How long a node that cannot own an address answers for it, for want of a successor.
        static let hardYield: Duration = .seconds(1)
        /// How long a process that ends waits until others have its addresses.
        static let stopping: Duration = .seconds(2)
        /// How long an address moved on purpose has to be answered for.
        static let pledge: Duration = .seconds(5)
        /// How long nothing may have changed before an address moves for balance.
        static let balance: Duration = .seconds(5)
        /// The least time between two claims of the same address.
        static let claimGap: Duration = .milliseconds(200)
        /// How long the higher claim of a node that is gone is left alone: it may be back at once.
        static let absentRival: Duration = .seconds(1)
        /// Between announcements against a rival: doubled from the first to the second.
        static let rivalGap: (first: Duration, last: Duration) = (.milliseconds(250), .seconds(8))
        /// A rival not heard for so long is a new one.
        static let rivalQuiet: Duration = .seconds(20)
        /// From a claim of another node to the election, for few addresses.
        static let settling: Duration = .milliseconds(10)
        /// What each address adds to that.
        static let settlingPerAddress: Duration = .microseconds(20)
    }

    /// The node.
    let node: String
    var facts: Facts?
    /// The nodes of the facts, with liveness as last heard.
    var nodes: [String: NodeFacts] = [:]
    var heard: [String: NodeFacts.Liveness] = [:]
    var table: ClaimTable
    var holdings: [IPAddress: Holding] = [:]
    /// Addresses moved on purpose, until they are answered for.
    var pledges: [IPAddress: Pledge] = [:]
    var moves: [IPAddress: Move] = [:]
    /// The last election.
    public internal(set) var ownership: Ownership?
    var electionDue: Instant?
    var balanceDue: Instant?
    var stopsBy: Instant?
    var hasStopped = false
    /// No deadline of an address or a pledge comes before this.
    var wake: Instant?

    /// What Leases say; `nil` where nobody needs one.
    var fence: Fence?
    /// Addresses that this node is elected for and does not begin with for the Leases' sake.
    var waits: [IPAddress: FenceWait] = [:]
    /// Nodes that are not heard and not found silent, as of the last election.
    var unheard: Set<String> = []

    /// Begins with nothing known.
    ///
    /// - Parameter isFenced: whether nothing may be answered for without a fresh Lease.
    public init(node: String, isFenced: Bool = false) {
        self.node = node
        fence = isFenced ? Fence() : nil
        table = ClaimTable(node: node)
    }

    /// When to send ``Event/deadlineReached``; `nil` for never.
    public var nextDeadline: Instant? {
        [electionDue, balanceDue, hasStopped ? nil : stopsBy, wake].lazy.compactMap { $0 }.min()
    }

    /// What this node claims.
    public var claims: [IPAddress: UInt64] { table.own }

    /// Where an address stands; `nil` when this node does not announce it.
    public func phase(of address: IPAddress) -> Phase? { holdings[address]?.phase }

    /// How many addresses this node announces, or is about to.
    public var announcedCount: Int { holdings.count }

    /// How the address last came to this node; `nil` when it never did.
    public func lastMove(of address: IPAddress) -> Move? { moves[address] }

    /// Whether nothing is left that another node could take over from this one.
    public var isHandedOver: Bool {
        !holdings.values.contains {
            if case .yielding(to: .some) = $0.phase { true } else { false }
        }
    }

    /// Takes note of what happened and answers what to do about it, in order.
    public mutating func handle(_ event: Event, at now: Instant) -> [Action] {
        var actions: [Action] = []
        switch event {
        case .factsChanged(let facts): take(facts, now, &actions)
        case .livenessChanged(let news): take(news, now, &actions)
        case .claimsChanged(let other, let changes): take(changes, of: other, now, &actions)
        case .claimsRestored(let claims): restore(claims, &actions)
        case .answering(let address): noteAnswering(address, now, &actions)
        case .heldByPeer(let address, let peer): noteHeld(address, by: peer, &actions)
        case .peerAnnounced(let address, let other):
            notePeer(other, announcing: address, now, &actions)
        case .moveRequested(let address): take(wish: address, now, &actions)
        case .fenceChanged(let fence): take(fence, now, &actions)
        case .stopping: stop(now, &actions)
        case .deadlineReached: meetDeadlines(now, &actions)
        }
        return actions
    }
}
