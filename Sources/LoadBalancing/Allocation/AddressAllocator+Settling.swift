import NetworkTypes

/// Moving in and out: the one place where records, free space and the waiting list change.
extension AddressAllocator {
    /// What an address is used for.
    func use(of address: IPAddress) -> AddressUse {
        if tenancy.isOccupied(address) { return .assigned }
        return reservations.isReserved(address) ? .reserved : .free
    }

    /// Brings the pool up to date after an address may have changed its use.
    mutating func follow(_ address: IPAddress, from old: AddressUse) {
        guard let pool = pools.pool(of: address) else { return }
        let new = use(of: address)
        pools.entries[pool].spaces[address.family].change(address, from: old, to: new)
        guard new == .free, old != .free else { return }
        waiting.open(.address(address))
        waiting.open(.space(pool: pool, address.family))
    }

    /// Makes these the addresses of a Service, on these terms.
    mutating func settle(_ service: ServiceName, at new: AddressPair, _ newTerms: SharingTerms?) {
        let old = holdings[service] ?? .none
        let oldTerms = terms[service]
        if old == new, oldTerms == newTerms { return }
        for family in IPAddress.Family.allCases {
            let isSame = old[family] == new[family]
            if isSame, oldTerms == newTerms { continue }
            if let address = old[family] {
                exchange(
                    service, at: address, leaving: true, oldTerms, entering: isSame, newTerms)
            }
            if !isSame, let address = new[family] {
                exchange(
                    service, at: address, leaving: false, oldTerms, entering: true, newTerms)
            }
        }
        holdings[service] = new.isEmpty ? nil : new
        terms[service] = new.isEmpty ? nil : newTerms
    }

    /// Moves a Service out of an address, into it, or, on new terms, both at once.
    private mutating func exchange(
        _ service: ServiceName, at address: IPAddress,
        leaving: Bool, _ oldTerms: SharingTerms?, entering: Bool, _ newTerms: SharingTerms?
    ) {
        let before = use(of: address)
        let pool = pools.pool(of: address)
        if leaving {
            tenancy.leave(address, service, oldTerms)
            if let pool, let oldTerms {
                pools.entries[pool].spaces[address.family].leave(address, oldTerms)
                waiting.open(.sharing(oldTerms.key))
            }
            waiting.open(.address(address))
        }
        if entering {
            tenancy.enter(address, service, newTerms)
            if let pool, let newTerms {
                pools.entries[pool].spaces[address.family].join(address, newTerms)
                waiting.open(.sharing(newTerms.key))
            }
            waiting.open(.address(address))
        }
        follow(address, from: before)
    }

    /// Ends the reservation of a Service, if there is one.
    mutating func endReservation(of service: ServiceName) {
        guard let entry = reservations.entries[service] else { return }
        let before = entry.addresses.map { use(of: $0) }
        let freed = reservations.remove(service)
        for (address, old) in zip(freed, before) { follow(address, from: old) }
    }
}
