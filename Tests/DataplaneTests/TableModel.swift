import Dataplane
import NetworkTypes

/// A table as the kernel would have it: differences are applied in their order, and whatever the
/// kernel would refuse is recorded.
struct TableModel {
    var sets: Set<NamedSet> = []
    private(set) var chains: [String: [Rule]] = [:]
    private(set) var elements: [SetElement.Key: SetElement.Value] = [:]
    private(set) var refusals: [String] = []
    /// How many rules and elements lead to each chain.
    private var entrances: [String: Int] = [:]
    /// How many expressions use each set.
    private var uses: [NamedSet: Int] = [:]

    mutating func apply(_ diff: RulesetDiff) {
        if diff.replacesTable { self = TableModel() }
        var (targets, users) = (Set<String>(), Set<NamedSet>())
        for set in diff.addedSets where !sets.insert(set).inserted {
            refusals.append("set \(set.name) exists")
        }
        for chain in diff.addedChains where chains.updateValue([], forKey: chain.name) != nil {
            refusals.append("chain \(chain.name) exists")
        }
        apply(elementsOf: diff, &targets)
        for chain in diff.writtenChains {
            if !write(chain.rules, to: chain.name, &targets, &users) {
                refusals.append("no chain \(chain.name)")
            }
        }
        for name in diff.removedChains {
            if !write([], to: name, &targets, &users) { refusals.append("no chain \(name)") }
            chains[name] = nil
            targets.insert(name)
        }
        for name in diff.removedSets {
            guard let set = NamedSet(name: name), sets.remove(set) != nil else {
                refusals.append("no set \(name)")
                continue
            }
            users.insert(set)
        }
        // What was right before, and was not touched, is right.
        for set in users where uses[set, default: 0] > 0 && !sets.contains(set) {
            refusals.append("a rule uses \(set.name)")
        }
        for chain in targets where entrances[chain, default: 0] > 0 && chains[chain] == nil {
            refusals.append("nothing at \(chain)")
        }
    }

    private mutating func apply(elementsOf diff: RulesetDiff, _ targets: inout Set<String>) {
        for element in diff.removedElements {
            let former = elements.removeValue(forKey: element.key)
            if former != element.value { refusals.append("no element \(element)") }
            if case .goto(let chain)? = former { entrances[chain, default: 0] -= 1 }
        }
        for element in diff.addedElements {
            if !sets.contains(element.key.set) { refusals.append("no set for \(element)") }
            let former = elements.updateValue(element.value, forKey: element.key)
            if former != nil { refusals.append("element \(element) exists") }
            if case .goto(let chain)? = former { entrances[chain, default: 0] -= 1 }
            if case .goto(let chain) = element.value {
                entrances[chain, default: 0] += 1
                targets.insert(chain)
            }
        }
    }

    /// Whether the chain is there.
    private mutating func write(
        _ rules: [Rule], to name: String, _ targets: inout Set<String>,
        _ users: inout Set<NamedSet>
    ) -> Bool {
        guard let former = chains.updateValue(rules, forKey: name) else {
            chains[name] = nil
            return false
        }
        for (rules, change) in [(former, -1), (rules, 1)] {
            for expression in rules.joined() {
                switch expression {
                case .isMember(_, let set), .dispatch(_, let set), .find(_, let set, _),
                    .remember(_, _, let set, _), .forget(_, _, let set):
                    uses[set, default: 0] += change
                    users.insert(set)
                case .verdict(.goto(let chain)), .verdict(.jump(let chain)):
                    entrances[chain, default: 0] += change
                    targets.insert(chain)
                default: break
                }
            }
        }
        return true
    }

    /// Whether this is what an installation makes. It is cheaper than to make it and compare.
    func isMade(by diff: RulesetDiff) -> Bool {
        diff.replacesTable && sets == Set(diff.addedSets) && refusals.isEmpty
            && chains.count == diff.writtenChains.count
            && elements.count == diff.addedElements.count
            && diff.writtenChains.allSatisfy { chains[$0.name] == $0.rules }
            && diff.addedElements.allSatisfy { elements[$0.key] == $0.value }
    }

    /// The chain that a packet to a frontend enters first.
    func entrance(_ key: SetElement.Key) -> String? {
        guard case .goto(let chain) = elements[key] else { return nil }
        return chain
    }

    /// The destinations in the slots that a chain's rules draw from.
    func destinations(of chain: String) -> [SetElement.Value] {
        let isIPv6 = chain.prefix { $0 != "/" }.hasSuffix("6")
        let family: IPAddress.Family = isIPv6 ? .ipv6 : .ipv4
        for rule in chains[chain] ?? [] {
            for expression in rule {
                switch expression {
                case .anyOf(let first, let count, _), .hash(_, _, _, let first, let count):
                    return (first..<first + count).compactMap {
                        rule.slots == nil
                            ? numbered(family, chain, $0) : elements[.slot(family, $0)]
                    }
                default: break
                }
            }
        }
        return []
    }

    private func numbered(
        _ family: IPAddress.Family, _ chain: String, _ slot: UInt32
    ) -> SetElement.Value? {
        guard case .number(let number)? = elements[.choice(family, chain: chain, slot)] else {
            return nil
        }
        return elements[.living(family, chain: chain, number)]
    }
}

extension TableModel: Equatable {
    static func == (left: Self, right: Self) -> Bool {
        left.sets == right.sets && left.chains == right.chains && left.elements == right.elements
            && left.refusals == right.refusals
    }
}
