/// What both kinds of advertisement share: which pools they speak of.
public protocol PoolSelection {
    /// Pools by name.
    var ipAddressPools: [String] { get }
    /// Pools by label.
    var ipAddressPoolSelectors: [LabelSelector] { get }
    /// Pools that a rule keeps out, whatever the selection says.
    var excludedPools: [String] { get }
}

extension PoolSelection {
    /// Whether the advertisement speaks of the pool: named, or matched by a selector, or neither
    /// names nor selectors are given.
    public func selects(_ pool: IPAddressPool) -> Bool {
        if excludedPools.contains(pool.name) { return false }
        if ipAddressPools.isEmpty && ipAddressPoolSelectors.isEmpty { return true }
        return ipAddressPools.contains(pool.name)
            || ipAddressPoolSelectors.contains { $0.matches(pool.metadata.labels) }
    }
}

extension L2Advertisement: PoolSelection {
    /// None: every pool can be announced by ARP and NDP.
    public var excludedPools: [String] { [] }
}

extension BGPAdvertisement: PoolSelection {}
