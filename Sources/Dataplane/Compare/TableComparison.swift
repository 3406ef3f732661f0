import NetworkTypes

/// How the table that the kernel has differs from the one that it should have, and what makes it
/// whole again.
///
/// What is right stays untouched, so that counters and clients' affinity live on.
public struct TableComparison: Equatable, Sendable {
    /// What has to be done.
    public enum Remedy: Equatable, Sendable {
        /// Nothing: the kernel has what it should have.
        case none
        /// This difference.
        case repair(RulesetDiff)
        /// The whole table has to be replaced, for this reason.
        case replacement(String)
    }

    /// What was found, by kind.
    public struct Findings: Hashable, Sendable {
        /// Chains that are missing.
        public internal(set) var missingChains = 0
        /// Chains whose rules are not what they should be.
        public internal(set) var changedChains = 0
        /// Chains and sets that are nobody's.
        public internal(set) var foreignObjects = 0
        /// Sets that are missing.
        public internal(set) var missingSets = 0
        /// Elements that are missing.
        public internal(set) var missingElements = 0
        /// Elements that lead elsewhere.
        public internal(set) var changedElements = 0
        /// Elements that should not be there.
        public internal(set) var foreignElements = 0
    }

    /// What has to be done.
    public private(set) var remedy = Remedy.none
    /// What was found.
    public private(set) var findings = Findings()

    /// Compares what the kernel told with what `ruleset` says.
    public init(_ table: KernelTable, with ruleset: Ruleset) {
        if let reason = Self.unlikeness(table, ruleset) {
            remedy = .replacement(reason)
            return
        }
        let whole = ruleset.installation
        var diff = RulesetDiff()
        diff.options = ruleset.options
        compareSets(table, whole, &diff)
        compareChains(table, whole, &diff)
        if case .replacement = remedy { return }
        compareElements(table, whole, &diff)
        if !diff.isEmpty { remedy = .repair(diff) }
    }

    /// Why the table cannot be repaired piece by piece.
    private static func unlikeness(_ table: KernelTable, _ ruleset: Ruleset) -> String? {
        if !table.isPresent { return "it was not there" }
        if table.isDormant { return "somebody switched it off" }
        if table.isTooLarge { return "it holds more than a table of ours can" }
        if table.layout != NftablesBatch.layout(ruleset.options) {
            return "another version, or other options, made it"
        }
        if let set = table.unreadable.min() { return "set \(set) holds what is none of ours" }
        return nil
    }

    private mutating func compareSets(
        _ table: KernelTable, _ whole: RulesetDiff, _ diff: inout RulesetDiff
    ) {
        var foreign = Set(table.sets.keys)
        for set in whole.addedSets where foreign.remove(set.name) == nil {
            diff.addedSets.append(set)
        }
        // Maps of endpoints only come: one that is not in use yet is of a former process.
        diff.removedSets = foreign.filter { name in
            if case .endpoints?? = table.sets[name] { false } else { true }
        }.sorted()
        findings.missingSets = diff.addedSets.count
        findings.foreignObjects += diff.removedSets.count
    }

    private mutating func compareChains(
        _ table: KernelTable, _ whole: RulesetDiff, _ diff: inout RulesetDiff
    ) {
        var foreign = Set(table.chains.keys)
        for chain in whole.addedChains {
            guard foreign.remove(chain.name) != nil, let found = table.chains[chain.name] else {
                diff.addedChains.append(chain)
                diff.writtenChains.append(chain)
                continue
            }
            guard found.place == chain.hook.map(KernelTable.Place.init) else {
                remedy = .replacement("chain \(chain.name) is at another place")
                return
            }
            if found.rules != chain.rules.map({ RuleDigest($0) }) {
                diff.writtenChains.append(chain)
                findings.changedChains += 1
            }
        }
        diff.removedChains = foreign.sorted()
        findings.missingChains = diff.addedChains.count
        findings.foreignObjects += diff.removedChains.count
    }

    private mutating func compareElements(
        _ table: KernelTable, _ whole: RulesetDiff, _ diff: inout RulesetDiff
    ) {
        var right = 0
        for element in whole.addedElements {
            switch table.elements[element.key] {
            case element.value?: right += 1
            case let value?:
                diff.removedElements.append(SetElement(element.key, value))
                diff.addedElements.append(element)
                findings.changedElements += 1
            case nil:
                diff.addedElements.append(element)
                findings.missingElements += 1
            }
        }
        // What was not looked for is looked for only when there is any.
        guard table.elements.count > right + findings.changedElements else { return }
        let wanted = Set(whole.addedElements.map(\.key))
        let stray = table.elements.filter { !wanted.contains($0.key) }
        diff.removedElements += stray.map { SetElement($0.key, $0.value) }
        findings.foreignElements = stray.count
    }
}

extension KernelTable.Place {
    fileprivate init(_ hook: RuleChain.Hook) {
        self.init(number: hook.number, priority: hook.priority, type: hook.type)
    }
}

extension TableComparison.Findings: CustomStringConvertible {
    /// In words: "2 elements missing, 1 chain changed".
    public var description: String {
        let parts = [
            (missingChains, "chain", "missing"), (changedChains, "chain", "changed"),
            (missingSets, "set", "missing"), (foreignObjects, "chain or set", "foreign"),
            (missingElements, "element", "missing"), (changedElements, "element", "changed"),
            (foreignElements, "element", "foreign"),
        ].filter { $0.0 > 0 }
        guard !parts.isEmpty else { return "nothing" }
        return parts.map { count, noun, what in
            let nouns = count == 1 ? noun : noun == "chain or set" ? "chains or sets" : noun + "s"
            return "\(count) \(nouns) \(what)"
        }.joined(separator: ", ")
    }
}
