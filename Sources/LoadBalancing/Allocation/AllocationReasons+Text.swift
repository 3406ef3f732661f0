import NetworkTypes

extension IPAddress.Family {
    /// The family's name as operators write it.
    var label: String { self == .ipv4 ? "IPv4" : "IPv6" }
}

extension PoolRule: CustomStringConvertible {
    /// The rule in a few words.
    public var description: String {
        switch self {
        case .requestedAddress: "requested address"
        case .requestedPool: "annotation"
        case .pinned(let priority):
            priority == 0 ? "pinned, no priority" : "pinned, priority \(priority)"
        case .autoAssign: "auto-assign, first by name"
        case .heldBefore: "held since before the pool stopped auto-assigning"
        case .retained: "retained from the deleted Service of the same name"
        }
    }
}

extension PassOverReason: CustomStringConvertible {
    /// What is in the way, and the way out.
    public var description: String {
        switch self {
        case .autoAssignOff:
            "autoAssign is off; ask for the pool by annotation, or set autoAssign: true"
        case .pinnedToOthers:
            "serviceAllocation does not match this Service; widen its namespaces or selectors"
        case .noAddresses(let family):
            "it has no \(family.label) addresses; add a range, or change the Service's ipFamilies"
        case .exhausted(let family, let assigned, let reserved):
            "no \(family.label) address is free (\(assigned) assigned, \(reserved) reserved); "
                + "add a range, or delete a Service"
        case .addressUnavailable(let address, let conflict):
            "\(address) cannot be had: \(conflict)"
        }
    }
}

extension PassedOverPool: CustomStringConvertible {
    /// `pool NAME: reason`.
    public var description: String { "pool \(pool): \(reason)" }
}

extension AddressConflict: CustomStringConvertible {
    /// What is in the way, and the way out.
    public var description: String {
        switch self {
        case .held(let service):
            "\(service) has it to itself; choose another address, or let both share one key"
        case .shared(let key):
            "it is shared under the key \"\(key)\"; annotate this Service with that key to join"
        case .keyDiffers(let theirs, let ours):
            "it is shared under the key \"\(theirs)\", not \"\(ours)\"; use the same key to join"
        case .backendsDiffer(let key):
            "sharers of \"\(key)\" have other backends; use externalTrafficPolicy Cluster "
                + "for all, or the same selector"
        case .portClash(let port, let service):
            "\(service) listens on \(port) there; use another port, or another key"
        case .reserved(let service):
            "it is reserved for the deleted \(service); wait, or lower the pool's retention"
        }
    }
}

extension RefusalReason: CustomStringConvertible {
    /// What is in the way, and the way out.
    public var description: String {
        switch self {
        case .noFamily:
            "the Service has no ipFamilies, so there is nothing to give; set spec.ipFamilies"
        case .wrongFamily(let address, let wanted):
            "\(address) is \(address.family.label) but the Service is "
                + wanted.map(\.label).joined(separator: " and ")
                + "; change the address or ipFamilies"
        case .twoOfOneFamily(let first, let second):
            "\(first) and \(second) are both \(first.family.label); ask for one of each family"
        case .twoPools(let first, let second):
            "\(first.address) is in pool \(first.pool) and \(second.address) in pool "
                + "\(second.pool); ask for two of one pool"
        case .outsideEveryPool(let address):
            "no pool holds \(address); add it to a pool, or ask for another address"
        case .avoidedAddress(let address, let pool):
            "pool \(pool) leaves \(address) out; set avoidBuggyIPs: false, or ask for another"
        case .notInRequestedPool(let found, let requested):
            "\(found.address) is in pool \(found.pool), not in \(requested); "
                + "change the address or the pool annotation"
        case .addressUnavailable(let address, let conflict):
            "\(address) cannot be had: \(conflict)"
        case .unknownPool(let name):
            "there is no pool \(name); create it, or correct the annotation"
        case .pinnedToOthers(let pool):
            "pool \(pool) is kept for other Services; widen its serviceAllocation"
        case .noPools:
            "there are no pools; create an IPAddressPool"
        case .noPoolServes:
            "no pool can serve"
        case .familyMissing(let family, let pool):
            "pool \(pool) of the other address has no \(family.label) address to give"
        }
    }
}

extension Refusal: CustomStringConvertible {
    /// The reason, then each pool with its own.
    public var description: String {
        ([reason.description] + passedOver.map(\.description)).joined(separator: "; ")
    }
}

extension MoveCause: CustomStringConvertible {
    /// What happened to the address.
    public var description: String {
        switch self {
        case .familyNotWanted(let address):
            "\(address): the Service no longer wants \(address.family.label)"
        case .surplus(let address):
            "\(address): a Service has one \(address.family.label) address, and this is a second"
        case .outsideEveryPool(let address):
            "\(address): no pool holds it any more"
        case .avoidedAddress(let address, let pool):
            "\(address): pool \(pool) now leaves .0 and .255 out (avoidBuggyIPs)"
        case .pinnedToOthers(let address, let pool):
            "\(address): pool \(pool) is now kept for other Services (serviceAllocation)"
        case .conflict(let address, let conflict):
            "\(address): \(conflict)"
        case .addressRequested(let addresses):
            "the Service now asks for " + addresses.map(\.description).joined(separator: ", ")
        case .poolRequested(let pool):
            "the Service now asks for pool \(pool)"
        case .bothFamiliesRequired(let pool):
            "the Service requires both families, and pool \(pool) has them"
        }
    }
}
