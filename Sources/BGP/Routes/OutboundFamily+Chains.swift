// MARK: Chains

extension OutboundFamily {
    func target(of slot: UInt32) -> UInt32 {
        let route = store[slot].route
        return route == Chain.none ? Chain.none : targets[Int(route)]
    }

    /// Takes a prefix out of the chain that its state puts it in.
    mutating func unchain(_ slot: UInt32) {
        let target = target(of: slot)
        if target == Chain.none {
            if store[slot].told != Chain.none { withdrawals.remove(slot, &links) }
        } else if store[slot].told != target || store[slot].isOwed {
            chains[Int(target)].remove(slot, &links)
            announcing -= 1
            if chains[Int(target)].isEmpty { ready.remove(target, &readyLinks) }
        }
    }

    /// Puts a prefix into the chain that its state asks for, or gives its slot back.
    mutating func settle(_ slot: UInt32) {
        let target = target(of: slot)
        let state = store[slot]
        var isOwed = state.isOwed && target != Chain.none
        // What the peer has nothing of belongs to the initial table also when it came late: the
        // peer may still have it from before a restart, and End-of-RIB would take it away.
        if case .initial = transfer, target != Chain.none, state.told == Chain.none {
            isOwed = true
        }
        if isOwed != state.isOwed {
            store[slot].isOwed = isOwed
            owed += isOwed ? 1 : -1
        }
        if target == Chain.none {
            if state.told != Chain.none {
                withdrawals.append(slot, &links)
            } else if state.route == Chain.none {
                store.remove(slot)
                if store.bound == 0 { links = [] }
            }
        } else if state.told != target || isOwed {
            if chains[Int(target)].isEmpty { ready.append(target, &readyLinks) }
            chains[Int(target)].append(slot, &links)
            announcing += 1
        }
    }

    mutating func unchainAll() {
        withdrawals = Chain()
        ready = Chain()
        announcing = 0
        for number in chains.indices { chains[number] = Chain() }
    }
}
