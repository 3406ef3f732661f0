public import NetworkTypes

/// What the allocator knows, for status, metrics and explanations.
extension AddressAllocator {
    /// How full a pool is; `nil` when there is none of this name.
    public func status(ofPool name: String) -> PoolStatus? {
        guard let index = pools.index(of: name) else { return nil }
        let spaces = pools.entries[index].spaces
        return PoolStatus(
            assignedIPv4: Int64(spaces[.ipv4].assigned),
            assignedIPv6: Int64(spaces[.ipv6].assigned),
            availableIPv4: Int64(clamping: spaces[.ipv4].available),
            availableIPv6: Int64(clamping: spaces[.ipv6].available))
    }

    /// The names of the pools in force, in order.
    public var poolNames: [String] { pools.entries.map(\.pool.name) }

    /// The name of the pool that gives this address; `nil` when none does.
    public func pool(of address: IPAddress) -> String? {
        pools.pool(of: address).map { pools.entries[$0].pool.name }
    }

    /// The addresses a Service has, IPv4 first.
    public func addresses(of service: ServiceName) -> [IPAddress] {
        holdings[service]?.ordered() ?? []
    }

    /// The Services that have an address, by name.
    public func tenants(of address: IPAddress) -> [ServiceName] {
        tenancy.tenants(of: address)
    }

    /// Whether a Service waits for something it could not be given.
    public func isWaiting(_ service: ServiceName) -> Bool { waiting.contains(service) }

    /// How many Services wait.
    public var waitingCount: Int { waiting.count }

    /// When a reservation ends next: time to call ``expireReservations(at:)``.
    public var nextDeadline: Instant? { reservations.nextDeadline }

    /// The addresses kept back for deleted Services, and until when. What must outlive a restart
    /// is to be written down from here, and given back with ``reserve(_:for:until:)``.
    public var reservedAddresses: [ServiceName: (addresses: [IPAddress], until: Instant)] {
        reservations.entries.mapValues { ($0.addresses, $0.until) }
    }

    /// The pools that a Service cannot get an address from unless it asks, and why.
    public func excludedPools(for request: AllocationRequest) -> [PassedOverPool] {
        pools.entries.compactMap { entry in
            let reason: PassOverReason
            if !entry.pool.admits(request) {
                reason = .pinnedToOthers
            } else if !entry.pool.autoAssign {
                reason = .autoAssignOff
            } else {
                return nil
            }
            return PassedOverPool(pool: entry.pool.name, reason: reason)
        }
    }
}
