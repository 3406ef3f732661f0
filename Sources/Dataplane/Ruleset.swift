import NetworkTypes

/// The whole table as it should be, and how it differs from what it was a moment ago.
///
/// `update(to:)` compares Service by Service: its cost grows with what changed, plus one equality
/// check for each Service that did not. ``update(only:)`` does without these.
///
/// An address and port belongs to one Service port: the one that had it first keeps it, the others
/// wait and are told of in ``clashes``. When the holder leaves, the next one gets it. What a former
/// process decided of that holds: see ``Adoption``.
public struct Ruleset: Sendable {
    /// A Service, whose ports change together.
    public struct ServiceKey: Hashable, Comparable, Sendable {
        let namespace: String
        let service: String

        /// Names a Service.
        public init(namespace: String, service: String) {
            self.namespace = namespace
            self.service = service
        }

        /// By namespace, then by name, as the chains of the table are.
        public static func < (left: Self, right: Self) -> Bool {
            (left.namespace, left.service) < (right.namespace, right.service)
        }
    }

    struct Entry: Sendable {
        let service: ServiceChain
        let rules: ServiceRules
    }

    private(set) var entries: [Entry] = []
    private var claims: ElementClaims
    private var slots: SlotAllocator

    /// What was left out by the last update, by Service port.
    public private(set) var omissions: [ServiceChain.Identity: Omission] = [:]

    /// What the table has besides the Services' ways.
    public let options: Options

    /// An empty table: the chains that are always there, and no Service.
    ///
    /// - Parameter adopting: where the chains of a table that is in the kernel already have their
    ///   slots, and who has its entrances. They keep them if they come with the first
    ///   ``update(to:)``.
    public init(options: Options = Options(), adopting: Adoption = Adoption()) {
        self.options = options
        slots = SlotAllocator(adopting: adopting)
        claims = ElementClaims(inherited: adopting.holders)
    }

    /// How many Service ports are in the table.
    public var count: Int { entries.count }

    /// How many endpoints of each family the Service ports in the table have.
    public private(set) var endpointCounts: [IPAddress.Family: Int] = [:]

    /// At most so many elements the Service ports in the table need.
    private var elementBound = 0
    /// At most so many of their chains remember clients.
    private var affineChainBound = 0

    /// Makes the table what `desired` says, and says what has to be done for that.
    public mutating func update(to desired: [ServiceChain]) -> RulesetDiff {
        let (wanted, omissions) = Self.admitted(desired)
        self.omissions = omissions
        let former = entries
        entries = []
        var diff = difference
        entries = replace(former, with: wanted, &diff)
        slots.releaseReserved()
        claims.forgetInheritance()
        return diff
    }

    /// Makes the table what it would be if nothing changed but these Services, each of which is to
    /// have these chains. `nil`, and nothing is done, when that cannot be told without the others:
    /// something is left out of the table, or would have to be.
    public mutating func update(only changes: [ServiceKey: [ServiceChain]]) -> RulesetDiff? {
        let keys = changes.keys.sorted()
        let wanted = keys.flatMap { changes[$0, default: []].sorted { $0.identity < $1.identity } }
        guard omissions.isEmpty, entries.count + wanted.count <= Self.maximumServicePorts,
            wanted.reduce(elementBound, { $0 + $1.elementBound }) <= Self.maximumElements,
            wanted.reduce(affineChainBound, { $0 + $1.affineChainBound })
                <= Self.maximumAffineChains,
            wanted.allSatisfy({
                $0.identity.isUsableName && $0.endpoints.count <= Self.maximumEndpoints
            }),
            zip(wanted, wanted.dropFirst()).allSatisfy({ $0.identity < $1.identity })
        else { return nil }
        let places = keys.map { place(of: $0) }
        var diff = difference
        var next = replace(places.flatMap { entries[$0] }, with: wanted, &diff)[...]
        // From the back, so that the places before stay where they are.
        for (key, place) in zip(keys, places).reversed() {
            let split = next.lastIndex { $0.service.identity.key != key } ?? next.startIndex - 1
            entries.replaceSubrange(place, with: next[(split + 1)...])
            next = next[...split]
        }
        return diff
    }

    /// Nothing to do yet.
    private var difference: RulesetDiff {
        var diff = RulesetDiff()
        diff.options = options
        return diff
    }

    /// Where the entries of a Service are, or would be.
    private func place(of key: ServiceKey) -> Range<Int> {
        var (low, high) = (0, entries.count)
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].service.identity.key < key {
                low = middle + 1
            } else {
                high = middle
            }
        }
        var end = low
        while end < entries.count, entries[end].service.identity.key == key { end += 1 }
        return low..<end
    }

    /// Puts what is wanted in the place of some entries; both are in the order of identities.
    private mutating func replace(
        _ entries: [Entry], with wanted: [ServiceChain], _ diff: inout RulesetDiff
    ) -> [Entry] {
        var next: [Entry] = []
        var changed: [(old: Entry?, new: Entry?)] = []
        var came: [SetElement] = []
        let shards = slots.shards.count
        next.reserveCapacity(wanted.count)
        var index = 0
        for service in wanted {
            while index < entries.count, entries[index].service.identity < service.identity {
                changed.append((entries[index], nil))
                index += 1
            }
            guard index < entries.count, entries[index].service.identity == service.identity else {
                guard service.identity.isUsableName else {
                    omissions[service.identity] = .unusableName
                    continue
                }
                let entry = come(service, &diff)
                came += entry.rules.elements
                changed.append((nil, entry))
                next.append(entry)
                continue
            }
            let old = entries[index]
            index += 1
            guard old.service != service else {
                next.append(old)
                continue
            }
            let rules = ServiceRules(service, options, former: old.rules.spreads, &slots)
            count(old.service, -1)
            count(service, 1)
            change(from: old.rules, to: rules, &diff)
            let entry = Entry(service: service, rules: rules)
            changed.append((old, entry))
            next.append(entry)
        }
        for entry in entries[index...] { changed.append((entry, nil)) }
        for case (let entry?, nil) in changed { leave(entry, &diff) }
        claims.claim(came)
        finish(&diff, changed)
        diff.addedSets += sets(from: shards)
        return next
    }

    /// What a Service port needs that was not there; its elements that others may want come later.
    private mutating func come(_ service: ServiceChain, _ diff: inout RulesetDiff) -> Entry {
        let rules = ServiceRules(service, options, former: [], &slots)
        count(service, 1)
        diff.addedSets += rules.sets
        diff.addedChains += rules.chains
        diff.writtenChains += rules.chains
        diff.addedElements += rules.spreads.flatMap(\.elements)
        return Entry(service: service, rules: rules)
    }

    private mutating func leave(_ entry: Entry, _ diff: inout RulesetDiff) {
        count(entry.service, -1)
        for element in entry.rules.elements { claims.release(element) }
        for spread in entry.rules.spreads {
            diff.removedElements += spread.elements
            if let run = spread.run { slots.release(run, spread.family) }
        }
        diff.removedChains += entry.rules.chains.reversed().map(\.name)
        diff.removedSets += entry.rules.sets.map(\.name)
    }

    private mutating func count(_ service: ServiceChain, _ change: Int) {
        for endpoint in service.endpoints {
            endpointCounts[endpoint.address.family, default: 0] += change
        }
        elementBound += change * service.elementBound
        affineChainBound += change * service.affineChainBound
    }

    /// What makes this table out of nothing, or out of whatever a former run left.
    public var installation: RulesetDiff {
        var diff = difference
        diff.replacesTable = true
        diff.addedSets =
            NamedSet.permanent(options) + sets(from: 0) + entries.flatMap(\.rules.sets)
        diff.addedChains = RuleChain.skeleton(options) + entries.flatMap(\.rules.chains)
        diff.writtenChains = diff.addedChains
        diff.addedElements = elements
        return diff
    }

    /// All that is in the sets.
    var elements: [SetElement] {
        var elements = claims.elements
        for entry in entries {
            for spread in entry.rules.spreads { elements += spread.elements }
        }
        return elements
    }

    private func sets(from shard: Int) -> [NamedSet] {
        slots.shards[shard...].enumerated().map {
            .endpoints($0.element, shard: UInt32(shard + $0.offset))
        }
    }

    /// Addresses and ports that several Service ports want. Telling costs nothing when there is
    /// none.
    public var clashes: [SetElement.Key: Clash] { claims.clashes }

    /// Whether an element of a Service port is in the table as it wants it.
    func isHeld(_ element: SetElement) -> Bool { claims.holder(of: element.key) == element.value }

    private mutating func change(
        from old: ServiceRules, to new: ServiceRules, _ diff: inout RulesetDiff
    ) {
        let formers = Dictionary(old.chains.map { ($0.name, $0) }, uniquingKeysWith: { $1 })
        for chain in new.chains {
            let former = formers[chain.name]
            if former == nil { diff.addedChains.append(chain) }
            if former != chain { diff.writtenChains.append(chain) }
        }
        let names = Set(new.chains.map(\.name))
        diff.removedChains += old.chains.reversed().map(\.name).filter { !names.contains($0) }
        diff.addedSets += new.sets.filter { !old.sets.contains($0) }
        diff.removedSets += old.sets.filter { !new.sets.contains($0) }.map(\.name)
        let vacated = Set(old.spreads.flatMap(\.elements))
        let filled = Set(new.spreads.flatMap(\.elements))
        diff.removedElements += vacated.subtracting(filled)
        diff.addedElements += filled.subtracting(vacated)
        guard old.elements != new.elements else { return }
        var came = Set(new.elements).subtracting(old.elements)
        let gone = Set(old.elements).subtracting(new.elements)
        for former in gone {
            // What only leads elsewhere keeps its place among those who want it.
            if let successor = came.first(where: { $0.key == former.key }) {
                came.remove(successor)
                claims.exchange(former, for: successor)
            } else {
                claims.release(former)
            }
        }
        for element in came { claims.claim(element) }
    }

    /// What becomes of what Services share, and which connections lead nowhere after that.
    private mutating func finish(
        _ diff: inout RulesetDiff, _ changed: [(old: Entry?, new: Entry?)]
    ) {
        let flushes = changed.flatMap { old, new in
            FlowFlush.between(old?.service, new?.service, tenure: tenure)
        }
        let (removed, added) = claims.settle()
        diff.removedElements += removed
        diff.addedElements += added
        // Whole addresses first: when there are too many, these cost others the most.
        for element in removed
        where element.value == .goto(RuleChain.loadBalancerAddress)
            && claims.holder(of: element.key) == nil
        {
            guard case .address(let address) = element.key else { continue }
            diff.flushes.append(FlowFlush(to: address))
        }
        diff.flushes += flushes
        diff.omittedFlushes = max(0, diff.flushes.count - FlowFlush.maximumPerUpdate)
        diff.flushes.removeLast(diff.omittedFlushes)
    }

    /// Whether a Service port has had an entrance over the change that is going on.
    private func tenure(
        _ key: SetElement.Key, _ owner: ServiceChain.Identity
    ) -> FlowFlush.Tenure {
        let name = "\(owner)"
        let former = claims.formerHolder(of: key)
        let hasHad = former?.owner.map { $0 == name } ?? false
        let has = claims.holder(of: key)?.owner.map { $0 == name } ?? false
        switch (hasHad, has) {
        case (true, true): return .stayed
        case (true, false): return .went
        // Where another had it before, that one's connections are forgotten as its own.
        case (false, true): return former == nil ? .came : .none
        case (false, false): return .none
        }
    }
}
