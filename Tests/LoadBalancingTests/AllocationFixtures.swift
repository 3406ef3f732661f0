import NetworkTypes

@testable import LoadBalancing

extension AddressPool {
    /// A pool whose ranges are given as text; a range that cannot be read is left out, which the
    /// test then notices.
    init(
        _ name: String, _ ranges: String..., autoAssign: Bool = true, avoidBuggyIPs: Bool = false,
        priority: Int = 0, retention: Duration = .zero, isPinned: Bool = false
    ) {
        self.init(
            name: name, ranges: ranges.compactMap { AddressRange($0) }, autoAssign: autoAssign,
            avoidBuggyIPs: avoidBuggyIPs, priority: priority, retention: retention,
            isPinned: isPinned)
    }
}

extension ServiceName {
    /// A Service of the namespace `shop`.
    init(_ name: String) { self.init(namespace: "shop", name: name) }
}

extension Instant {
    static func seconds(_ seconds: Int64) -> Instant {
        Instant(nanoseconds: seconds * 1_000_000_000)
    }
}

extension AllocationRequest {
    /// A request whose parts are given as text.
    init(
        _ name: String, _ families: IPAddress.Family..., policy: FamilyWish.Policy = .single,
        address: String..., pool: String? = nil, pinned: Set<String> = [], key: String = "",
        backends: SharingKey.Backends = .anywhere, ports: [ServicePort] = [.init(.tcp, 80)],
        held: [String] = []
    ) {
        self.init(
            service: ServiceName(name),
            families: FamilyWish(families.isEmpty ? [.ipv4] : families, policy: policy),
            requestedAddresses: address.compactMap { IPAddress($0) }, requestedPool: pool,
            pinnedPools: pinned, sharing: SharingKey(key: key, backends: backends), ports: ports,
            held: held.compactMap { IPAddress($0) })
    }
}

extension AllocationDecision {
    /// The addresses as text.
    var texts: [String] { addresses.map(\.description) }

    /// Whether the Service has what it had.
    var isKept: Bool { if case .kept = self { true } else { false } }

    /// Whether the Service got something and lost nothing.
    var isAssigned: Bool { if case .assigned = self { true } else { false } }

    /// Why the Service lost something; `nil` when it did not, or has nothing left.
    var moveCauses: [MoveCause]? {
        if case .moved(_, _, let causes) = self { causes } else { nil }
    }

    /// Why the Service has nothing; `nil` when it has something.
    var refusal: Refusal? { if case .refused(let refusal) = self { refusal } else { nil } }
}

extension AddressAllocator {
    /// An allocator with these pools.
    init(_ pools: AddressPool...) {
        self.init()
        replacePools(pools)
    }

    /// Asks at the first instant of the clock.
    mutating func ask(_ request: AllocationRequest) -> AllocationDecision {
        allocate(request, at: .seconds(0))
    }

    /// Deletes a Service at the first instant of the clock.
    mutating func delete(_ name: String) { release(ServiceName(name), at: .seconds(0)) }

    /// The names of those who are called, each of whom asks again.
    mutating func drain(_ requests: [AllocationRequest]) -> [String] {
        var called: [String] = []
        while let next = nextRetry() {
            called.append(next.name)
            for request in requests where request.service == next { _ = ask(request) }
        }
        return called
    }
}
