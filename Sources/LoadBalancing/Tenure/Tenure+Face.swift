public import NetworkTypes

extension Tenure {
    /// All that an election is held on, as one node sees it.
    ///
    /// What ``Event/livenessChanged(_:)`` and ``Event/claimsChanged(node:_:)`` have said is newer
    /// than what facts say on the same node, or the same claim, and stays in force.
    public struct Facts: Sendable {
        /// The nodes, by name.
        public var nodes: [String: NodeFacts]
        /// The layer 2 advertisements, by name.
        public var offers: [String: Layer2Offer]
        /// The addresses in use.
        public var demands: [IPAddress: AddressDemand]
        /// What other nodes claim.
        public var claims: [IPAddress: [Claim]]
        /// Claims that were found to be unanswered.
        public var disputes: [IPAddress: [Dispute]]
        /// Whether claims are seen by all. Where they are not they do not count, and an address
        /// that the election gives to another node is left at once.
        public var isMemoryCommon: Bool
        /// Whether all objects have been read. Until then no address goes for want of a Service.
        public var isComplete: Bool
        /// Whether no other node is heard at all.
        public var isIsolated: Bool

        /// Makes facts.
        public init(
            nodes: [String: NodeFacts] = [:], offers: [String: Layer2Offer] = [:],
            demands: [IPAddress: AddressDemand] = [:], claims: [IPAddress: [Claim]] = [:],
            disputes: [IPAddress: [Dispute]] = [:], isMemoryCommon: Bool = true,
            isComplete: Bool = true, isIsolated: Bool = false
        ) {
            self.nodes = nodes
            self.offers = offers
            self.demands = demands
            self.claims = claims
            self.disputes = disputes
            self.isMemoryCommon = isMemoryCommon
            self.isComplete = isComplete
            self.isIsolated = isIsolated
        }
    }

    /// What happened.
    public enum Event: Sendable {
        /// The facts are these now.
        case factsChanged(Facts)
        /// Failure detection has news of these nodes.
        case livenessChanged([String: NodeFacts.Liveness])
        /// Another node's claims changed to these epochs; `nil` where a claim ended.
        case claimsChanged(node: String, [IPAddress: UInt64?])
        /// What this node claimed before its process began; once, before the first facts.
        case claimsRestored([IPAddress: UInt64])
        /// Questions for the address are answered from now on.
        case answering(IPAddress)
        /// The check of the wire before a takeover found that another speaker answers.
        case heldByPeer(IPAddress, peer: String)
        /// Another speaker announced the address, or answered for it, while this one does.
        case peerAnnounced(IPAddress, node: String?)
        /// An operator wants this node to have the address.
        case moveRequested(IPAddress)
        /// The Leases say this now; counts only where nodes are fenced.
        case fenceChanged(Fence)
        /// The process is asked to end.
        case stopping
        /// ``Tenure/nextDeadline`` has come.
        case deadlineReached
    }

    /// What to do.
    public enum Action: Hashable, Sendable {
        /// Begin to announce the address, or go on with these settings.
        case announce(IPAddress, Tenancy)
        /// Fall silent at once.
        case withdraw(IPAddress)
        /// Publish the claim.
        case claim(IPAddress, epoch: UInt64)
        /// Take the claim back: nobody wants the address, or another node has a later one.
        case release(IPAddress)
        /// Announce the address again, in a burst: a rival was heard of.
        case reannounce(IPAddress)
        /// The address has come to this node, for the log, an Event and the status.
        case moved(Move)
        /// The operator's wish cannot be granted.
        case refusedMove(IPAddress, LossReason)
        /// The owner is said to be gone, and a speaker still answers: nobody moves.
        case held(IPAddress, by: String)
    }

    /// How this node has an address.
    public struct Tenancy: Hashable, Sendable {
        /// Where and how often to announce it.
        public var settings: AnnouncementPlan.Settings
        /// How the node came to it.
        public var manner: Manner

        /// Makes a tenancy.
        public init(settings: AnnouncementPlan.Settings, manner: Manner) {
            self.settings = settings
            self.manner = manner
        }
    }

    /// How a node comes to an address, which says what it asks of the wire first.
    public enum Manner: Hashable, Sendable {
        /// Nobody has ever had it: probe for strangers (RFC 5227), where the pool wants that.
        case firstUse(probes: Bool)
        /// The node that had it is gone, or does not answer: check that nobody answers.
        case takeover(from: String)
        /// The node that has it gives it up, and stops when it sees the claim: begin at once.
        case handover(from: String)
        /// This node had it and nobody has had it since: begin at once.
        case resume
    }

    /// Where an address stands in its time with this node.
    public enum Phase: Hashable, Sendable {
        /// Announced, and not answered for yet.
        case taking
        /// Answered for.
        case holding
        /// Still answered for, until the node named does; `nil` while it is not known which.
        case yielding(to: String?)
        /// Not answered for, because another speaker was found to answer.
        case held
    }

    /// How an address came to this node.
    public struct Move: Hashable, Sendable {
        /// The address.
        public var address: IPAddress
        /// Who had it before; `nil` for nobody.
        public var from: String?
        /// This node.
        public var to: String
        /// Why.
        public var cause: ArrivalCause
        /// The epoch that this node claims it under.
        public var epoch: UInt64
        /// When it began to answer.
        public var at: Instant

        /// Makes a move.
        public init(
            address: IPAddress, from: String?, to: String, cause: ArrivalCause, epoch: UInt64,
            at: Instant
        ) {
            self.address = address
            self.from = from
            self.to = to
            self.cause = cause
            self.epoch = epoch
            self.at = at
        }
    }
}
