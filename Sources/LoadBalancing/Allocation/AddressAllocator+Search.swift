import NetworkTypes

/// The search for addresses: which pools, in which order, and what each has to offer.
extension AddressAllocator {
    /// What the search came to.
    struct Resolution {
        var chosen: AddressPair
        var passedOver: [PassedOverPool] = []
        /// What is asked for beyond the chosen addresses, and why it cannot be had.
        var unmet: Refusal?
        /// Why addresses that could have been kept are not among the chosen.
        var cause: MoveCause?
    }

    /// The one pool that the request names, by an address or by name; `nil` when it names none.
    ///
    /// Throws the reason when what is asked for can never be had with the pools as they are.
    func target(of request: AllocationRequest) throws(RefusalReason) -> Int? {
        if request.families.families.isEmpty { throw .noFamily }
        try checkFamilies(of: request)
        if pools.entries.isEmpty { throw .noPools }
        var target: Int?
        if let name = request.requestedPool {
            guard let index = pools.index(of: name) else { throw .unknownPool(name) }
            target = index
        }
        var first: AssignedAddress?
        for address in request.requestedAddresses {
            let index: Int
            switch pools.place(of: address) {
            case .outside: throw .outsideEveryPool(address)
            case .avoided(let index):
                throw .avoidedAddress(address, pool: pools.entries[index].pool.name)
            case .inside(let found): index = found
            }
            let found = AssignedAddress(address: address, pool: pools.entries[index].pool.name)
            if let name = request.requestedPool, name != found.pool {
                throw .notInRequestedPool(found, requested: name)
            }
            if let first, first.pool != found.pool { throw .twoPools(first, found) }
            first = found
            target = index
        }
        if let target, !pools.entries[target].pool.admits(request) {
            throw .pinnedToOthers(pool: pools.entries[target].pool.name)
        }
        return target
    }

    private func checkFamilies(of request: AllocationRequest) throws(RefusalReason) {
        var seen = AddressPair.none
        for address in request.requestedAddresses {
            if let other = seen[address.family], other != address {
                throw .twoOfOneFamily(other, address)
            }
            seen[address.family] = address
            guard request.families.families.contains(address.family) else {
                throw .wrongFamily(address, wanted: request.families.families)
            }
        }
    }

    /// Finds what the Service is to have, given what it may keep.
    mutating func resolve(
        _ request: AllocationRequest, target: Int?, kept: AddressPair
    ) -> Resolution {
        let families = request.families.families
        let isAsAsked =
            request.requestedAddresses.allSatisfy { kept.contains($0) }
            && (request.requestedPool == nil
                || kept.ordered().allSatisfy { pools.pool(of: $0) == target })
        guard !kept.isEmpty, isAsAsked else {
            return move(request, target: target, kept: kept) { pool in
                request.requestedAddresses.isEmpty
                    ? .poolRequested(pool) : .addressRequested(request.requestedAddresses)
            }
        }
        guard let anchor = kept.ordered(by: families).first,
            let pool = pools.pool(of: anchor),
            let missing = families.first(where: { kept[$0] == nil })
        else { return Resolution(chosen: kept) }
        switch offer(missing, in: pool, to: request, kept: kept) {
        case .success(let address):
            var chosen = kept
            chosen[missing] = address
            return Resolution(chosen: chosen)
        case .failure(let reason):
            if request.families.policy == .require {
                return move(request, target: target, kept: kept) { .bothFamiliesRequired(pool: $0) }
            }
            let name = pools.entries[pool].pool.name
            return Resolution(
                chosen: kept,
                unmet: Refusal(
                    reason: .familyMissing(missing, pool: name),
                    passedOver: [PassedOverPool(pool: name, reason: reason)]))
        }
    }

    /// Looks for a place that has everything; what is kept is given up only if there is one.
    private mutating func move(
        _ request: AllocationRequest, target: Int?, kept: AddressPair,
        cause: (String) -> MoveCause
    ) -> Resolution {
        do throws(Refusal) {
            var resolution = try search(request, target: target, kept: kept)
            let pool = resolution.chosen.ordered().first.flatMap { self.pool(of: $0) }
            resolution.cause = cause(pool ?? "")
            return resolution
        } catch {
            return Resolution(chosen: kept, passedOver: error.passedOver, unmet: error)
        }
    }

    /// Goes through the pools in order, each rank of equal standing for itself.
    private mutating func search(
        _ request: AllocationRequest, target: Int?, kept: AddressPair
    ) throws(Refusal) -> Resolution {
        let families = request.families.families
        var passedOver: [PassedOverPool] = []
        for rank in target.map({ [[$0]] }) ?? pools.ranks(for: request) {
            // The first pool of the rank that has this family, for want of one that has both.
            var partial = PerFamily<(pool: Int, address: IPAddress)?> { _ in nil }
            for index in rank {
                var offered = AddressPair.none
                for family in families {
                    switch offer(family, in: index, to: request, kept: kept) {
                    case .success(let address):
                        offered[family] = address
                        if partial[family] == nil { partial[family] = (index, address) }
                    case .failure(let reason):
                        let name = pools.entries[index].pool.name
                        if passedOver.isEmpty { passedOver.reserveCapacity(rank.count) }
                        passedOver.append(PassedOverPool(pool: name, reason: reason))
                    }
                }
                if families.allSatisfy({ offered[$0] != nil }) {
                    return Resolution(chosen: offered, passedOver: passedOver)
                }
            }
            for passed in passedOver {
                guard case .addressUnavailable(let address, let conflict) = passed.reason
                else { continue }
                throw Refusal(
                    reason: .addressUnavailable(address, conflict), passedOver: passedOver)
            }
            guard request.families.policy == .prefer else { continue }
            let wanted = request.requestedAddresses.first.map { [$0.family] } ?? families
            guard let family = wanted.first(where: { partial[$0] != nil }),
                let found = partial[family]
            else { continue }
            return settleForOne(family, found.address, in: found.pool, families, passedOver)
        }
        if target == nil { passedOver += excludedPools(for: request) }
        throw Refusal(reason: .noPoolServes, passedOver: passedOver)
    }

    /// One address now, the other family when the pool has it.
    private func settleForOne(
        _ family: IPAddress.Family, _ address: IPAddress, in index: Int,
        _ families: [IPAddress.Family], _ passedOver: [PassedOverPool]
    ) -> Resolution {
        var chosen = AddressPair.none
        chosen[family] = address
        let name = pools.entries[index].pool.name
        let missing = families.first { $0 != family } ?? family
        let unmet = Refusal(
            reason: .familyMissing(missing, pool: name),
            passedOver: passedOver.filter { $0.pool == name })
        return Resolution(chosen: chosen, passedOver: passedOver, unmet: unmet)
    }

    /// What a pool can give: the address asked for, the one kept, one to share, or the lowest.
    private mutating func offer(
        _ family: IPAddress.Family, in index: Int, to request: AllocationRequest, kept: AddressPair
    ) -> Result<IPAddress, PassOverReason> {
        if let asked = request.requestedAddresses.first(where: { $0.family == family }) {
            return conflict(at: asked, for: request)
                .map { .failure(.addressUnavailable(asked, $0)) } ?? .success(asked)
        }
        if let address = kept[family], pools.pool(of: address) == index {
            return .success(address)
        }
        guard pools.entries[index].spaces[family].capacity > 0 else {
            return .failure(.noAddresses(of: family))
        }
        if let address = joinable(family, in: index, for: request) { return .success(address) }
        guard pools.entries[index].spaces[family].available > 0,
            let address = pools.lowestFree(family, in: index)
        else {
            let assigned = pools.entries[index].spaces[family].assigned
            let reserved = pools.entries[index].spaces[family].reserved
            return .failure(.exhausted(family, assigned: assigned, reserved: reserved))
        }
        return .success(address)
    }

    /// The lowest address whose sharers the Service can join.
    private func joinable(
        _ family: IPAddress.Family, in index: Int, for request: AllocationRequest
    ) -> IPAddress? {
        guard let terms = request.terms,
            let group = pools.entries[index].spaces[family].group(for: terms)
        else { return nil }
        var next = group.first(from: 0)
        while let bits = next {
            let address = IPAddress(family: family, bits: bits)
            if tenancy.conflict(at: address, for: request.service, terms) == nil {
                return address
            }
            next = bits == .max ? nil : group.first(from: bits + 1)
        }
        return nil
    }

    /// What keeps a Service from living at an address: its tenants, or a reservation.
    func conflict(at address: IPAddress, for request: AllocationRequest) -> AddressConflict? {
        if tenancy.isOccupied(address) {
            return tenancy.conflict(at: address, for: request.service, request.terms)
        }
        return reservations.stranger(at: address, besides: request.service)
            .map { .reserved(for: $0) }
    }
}
