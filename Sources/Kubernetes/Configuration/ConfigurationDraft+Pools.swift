import NetworkTypes

extension ConfigurationDraft {
    mutating func admit(_ pool: IPAddressPool, _ entry: Entry) -> [Problem] {
        var refusal: [Problem] = []
        for (index, range) in pool.addresses.enumerated() {
            guard let other = firstOverlap(range) else { continue }
            refusal.append(
                entry.problem(
                    .error, field: "spec.addresses[\(index)]",
                    rule: "\(range) overlaps \(other.range) of IPAddressPool"
                        + " \(namespace)/\(other.pool)",
                    remedy: "give every address to one pool only"))
        }
        guard refusal.isEmpty else { return refusal }
        for range in pool.addresses {
            ranges.insert((range, pool.name), at: place(after: range.last))
        }
        configuration.pools[pool.name] = pool
        return []
    }

    /// The admitted range that shares an address with `range`. Since admitted ranges do not
    /// overlap, only the last one that starts at or below its end can.
    private func firstOverlap(_ range: AddressRange) -> (range: AddressRange, pool: String)? {
        let place = place(after: range.last)
        guard place > 0, ranges[place - 1].range.overlaps(range) else { return nil }
        return ranges[place - 1]
    }

    /// How many admitted ranges start at or below the address.
    private func place(after address: IPAddress) -> Int {
        var low = 0
        var high = ranges.count
        while low < high {
            let middle = (low + high) / 2
            if ranges[middle].range.first <= address { low = middle + 1 } else { high = middle }
        }
        return low
    }

    mutating func admit(_ advertisement: L2Advertisement, _ entry: Entry) -> [Problem] {
        let refusal = checkPools(advertisement, entry)
        guard refusal.isEmpty else { return refusal }
        configuration.l2Advertisements[advertisement.metadata.name.name] = advertisement
        warnIfEmpty(advertisement, entry)
        return []
    }

    /// Reports names of pools that are not there. The advertisement is refused only when nothing
    /// of its selection is left: a typing error must not silence its other pools, and a list that
    /// lost all its names must never come to mean every pool.
    mutating func checkPools(_ advertisement: some PoolSelection, _ entry: Entry) -> [Problem] {
        var unknown: [Problem] = []
        for (index, name) in advertisement.ipAddressPools.enumerated()
        where configuration.pools[name] == nil {
            let field = "spec.ipAddressPools[\(index)]"
            if isKnown(.pool, name) {
                problems.append(
                    entry.problem(
                        .warning, field: field,
                        rule: "pool \(name) is refused itself; not announced",
                        remedy: "correct what is reported for IPAddressPool \(namespace)/\(name)"))
            } else {
                unknown.append(
                    entry.problem(
                        .error, field: field, rule: "there is no pool \(name)",
                        remedy: remedy(forUnknown: name, .pool)))
            }
        }
        let nothingIsLeft =
            unknown.count == advertisement.ipAddressPools.count
            && advertisement.ipAddressPoolSelectors.isEmpty
        if nothingIsLeft { return unknown }
        problems += unknown
        return []
    }

    mutating func warnIfEmpty(_ advertisement: some PoolSelection, _ entry: Entry) {
        guard !configuration.pools.values.contains(where: { advertisement.selects($0) }) else {
            return
        }
        problems.append(
            entry.problem(
                .warning, rule: "selects no pool, so it announces nothing",
                remedy: configuration.pools.isEmpty
                    ? "add an IPAddressPool"
                    : "correct ipAddressPools or ipAddressPoolSelectors"))
    }
}
