import NetworkTypes

/// The whole table as it should be, and how it differs from what it was a moment ago.
///
/// `update(to:)` compares Service by Service: its cost grows with what changed, plus one equality
/// check for each Service that did not. ``update(only:)`` does without these.
///
/// An address and port belongs to one Service port: the one that had it first keeps it, the others
/// wait and are told of in ``clashes``. When the holder leaves, the next one gets it.
public struct Ruleset: Sendable {
    /// How many Service ports a table holds. Those beyond it, in the order of their identities, are
    /// left out and reported.
    public static let maximumServicePorts = 65_536

    /// How many endpoints one Service port spreads over. Those beyond it are left out and reported.
    public static let maximumEndpoints = 1_000

    /// Why something that was asked for is not, or not wholly, in the table.
    public enum Omission: Hashable, Sendable {
        /// The table is full.
        case tableFull
        /// So many endpoints were left out.
        case endpoints(Int)
        /// The names have characters that nf_tables does not take, or are too long.
        case unusableName
        /// Another chain has the same identity.
        case duplicate
    }

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

    /// Who wants an element: what it leads to, and what it would lead to for the others.
    private struct Claims: Sendable {
        var holder: SetElement.Value
        var waiting: [SetElement.Value] = []
    }

    private(set) var entries: [Entry] = []
    private var claims: [SetElement.Key: Claims] = [:]
    private var slots: SlotAllocator

    /// What was left out by the last update, by Service port.
    public private(set) var omissions: [ServiceChain.Identity: Omission] = [:]

    /// What the table has besides the Services' ways.
    public let options: Options

    /// An empty table: the chains that are always there, and no Service.
    ///
    /// - Parameter adopting: where the chains of a table that is in the kernel already have their
    ///   slots. They keep them if they come with the first ``update(to:)``.
    public init(options: Options = Options(), adopting: Adoption = Adoption()) {
        self.options = options
        slots = SlotAllocator(adopting: adopting)
    }

    /// How many Service ports are in the table.
    public var count: Int { entries.count }

    /// How many endpoints of each family the Service ports in the table have.
    public private(set) var endpointCounts: [IPAddress.Family: Int] = [:]

    /// Makes the table what `desired` says, and says what has to be done for that.
    public mutating func update(to desired: [ServiceChain]) -> RulesetDiff {
        let wanted = admitted(desired)
        let former = entries
        entries = []
        var diff = difference
        entries = replace(former, with: wanted, &diff)
        slots.releaseReserved()
        return diff
    }

    /// Makes the table what it would be if nothing changed but these Services, each of which is to
    /// have these chains. `nil`, and nothing is done, when that cannot be told without the others:
    /// something is left out of the table, or would have to be.
    public mutating func update(only changes: [ServiceKey: [ServiceChain]]) -> RulesetDiff? {
        let keys = changes.keys.sorted()
        let wanted = keys.flatMap { changes[$0, default: []].sorted { $0.identity < $1.identity } }
        guard omissions.isEmpty, entries.count + wanted.count <= Self.maximumServicePorts,
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
        var touched: [SetElement.Key: SetElement.Value?] = [:]
        var next: [Entry] = []
        var gone: [Entry] = []
        var came: [ServiceRules] = []
        let shards = slots.shards.count
        next.reserveCapacity(wanted.count)
        var index = 0
        for service in wanted {
            while index < entries.count, entries[index].service.identity < service.identity {
                gone.append(entries[index])
                index += 1
            }
            guard index < entries.count, entries[index].service.identity == service.identity else {
                guard service.identity.isUsableName else {
                    omissions[service.identity] = .unusableName
                    continue
                }
                let rules = come(service, &diff)
                came.append(rules)
                next.append(Entry(service: service, rules: rules))
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
            change(from: old.rules, to: rules, &diff, &touched)
            diff.flushes += FlowFlush.between(old.service, service)
            diff.flushes += FlowFlush.before(service, old.service)
            next.append(Entry(service: service, rules: rules))
        }
        gone += entries[index...]
        for entry in gone { leave(entry, &diff, &touched) }
        for rules in came {
            for element in rules.elements { claim(element, &touched) }
        }
        finish(&diff, touched)
        diff.flushes.removeLast(max(0, diff.flushes.count - FlowFlush.maximumPerUpdate))
        diff.addedSets += sets(from: shards)
        return next
    }

    /// What a Service port needs that was not there; its elements that others may want come later.
    private mutating func come(_ service: ServiceChain, _ diff: inout RulesetDiff) -> ServiceRules {
        let rules = ServiceRules(service, options, former: [], &slots)
        count(service, 1)
        diff.addedSets += rules.sets
        diff.addedChains += rules.chains
        diff.writtenChains += rules.chains
        diff.addedElements += rules.spreads.flatMap(\.elements)
        diff.flushes += FlowFlush.before(service)
        return rules
    }

    private mutating func leave(
        _ entry: Entry, _ diff: inout RulesetDiff,
        _ touched: inout [SetElement.Key: SetElement.Value?]
    ) {
        count(entry.service, -1)
        for element in entry.rules.elements { release(element, &touched) }
        for spread in entry.rules.spreads {
            diff.removedElements += spread.elements
            if let run = spread.run { slots.release(run, spread.family) }
        }
        diff.removedChains += entry.rules.chains.reversed().map(\.name)
        diff.removedSets += entry.rules.sets.map(\.name)
        diff.flushes += FlowFlush.between(entry.service, nil)
    }

    private mutating func count(_ service: ServiceChain, _ change: Int) {
        for endpoint in service.endpoints {
            endpointCounts[endpoint.address.family, default: 0] += change
        }
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
        var elements = claims.map { SetElement($0.key, $0.value.holder) }
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

    /// Addresses and ports that several Service ports want: what each leads to, and what it would
    /// lead to for those who wait.
    public var clashes: [SetElement.Key: (holder: SetElement.Value, waiting: [SetElement.Value])] {
        claims.compactMapValues { claim in
            let waiting = claim.waiting.filter { $0 != claim.holder }
            return waiting.isEmpty ? nil : (claim.holder, waiting)
        }
    }

    /// Whether an element of a Service port is in the table as it wants it.
    func isHeld(_ element: SetElement) -> Bool { claims[element.key]?.holder == element.value }

    private mutating func change(
        from old: ServiceRules, to new: ServiceRules, _ diff: inout RulesetDiff,
        _ touched: inout [SetElement.Key: SetElement.Value?]
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
                exchange(former, for: successor, &touched)
            } else {
                release(former, &touched)
            }
        }
        for element in came { claim(element, &touched) }
    }

    private mutating func exchange(
        _ former: SetElement, for successor: SetElement,
        _ touched: inout [SetElement.Key: SetElement.Value?]
    ) {
        guard var claim = claims[former.key] else { return }
        if touched[former.key] == nil { touched[former.key] = .some(claim.holder) }
        if let place = claim.waiting.firstIndex(of: former.value) {
            claim.waiting[place] = successor.value
        } else if claim.holder == former.value {
            claim.holder = successor.value
        }
        claims[former.key] = claim
    }

    private mutating func claim(
        _ element: SetElement, _ touched: inout [SetElement.Key: SetElement.Value?]
    ) {
        let holder = claims[element.key]?.holder
        if touched[element.key] == nil { touched[element.key] = .some(holder) }
        if holder == nil {
            claims[element.key] = Claims(holder: element.value)
        } else {
            claims[element.key]?.waiting.append(element.value)
        }
    }

    private mutating func release(
        _ element: SetElement, _ touched: inout [SetElement.Key: SetElement.Value?]
    ) {
        guard var claim = claims[element.key] else { return }
        if touched[element.key] == nil { touched[element.key] = .some(claim.holder) }
        if let place = claim.waiting.firstIndex(of: element.value) {
            claim.waiting.remove(at: place)
        } else if claim.holder == element.value {
            guard !claim.waiting.isEmpty else {
                claims[element.key] = nil
                return
            }
            claim.holder = claim.waiting.removeFirst()
        }
        claims[element.key] = claim
    }

    private func finish(_ diff: inout RulesetDiff, _ touched: [SetElement.Key: SetElement.Value?]) {
        for (key, former) in touched {
            let holder = claims[key]?.holder
            guard holder != former else { continue }
            if let former { diff.removedElements.append(SetElement(key, former)) }
            if case .address(let address) = key, holder == nil,
                former == .goto(RuleChain.loadBalancerAddress)
            {
                diff.flushes.append(FlowFlush(to: address))
            }
            if let holder { diff.addedElements.append(SetElement(key, holder)) }
        }
    }
}

extension Ruleset {
    /// The desired chains in order, within the bounds, each identity once.
    private mutating func admitted(_ desired: [ServiceChain]) -> [ServiceChain] {
        omissions.removeAll()
        let isSorted = zip(desired, desired.dropFirst()).allSatisfy { $0.identity < $1.identity }
        var wanted = isSorted ? desired : desired.sorted { $0.identity < $1.identity }
        if !isSorted {
            var previous: ServiceChain.Identity?
            wanted.removeAll { service in
                defer { previous = service.identity }
                guard service.identity == previous else { return false }
                omissions[service.identity] = .duplicate
                return true
            }
        }
        if wanted.count > Self.maximumServicePorts {
            for service in wanted[Self.maximumServicePorts...] {
                omissions[service.identity] = .tableFull
            }
            wanted.removeLast(wanted.count - Self.maximumServicePorts)
        }
        for index in wanted.indices where wanted[index].endpoints.count > Self.maximumEndpoints {
            let excess = wanted[index].endpoints.count - Self.maximumEndpoints
            omissions[wanted[index].identity] = .endpoints(excess)
            // Local ones first: policy Local has no others.
            wanted[index].endpoints.sort {
                $0.isLocal != $1.isLocal ? $0.isLocal : $0.address < $1.address
            }
            wanted[index].endpoints.removeLast(excess)
        }
        return wanted
    }
}

extension ServiceChain.Identity {
    /// The Service whose port this is.
    var key: Ruleset.ServiceKey { Ruleset.ServiceKey(namespace: namespace, service: service) }

    /// Whether chain names can be made of it: letters, digits, `-`, `_` and `.`, and at most 200
    /// bytes. Names that Kubernetes takes always can; the slashes between the parts keep them
    /// apart.
    var isUsableName: Bool {
        let parts = [namespace, service, port]
        return parts.allSatisfy { part in
            !part.isEmpty
                && part.utf8.allSatisfy {
                    switch $0 {
                    case UInt8(ascii: "a")...UInt8(ascii: "z"),
                        UInt8(ascii: "A")...UInt8(ascii: "Z"),
                        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"),
                        UInt8(ascii: "_"), UInt8(ascii: "."):
                        true
                    default: false
                    }
                }
        } && parts.reduce(0) { $0 + $1.utf8.count } <= 200
    }
}
