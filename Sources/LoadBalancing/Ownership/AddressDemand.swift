/// What is asked for an address: by whom, under which advertisements, backed by what.
public struct AddressDemand: Hashable, Sendable {
    /// Where the usable endpoints are, as the external traffic policy looks at it. Services that
    /// share the address count together.
    public enum Backing: Hashable, Sendable {
        /// Policy Cluster: any node may forward, as long as there is an endpoint somewhere.
        case cluster(hasUsableEndpoint: Bool)
        /// Policy Local: only a node that runs a usable endpoint itself; these do.
        case local(nodes: Set<String>)
    }

    /// The Services that use the address.
    public var services: Set<ServiceName>
    /// The pool that the address came from.
    public var pool: String
    /// Names of the advertisements that match pool and Service; a name without an offer is
    /// passed over.
    public var advertisements: Set<String>
    /// Where the usable endpoints are.
    public var backing: Backing
    /// Whether the wire is probed before the first use of the address (RFC 5227).
    public var detectsConflicts: Bool
    /// The node that the Services ask for; as long as it is eligible, no other competes.
    public var preferredNode: String?
    /// Nodes that by their own health checks have no endpoint for the address. Each says so of
    /// itself, to all: what a node finds of others counts here for nobody, or two nodes would elect
    /// differently.
    public var unservingNodes: Set<String>

    /// Makes a demand.
    public init(
        services: Set<ServiceName>, pool: String, advertisements: Set<String>, backing: Backing,
        detectsConflicts: Bool = true, preferredNode: String? = nil,
        unservingNodes: Set<String> = []
    ) {
        self.services = services
        self.pool = pool
        self.advertisements = advertisements
        self.backing = backing
        self.detectsConflicts = detectsConflicts
        self.preferredNode = preferredNode
        self.unservingNodes = unservingNodes
    }
}

/// A node's word that it has an address: the memory that keeps an address where it is.
///
/// The epoch grows each time the address changes hands, so that of two claims, as after a split
/// of the network, the later one is told apart.
public struct Claim: Hashable, Sendable {
    /// The node that has the address.
    public var node: String
    /// Which change of hands gave it the address, from 1.
    public var epoch: UInt64

    /// Makes a claim.
    public init(node: String, epoch: UInt64) {
        self.node = node
        self.epoch = epoch
    }
}

/// A witness's word that a node claims an address and does not answer for it.
///
/// It concerns the claim of one epoch: a later claim of the same node is not touched by it.
public struct Dispute: Hashable, Sendable {
    /// The node that should answer.
    public var node: String
    /// The epoch of the claim in dispute.
    public var epoch: UInt64
    /// The node that asked and got no answer.
    public var witness: String

    /// Makes a dispute.
    public init(node: String, epoch: UInt64, witness: String) {
        self.node = node
        self.epoch = epoch
        self.witness = witness
    }
}
