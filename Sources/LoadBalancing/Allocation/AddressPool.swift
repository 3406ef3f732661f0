public import NetworkTypes

/// Addresses that Services may be given, and the terms on which they are given.
public struct AddressPool: Hashable, Sendable {
    /// The pool's name, unique among pools.
    public var name: String
    /// The addresses, in any order; runs of both families may be mixed.
    public var ranges: [AddressRange]
    /// Whether a Service that does not ask for this pool may get an address from it.
    public var autoAssign: Bool
    /// Whether IPv4 addresses that end in .0 or .255 are left out of the pool.
    public var avoidBuggyIPs: Bool
    /// Among pinned pools: lower is tried first, 0 is tried last.
    public var priority: Int
    /// How long the address of a deleted Service stays reserved for the same name; zero: not.
    public var retention: Duration
    /// Whether the pool is kept for certain Services; the request says which pools are its own.
    public var isPinned: Bool

    /// Makes a pool; all terms but name and ranges have the defaults of the configuration.
    public init(
        name: String, ranges: [AddressRange], autoAssign: Bool = true, avoidBuggyIPs: Bool = false,
        priority: Int = 0, retention: Duration = .zero, isPinned: Bool = false
    ) {
        self.name = name
        self.ranges = ranges
        self.autoAssign = autoAssign
        self.avoidBuggyIPs = avoidBuggyIPs
        self.priority = priority
        self.retention = retention
        self.isPinned = isPinned
    }

    /// Whether the pool leaves this address out: IPv4, last octet 0 or 255, `avoidBuggyIPs` set.
    func avoids(_ address: IPAddress) -> Bool {
        guard avoidBuggyIPs, address.family == .ipv4 else { return false }
        let octet = address.bits & 0xff
        return octet == 0 || octet == 0xff
    }

    /// Whether the Service behind `request` may have an address of this pool at all.
    func admits(_ request: AllocationRequest) -> Bool {
        !isPinned || request.pinnedPools.contains(name)
    }
}

/// How full a pool is. Counts saturate at `Int64.max`, which the IPv6 ones easily reach.
public struct PoolStatus: Hashable, Sendable {
    /// IPv4 addresses that Services have; a shared address counts once.
    public var assignedIPv4: Int64
    /// IPv6 addresses that Services have; a shared address counts once.
    public var assignedIPv6: Int64
    /// IPv4 addresses a Service could be given now: neither assigned nor reserved nor avoided.
    public var availableIPv4: Int64
    /// IPv6 addresses a Service could be given now: neither assigned nor reserved.
    public var availableIPv6: Int64
}
