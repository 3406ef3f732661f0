/// The valid configuration objects, by name; cross-object rules hold among them.
public struct Configuration: Sendable, Hashable {
    /// Pools by name; no two overlap.
    public var pools: [String: IPAddressPool] = [:]
    /// Layer 2 advertisements by name.
    public var l2Advertisements: [String: L2Advertisement] = [:]
    /// BGP advertisements by name.
    public var bgpAdvertisements: [String: BGPAdvertisement] = [:]
    /// BGP peers by name.
    public var bgpPeers: [String: BGPPeer] = [:]
    /// BFD profiles by name.
    public var bfdProfiles: [String: BFDProfile] = [:]
    /// Community aliases of all Community objects; a name stands for one value.
    public var communities: [String: BGPCommunity] = [:]

    /// An empty configuration.
    public init() {}

    /// The value that a reference stands for: an alias of the cluster before a well-known name.
    public func value(of reference: BGPAdvertisement.CommunityReference) -> BGPCommunity? {
        switch reference {
        case .value(let value): value
        case .name(let name): communities[name] ?? BGPCommunity.wellKnown[name]
        }
    }
}
