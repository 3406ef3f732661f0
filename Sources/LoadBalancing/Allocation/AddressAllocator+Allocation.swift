public import NetworkTypes

/// From a request to a decision.
extension AddressAllocator {
    /// What a Service has, judged by what it asks for now.
    private struct Review {
        /// What it had.
        var before: [IPAddress] = []
        /// What it may keep, or take back from its reservation.
        var kept = AddressPair.none
        /// Why it may not keep the rest.
        var causes: [MoveCause] = []
    }

    /// Decides which addresses a Service has from now on.
    ///
    /// Asking again with the same request changes nothing.
    public mutating func allocate(
        _ request: AllocationRequest, at now: Instant
    ) -> AllocationDecision {
        expireReservations(at: now)
        let target: Int?
        var review = review(request)
        let resolution: Resolution
        do throws(RefusalReason) {
            target = try self.target(of: request)
            takeBack(&review, for: request, target: target)
            resolution = resolve(request, target: target, kept: review.kept)
        } catch {
            resolution = Resolution(
                chosen: review.kept, unmet: Refusal(reason: error, passedOver: []))
        }
        let reclaimed = reservations.entries[request.service]?.addresses ?? []
        settle(request.service, at: resolution.chosen, request.terms)
        if !resolution.chosen.isEmpty { endReservation(of: request.service) }
        disputed[request.service] = nil
        note(resolution, of: request)
        return decision(on: request, review, resolution, reclaimed: reclaimed)
    }

    private func review(_ request: AllocationRequest) -> Review {
        var review = Review()
        let disputed = disputed[request.service]
        let known = holdings[request.service]
        let claims = (known?.ordered() ?? []) + (disputed ?? [])
        for address in known == nil && disputed == nil ? request.held : claims
        where !review.before.contains(address) {
            review.before.append(address)
            if let cause = hindrance(of: address, for: request) {
                review.causes.append(cause)
            } else if review.kept[address.family] != nil {
                review.causes.append(.surplus(address))
            } else {
                review.kept[address.family] = address
            }
        }
        return review
    }

    /// Adds what is reserved for the Service to what it may keep, unless it asks for other things.
    private func takeBack(_ review: inout Review, for request: AllocationRequest, target: Int?) {
        guard let entry = reservations.entries[request.service] else { return }
        for address in entry.addresses
        where review.kept[address.family] == nil && hindrance(of: address, for: request) == nil {
            let asked = request.requestedAddresses
            guard asked.isEmpty || asked.contains(address),
                target == nil || pools.pool(of: address) == target
            else { continue }
            review.kept[address.family] = address
        }
    }

    /// What keeps a Service from having an address that it had; `nil`: nothing.
    func hindrance(of address: IPAddress, for request: AllocationRequest) -> MoveCause? {
        guard request.families.families.contains(address.family) else {
            return .familyNotWanted(address)
        }
        switch pools.place(of: address) {
        case .outside: return .outsideEveryPool(address)
        case .avoided(let index):
            return .avoidedAddress(address, pool: pools.entries[index].pool.name)
        case .inside(let index):
            let pool = pools.entries[index].pool
            if !pool.admits(request) { return .pinnedToOthers(address, pool: pool.name) }
            return conflict(at: address, for: request).map { .conflict(address, $0) }
        }
    }

    /// Puts the Service on the waiting list, with what it waits for, or takes it off.
    private mutating func note(_ resolution: Resolution, of request: AllocationRequest) {
        guard let unmet = resolution.unmet else {
            waiting.remove(request.service)
            return
        }
        var blockers: Set<WaitingList.Blocker> = []
        if case .addressUnavailable(let address, _) = unmet.reason {
            blockers.insert(.address(address))
        }
        for passed in unmet.passedOver {
            switch passed.reason {
            case .exhausted(let family, _, _):
                guard let pool = pools.index(of: passed.pool) else { continue }
                blockers.insert(.space(pool: pool, family))
                if let sharing = request.sharing { blockers.insert(.sharing(sharing)) }
            case .addressUnavailable(let address, _):
                blockers.insert(.address(address))
            case .autoAssignOff, .pinnedToOthers, .noAddresses: continue
            }
        }
        waiting.wait(request.service, for: blockers)
    }

    private func decision(
        on request: AllocationRequest, _ review: Review, _ resolution: Resolution,
        reclaimed: [IPAddress]
    ) -> AllocationDecision {
        let chosen = resolution.chosen
        let lost = review.before.filter { !chosen.contains($0) }
        var causes = review.causes
        if let cause = resolution.cause,
            lost.contains(where: { review.kept.contains($0) })
        {
            causes.append(cause)
        }
        let addresses = chosen.ordered(by: request.families.families)
        guard let first = addresses.first else {
            var refusal =
                resolution.unmet ?? Refusal(reason: .noPoolServes, passedOver: [])
            refusal.lost = lost
            refusal.causes = causes
            return .refused(refusal)
        }
        let gained = addresses.contains { !review.before.contains($0) }
        let isRetained = !review.before.contains(first) && reclaimed.contains(first)
        let assignment = Assignment(
            addresses: addresses.map {
                AssignedAddress(address: $0, pool: pool(of: $0) ?? "")
            },
            rule: isRetained ? .retained : rule(for: first, request),
            passedOver: resolution.passedOver, unmet: resolution.unmet)
        if !lost.isEmpty { return .moved(from: review.before, to: assignment, causes: causes) }
        return gained ? .assigned(assignment) : .kept(assignment)
    }

    /// The rule by which the pool of an address is the right one for the request.
    private func rule(for address: IPAddress, _ request: AllocationRequest) -> PoolRule {
        if request.requestedAddresses.contains(address) { return .requestedAddress }
        guard let index = pools.pool(of: address) else { return .heldBefore }
        let pool = pools.entries[index].pool
        // A requested address chooses the pool for the other family, too.
        if request.requestedAddresses.contains(where: { pools.pool(of: $0) == index }) {
            return .requestedAddress
        }
        if pool.name == request.requestedPool { return .requestedPool }
        guard pool.autoAssign else { return .heldBefore }
        return pool.isPinned ? .pinned(priority: pool.priority) : .autoAssign
    }
}
