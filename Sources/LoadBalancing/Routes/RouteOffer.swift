public import NetworkTypes

/// What one BGP advertisement offers to the addresses it matches, with its selectors already
/// evaluated to names and its communities to values.
///
/// Where several match one address they are united: each adds its blocks, and where two make the
/// same block, that route carries the communities of both.
public struct RouteOffer: Hashable, Sendable {
    /// The nodes that may announce the addresses.
    public var nodes: Selection
    /// The peers that are told.
    public var peers: Selection
    /// The length of the blocks that addresses are announced in, by family; single addresses for
    /// a family that is missing.
    public var blockLengths: [IPAddress.Family: Int]
    /// Told to peers of our own AS; `nil` leaves it to the session's default.
    public var localPreference: UInt32?
    /// The marks.
    public var communities: Set<RouteCommunity>

    /// Makes an offer; left out, single addresses from every node to every peer.
    public init(
        nodes: Selection = .all, peers: Selection = .all,
        blockLengths: [IPAddress.Family: Int] = [:], localPreference: UInt32? = nil,
        communities: Set<RouteCommunity> = []
    ) {
        self.nodes = nodes
        self.peers = peers
        self.blockLengths = blockLengths
        self.localPreference = localPreference
        self.communities = communities
    }

    /// The length of the blocks of a family.
    func blockLength(_ family: IPAddress.Family) -> Int {
        min(max(blockLengths[family] ?? family.bitWidth, 0), family.bitWidth)
    }
}

/// A router that can be told of routes, as far as the plan looks at it.
public struct RoutePeer: Hashable, Sendable {
    /// The nodes that have a session with it.
    public var nodes: Selection
    /// The families of the routes that its session carries.
    public var families: Set<IPAddress.Family>

    /// Makes a peer; left out, of every node and for both families.
    public init(
        nodes: Selection = .all, families: Set<IPAddress.Family> = Set(IPAddress.Family.allCases)
    ) {
        self.nodes = nodes
        self.families = families
    }
}

/// What is asked for an address, as far as routes are concerned.
public struct RouteDemand: Hashable, Sendable {
    /// Names of the advertisements that match pool and Service; a name without an offer is
    /// passed over.
    public var advertisements: Set<String>
    /// Where the usable endpoints are.
    public var backing: AddressDemand.Backing

    /// Makes a demand.
    public init(advertisements: Set<String>, backing: AddressDemand.Backing) {
        self.advertisements = advertisements
        self.backing = backing
    }
}
