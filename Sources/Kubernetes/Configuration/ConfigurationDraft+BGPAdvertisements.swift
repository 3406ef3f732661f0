import NetworkTypes

extension ConfigurationDraft {
    mutating func admit(_ community: Community, _ entry: Entry) -> [Problem] {
        var refusal: [Problem] = []
        for (index, alias) in community.aliases.enumerated() {
            let field = "spec.communities[\(index)].name"
            if let owner = aliasOwners[alias.name] {
                refusal.append(
                    entry.problem(
                        .error, field: field,
                        rule: "community name \(alias.name) is already defined by \(owner)",
                        remedy: "names are unique in the cluster: choose another one"))
            } else if let known = BGPCommunity.wellKnown[alias.name], known != alias.value {
                problems.append(
                    entry.problem(
                        .warning, field: field,
                        rule: "\(alias.name) is the well-known community \(known),"
                            + " but stands for \(alias.value) here",
                        remedy: "choose another name, unless this is meant"))
            }
        }
        guard refusal.isEmpty else { return refusal }
        for alias in community.aliases {
            aliasOwners[alias.name] = entry.object.reference
            configuration.communities[alias.name] = alias.value
        }
        return []
    }

    mutating func admit(
        _ advertisement: BGPAdvertisement, _ entry: Entry, _ isIncumbent: Bool
    ) -> [Problem] {
        var advertisement = advertisement
        var refusal = checkPools(advertisement, entry)
        refusal += checkPeers(advertisement, entry)
        refusal += checkCommunities(advertisement, entry, isIncumbent)
        guard refusal.isEmpty else { return refusal }

        let selected = configuration.pools.values.filter { advertisement.selects($0) }
            .sorted { $0.name < $1.name }
        let rivals = rivals(of: advertisement)
        var exclusions: [Problem] = []
        for pool in selected {
            let found =
                tooWide(advertisement, pool, entry) + clash(advertisement, rivals, pool, entry)
            guard !found.isEmpty else { continue }
            exclusions += found
            advertisement.excludedPools.append(pool.name)
        }
        if !selected.isEmpty, advertisement.excludedPools.count == selected.count {
            return exclusions
        }
        problems += exclusions
        configuration.bgpAdvertisements[advertisement.metadata.name.name] = advertisement
        warnIfEmpty(advertisement, entry)
        return []
    }

    /// A block must not be wider than what an entry of a pool's addresses spans, or it would draw
    /// traffic for addresses that are not ours.
    private func tooWide(
        _ advertisement: BGPAdvertisement, _ pool: IPAddressPool, _ entry: Entry
    ) -> [Problem] {
        pool.addresses.enumerated().compactMap { index, range in
            let length = advertisement.blockLength(range.family)
            guard length < range.family.bitWidth,
                let widest = range.prefixes.map(\.length).min(), length < widest
            else { return nil }
            return entry.problem(
                .error,
                field: range.family == .ipv4
                    ? "spec.aggregationLength" : "spec.aggregationLengthV6",
                rule: "blocks of /\(length) are wider than \(range), spec.addresses[\(index)]"
                    + " of IPAddressPool \(namespace)/\(pool.name), whose widest block is"
                    + " /\(widest); this pool is not announced",
                remedy: "use \(widest) or more, or leave the pool out")
        }
    }

    /// The admitted advertisements that would give another localPref to a route that both make,
    /// whatever the pool: same peer, Service and node. By name.
    private func rivals(of advertisement: BGPAdvertisement) -> [BGPAdvertisement] {
        configuration.bgpAdvertisements.values.filter { other in
            (other.localPref ?? 0) != (advertisement.localPref ?? 0)
                && Self.meet(other.peers, advertisement.peers)
                && Self.meet(other.serviceSelectors, advertisement.serviceSelectors)
                && mayShareNode(other.nodeSelectors, advertisement.nodeSelectors)
        }
        .sorted { $0.metadata.name < $1.metadata.name }
    }

    /// One route cannot carry two preferences.
    private func clash(
        _ advertisement: BGPAdvertisement, _ rivals: [BGPAdvertisement], _ pool: IPAddressPool,
        _ entry: Entry
    ) -> [Problem] {
        let rival = rivals.first { rival in
            rival.selects(pool)
                && pool.addresses.contains { range in
                    rival.blockLength(range.family) == advertisement.blockLength(range.family)
                }
        }
        guard let rival else { return [] }
        return [
            entry.problem(
                .error, field: "spec.localPref",
                rule: "localPref \(advertisement.localPref ?? 0) differs from"
                    + " \(rival.localPref ?? 0) of BGPAdvertisement \(rival.metadata.name) for"
                    + " the same pool \(pool.name), aggregation, peer and node;"
                    + " this pool is not announced by it",
                remedy: "use one localPref, or select different pools, peers or nodes")
        ]
    }

    /// Whether two lists, of which an empty one means everything, have something in common.
    private static func meet<Element: Equatable>(_ left: [Element], _ right: [Element]) -> Bool {
        left.isEmpty || right.isEmpty || left.contains(where: right.contains)
    }

    private mutating func checkPeers(
        _ advertisement: BGPAdvertisement, _ entry: Entry
    ) -> [Problem] {
        var unknown: [Problem] = []
        for (index, name) in advertisement.peers.enumerated()
        where configuration.bgpPeers[name] == nil {
            let field = "spec.peers[\(index)]"
            if isKnown(.bgpPeer, name) {
                problems.append(
                    entry.problem(
                        .warning, field: field,
                        rule: "peer \(name) is refused itself; nothing is announced to it",
                        remedy: "correct what is reported for BGPPeer \(namespace)/\(name)"))
            } else {
                unknown.append(
                    entry.problem(
                        .error, field: field, rule: "there is no peer \(name)",
                        remedy: remedy(forUnknown: name, .bgpPeer)))
            }
        }
        if unknown.count == advertisement.peers.count { return unknown }
        problems += unknown
        return []
    }

    /// A route without a community that was asked for may go where it must not, so the whole
    /// advertisement is refused.
    private mutating func checkCommunities(
        _ advertisement: BGPAdvertisement, _ entry: Entry, _ isIncumbent: Bool
    ) -> [Problem] {
        var refusal: [Problem] = []
        for (index, reference) in advertisement.communities.enumerated() {
            guard case .name(let name) = reference, configuration.value(of: reference) == nil
            else { continue }
            let names = Array(configuration.communities.keys) + BGPCommunity.wellKnown.keys
            let near = NearestName.suggestion(for: name, among: names).map { "did you mean \($0)?" }
            let problem = entry.problem(
                .error, field: "spec.communities[\(index)]",
                rule: "there is no community \(name)",
                remedy: near ?? "write a:b, large:a:b:c, or add a Community that defines it")
            if isIncumbent, let value = previous.communities[name] {
                configuration.communities[name] = value
                problems.append(problem)
            } else {
                refusal.append(problem)
            }
        }
        return refusal
    }
}
