public import NetworkTypes

/// How pools are told to routers (`metallb.io/v1beta1 BGPAdvertisement`).
public struct BGPAdvertisement: Hashable, Sendable {
    /// A community as written: a value, or a name that stands for one.
    public enum CommunityReference: Hashable, Sendable {
        /// `a:b` or `large:a:b:c`.
        case value(BGPCommunity)
        /// An alias of a Community object, or a well-known name.
        case name(String)
    }

    /// The most communities that one advertisement may carry.
    public static let communityLimit = 63

    /// Metadata.
    public var metadata: ObjectMeta
    /// `spec.aggregationLength`: IPv4 addresses are announced as blocks of this length, 1–32.
    public var aggregationLength = 32
    /// `spec.aggregationLengthV6`: the same for IPv6, 1–128.
    public var aggregationLengthV6 = 128
    /// `spec.localPref`, sent to internal peers only; `nil` when absent.
    public var localPref: UInt32?
    /// `spec.communities`, without duplicates.
    public var communities: [CommunityReference] = []
    /// `spec.ipAddressPools`; with no selectors either, all pools.
    public var ipAddressPools: [String] = []
    /// `spec.ipAddressPoolSelectors`.
    public var ipAddressPoolSelectors: [LabelSelector] = []
    /// `spec.nodeSelectors`; empty: all nodes.
    public var nodeSelectors: [LabelSelector] = []
    /// `spec.serviceSelectors`; empty: all Services. Only with /32 and /128.
    public var serviceSelectors: [LabelSelector] = []
    /// `spec.peers`: names of BGPPeers; empty: all.
    public var peers: [String] = []
    /// Pools that the advertisement selects but cannot speak of, since a rule is broken there:
    /// blocks wider than the pool, or another advertisement with a different `localPref`.
    public var excludedPools: [String] = []

    /// Makes an advertisement of single addresses of all pools from all nodes to all peers.
    public init(metadata: ObjectMeta) { self.metadata = metadata }

    /// The length of the blocks that addresses of a family are announced in.
    public func blockLength(_ family: IPAddress.Family) -> Int {
        family == .ipv4 ? aggregationLength : aggregationLengthV6
    }
}

extension BGPAdvertisement.CommunityReference: CustomStringConvertible {
    /// The text of the manifest: the value, or the name.
    public var description: String {
        switch self {
        case .value(let value): value.description
        case .name(let name): name
        }
    }
}
