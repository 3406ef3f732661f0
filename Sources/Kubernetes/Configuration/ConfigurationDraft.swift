import NetworkTypes

/// A configuration while it is put together: admits one object after the other, each judged
/// against those admitted before.
struct ConfigurationDraft {
    typealias Entry = ConfigurationInput.Entry
    typealias Reference = ConfigurationObject.Reference

    let namespace: String
    let secrets: [ObjectName: Secret]
    let nodes: [Node]
    /// The configuration in force until now: what an unchanged object refers to may be taken
    /// from it when it is gone.
    let previous: Configuration
    /// Every object that is there, valid or not.
    let known: Set<Reference>

    var configuration = Configuration()
    var admitted: [Reference: Entry] = [:]
    /// What is worth saying of admitted objects.
    var problems: [Problem] = []
    /// The ranges of admitted pools, which never overlap, in order of address.
    var ranges: [(range: AddressRange, pool: String)] = []
    /// Which Community object defined an alias.
    var aliasOwners: [String: Reference] = [:]

    /// Admits the object, or says why not. Unchanged objects may go on using what they refer to
    /// when that has gone.
    mutating func admit(_ entry: Entry, isIncumbent: Bool) -> [Problem]? {
        let refusal: [Problem]
        switch entry.object {
        case .bfdProfile(let profile):
            refusal = admit(profile, entry, isIncumbent)
        case .community(let community):
            refusal = admit(community, entry)
        case .pool(let pool):
            refusal = admit(pool, entry)
        case .bgpPeer(let peer):
            refusal = admit(peer, entry, isIncumbent)
        case .l2Advertisement(let advertisement):
            refusal = admit(advertisement, entry)
        case .bgpAdvertisement(let advertisement):
            refusal = admit(advertisement, entry, isIncumbent)
        }
        guard refusal.isEmpty else { return refusal }
        admitted[entry.object.reference] = entry
        return nil
    }

    /// What only the whole shows: pools that nobody announces.
    func overallProblems() -> [Problem] {
        admitted.keys.sorted().compactMap { reference in
            guard let entry = admitted[reference], case .pool(let pool) = entry.object,
                !configuration.l2Advertisements.values.contains(where: { $0.selects(pool) }),
                !configuration.bgpAdvertisements.values.contains(where: { $0.selects(pool) })
            else { return nil }
            return entry.problem(
                .warning,
                rule: "no advertisement speaks of this pool:"
                    + " its addresses will be given, but nobody announces them",
                remedy: "add an L2Advertisement or a BGPAdvertisement that selects it")
        }
    }

    /// Whether objects with these selectors may act on one node at the same time. Where no nodes
    /// are known, only selections that meet for certain count.
    func mayShareNode(_ left: [LabelSelector], _ right: [LabelSelector]) -> Bool {
        if left.isEmpty || right.isEmpty || left.contains(where: right.contains) { return true }
        return nodes.contains { node in
            left.contains { $0.matches(node.metadata.labels) }
                && right.contains { $0.matches(node.metadata.labels) }
        }
    }

    /// Names of the given kind that are there, for suggestions.
    func names(of kind: ConfigurationObject.Kind) -> [String] {
        known.filter { $0.kind == kind }.map(\.name.name).sorted()
    }

    /// Whether the object is there, although it may have been refused.
    func isKnown(_ kind: ConfigurationObject.Kind, _ name: String) -> Bool {
        known.contains(Reference(kind: kind, name: ObjectName(namespace: namespace, name)))
    }

    /// How to get out of a reference to nothing.
    func remedy(forUnknown name: String, _ kind: ConfigurationObject.Kind) -> String {
        let others = names(of: kind)
        if let near = NearestName.suggestion(for: name, among: others) {
            return "did you mean \(near)?"
        }
        guard !others.isEmpty else { return "add \(kind.rawValue) \(namespace)/\(name)" }
        let shown = others.prefix(8).joined(separator: ", ") + (others.count > 8 ? ", …" : "")
        return "add \(kind.rawValue) \(namespace)/\(name), or name one that exists: \(shown)"
    }
}

extension ConfigurationInput.Entry {
    /// A problem of this object, at the line of the field where that is known.
    func problem(
        _ severity: Problem.Severity, field: String = "", rule: String, remedy: String
    ) -> Problem {
        Problem(
            severity, file: file, line: fieldLines[field] ?? line,
            object: object.reference.description, field: field, rule: rule, remedy: remedy)
    }
}
