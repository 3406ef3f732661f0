// MARK: The session

extension OutboundFamily {
    mutating func establish(_ session: OutboundSession) {
        end()
        self.session = session
        guard session.parameters.families.contains(family) else { return }
        transfer = .initial
        retarget()
    }

    mutating func end() {
        session = nil
        transfer = .none
        isRefreshAsked = false
        unchainAll()
        attributes = Numbered()
        forms = []
        chains = []
        readyLinks = []
        for number in targets.indices { targets[number] = Chain.none }
        figures.told = 0
        for slot in 0..<UInt32(store.bound) where Int(slot) < store.bound {
            guard store.isInUse(slot) else { continue }
            store[slot].told = Chain.none
            store[slot].isOwed = false
            settle(slot)
        }
        owed = 0
    }

    /// Takes over a session that differs from the present one in the next hops or the mark.
    mutating func update(_ session: OutboundSession) {
        let hasChanged =
            self.session?.nextHops[family] != session.nextHops[family]
            || self.session?.isGoingAway != session.isGoingAway
        self.session = session
        if hasChanged { retarget() }
    }

    /// Works out anew which attributes each route has, and what is pending therefore.
    private mutating func retarget() {
        unchainAll()
        let old = targets
        for number in targets.indices {
            targets[number] = routes[UInt32(number)].map { target($0) } ?? Chain.none
        }
        for number in old { forget(number) }
        for slot in 0..<UInt32(store.bound) where store.isInUse(slot) { settle(slot) }
    }

    mutating func refresh() {
        guard let session, session.parameters.families.contains(family) else { return }
        // RFC 7313 §4: no BoRR before the End-of-RIB; and one answer at a time bounds the work that
        // a peer can ask for.
        if case .none = transfer { beginRefresh() } else { isRefreshAsked = true }
    }

    mutating func beginRefresh() {
        isRefreshAsked = false
        transfer = .refresh(isBegun: session?.parameters.hasEnhancedRouteRefresh != true)
        figures.refreshes += 1
        for slot in 0..<UInt32(store.bound)
        where target(of: slot) != Chain.none && !store[slot].isOwed {
            unchain(slot)
            store[slot].isOwed = true
            owed += 1
            settle(slot)
        }
    }

    /// The attributes that a route has in this session, with one use more; none without a session
    /// or where there is an obstacle.
    mutating func target(_ route: Route) -> UInt32 {
        guard let session, session.obstacle(for: family) == nil else { return Chain.none }
        guard UpdateForm.hasRoom(for: route, family, session) else { return Chain.none }
        let meant = session.attributes(of: route, family)
        let number = attributes.retain(meant)
        if attributes.uses(of: number) == 1 {
            let form = UpdateForm(meant, family, session)
            if forms.count < attributes.bound {
                forms.append(form)
                chains.append(Chain())
                readyLinks.append(Chain.Links())
            } else {
                forms[Int(number)] = form
            }
        }
        return number
    }

    /// One use of attributes less. The bytes of those that nobody uses stay until others need
    /// their place.
    mutating func forget(_ number: UInt32) {
        if number != Chain.none { attributes.release(number) }
    }

    /// Notes that the peer now has these attributes, or nothing, of a prefix in no chain.
    mutating func note(_ slot: UInt32, told number: UInt32) {
        let old = store[slot].told
        if store[slot].isOwed {
            store[slot].isOwed = false
            owed -= 1
        }
        if number == Chain.none { figures.withdrawals += 1 } else { figures.announcements += 1 }
        guard old != number else { return }
        store[slot].told = number
        if number != Chain.none { attributes.retain(number: number) }
        figures.told += (number == Chain.none ? 0 : 1) - (old == Chain.none ? 0 : 1)
        forget(old)
    }
}
