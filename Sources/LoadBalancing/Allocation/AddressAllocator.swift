public import NetworkTypes

/// Gives addresses from pools to Services, and says why.
///
/// The allocator is a value that decides: no clock, no input or output, and nothing random, so the
/// same calls in the same order always give the same addresses. The rules it keeps:
///
/// - An address stays where it is while some pool holds it, the Service may use that pool, and it
///   does not clash with a sharer. It is by the *address* that a Service is known to a pool, so
///   renaming, splitting and merging pools moves nobody. An address is given up only for a cause
///   that the decision names, and, when the Service itself asks for another, only once that other
///   one is there to be had.
/// - The pool is chosen by the first of these that applies: requested address, requested pool,
///   pools pinned to the Service by priority, pools that assign automatically by name. In a pool
///   the lowest address is taken; a Service with a sharing key first joins others of its key.
/// - Two families come from one pool. `require` takes both or none; `prefer` takes the pools of a
///   rank in order, one with both before one with the first family, and adds the second family
///   from the same pool when it can be had. Pools of a lower rank are no reason to wait.
/// - A Service that lacks something waits, first come, first served: see ``nextRetry()``.
///
/// A decision costs O(log n) in the size of the pool and in the addresses used (`RunSet`), plus
/// the pools passed over, plus the addresses of the same sharing key at which a port is taken.
///
/// The use, after a start: ``replacePools(_:)``, ``adopt(_:)`` with every Service whose status has
/// an address, then ``allocate(_:at:)`` for every Service. Calling it again with the same request
/// answers `.kept`, or refuses again. After every change, drain ``nextRetry()``.
///
/// Bounds: a table entry for each Service, one for each address in use, and at most 65,536
/// reservations; when these are full, the one that ends first gives way.
public struct AddressAllocator: Sendable {
    var pools = PoolTable()
    var tenancy = Tenancy()
    var reservations = Reservations()
    var waiting = WaitingList()
    var holdings: [ServiceName: AddressPair] = [:]
    /// Terms of the Services that share; those that do not are not in it.
    var terms: [ServiceName: SharingTerms] = [:]
    /// Addresses that a status named and `adopt` could not give back; `allocate` says why.
    var disputed: [ServiceName: [IPAddress]] = [:]

    /// An allocator without pools, which refuses everything.
    public init() {}

    /// Why a Service gives its addresses back.
    public enum ReleaseCause: Hashable, Sendable {
        /// It was deleted: the pool's retention applies.
        case deleted
        /// It lives on, but is no longer ours: another type or class. Nothing is retained.
        case notWanted
    }

    /// Puts other pools in force and returns the Services, by name, that now hold an address no
    /// pool gives. They hold it until `allocate` is asked again, and nobody else gets it till then.
    ///
    /// Ask again for *every* Service afterwards: a pool may have become pinned to others.
    @discardableResult
    public mutating func replacePools(_ replacement: [AddressPool]) -> [ServiceName] {
        pools = PoolTable(replacement)
        for address in tenancy.addresses { follow(address, from: .free) }
        for address in reservations.addresses where !tenancy.isOccupied(address) {
            follow(address, from: .free)
        }
        var stranded: [ServiceName] = []
        for (service, pair) in holdings {
            var isStranded = false
            for address in pair.ordered() {
                guard let pool = pools.pool(of: address) else {
                    isStranded = true
                    continue
                }
                guard let terms = terms[service] else { continue }
                pools.entries[pool].spaces[address.family].join(address, terms)
            }
            if isStranded { stranded.append(service) }
        }
        waiting.reconfigure()
        return stranded.sorted()
    }

    /// Gives Services back what their status says they have, before anything new is given out.
    ///
    /// Of two that claim one address and cannot share it, the first by name has it; the other
    /// learns the cause from `allocate`. The order of `requests` does not matter. Services that
    /// the allocator knows already are left alone.
    public mutating func adopt(_ requests: [AllocationRequest]) {
        let newcomers = requests.filter { !$0.held.isEmpty && holdings[$0.service] == nil }
        for request in newcomers.sorted(by: { $0.service < $1.service }) {
            var claimed = AddressPair.none
            var rejected: [IPAddress] = []
            for address in request.held where !claimed.contains(address) {
                if claimed[address.family] == nil, hindrance(of: address, for: request) == nil {
                    claimed[address.family] = address
                } else {
                    rejected.append(address)
                }
            }
            settle(request.service, at: claimed, request.terms)
            endReservation(of: request.service)
            disputed[request.service] = rejected.isEmpty ? nil : rejected
        }
    }

    /// Takes a Service's addresses back and forgets it.
    public mutating func release(
        _ service: ServiceName, cause: ReleaseCause = .deleted, at now: Instant
    ) {
        expireReservations(at: now)
        waiting.remove(service)
        disputed[service] = nil
        guard let pair = holdings[service] else {
            if cause == .notWanted { endReservation(of: service) }
            return
        }
        if cause == .deleted {
            var longest = Duration.zero
            let retained = pair.ordered().filter { address in
                guard let pool = pools.pool(of: address) else { return false }
                let retention = pools.entries[pool].pool.retention
                longest = max(longest, retention)
                return retention > .zero
            }
            // Reserved before it is left, the address is never free in between.
            reserve(retained, for: service, until: now + longest)
        }
        settle(service, at: .none, nil)
    }

    /// Keeps addresses back for a Service that does not exist now, as a deletion does. For use
    /// after a restart, with what ``reservedAddresses`` said before it.
    public mutating func reserve(
        _ addresses: [IPAddress], for service: ServiceName, until end: Instant
    ) {
        let known = addresses.filter { pools.pool(of: $0) != nil }
        endReservation(of: service)
        guard !known.isEmpty else { return }
        if reservations.isFull, let soonest = reservations.soonest { endReservation(of: soonest) }
        let before = known.map { use(of: $0) }
        reservations.add(known, for: service, until: end)
        for (address, old) in zip(known, before) { follow(address, from: old) }
    }

    /// Ends the reservations whose time is over.
    public mutating func expireReservations(at now: Instant) {
        while let deadline = reservations.nextDeadline, deadline <= now,
            let service = reservations.soonest
        {
            endReservation(of: service)
        }
    }

    /// The next waiting Service whose wish may be met now; `nil` when there is none.
    ///
    /// Call `allocate` for it, and then this again, until it returns `nil`. Each is called once
    /// for every change that may help it, in the order in which they began to wait.
    public mutating func nextRetry() -> ServiceName? {
        let pools = pools
        return waiting.next { blocker in
            guard case .space(let pool, let family) = blocker else { return false }
            return pools.entries[pool].spaces[family].available == 0
        }
    }
}
