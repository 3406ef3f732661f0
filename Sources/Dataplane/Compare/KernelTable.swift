import NetworkTypes

/// The table as the kernel has it, put together from its answers to ``TableQuery``.
///
/// Answers are told message by message, in any order but that elements come after the sets. What is
/// no part of the table, and what cannot be read, is remembered as such: a table that holds what
/// nobody knows is not ours any more.
///
/// Bounds: so many elements as a full table has, and as many again, and the same of chains and of
/// sets; a table beyond that is ``isTooLarge``. Of a chain's rules more are kept than any of ours
/// has.
public struct KernelTable: Sendable {
    /// A base chain's place in the packet's path, as the kernel tells it.
    struct Place: Equatable, Sendable {
        var number: UInt32 = 0
        var priority: Int32 = 0
        var type = ""
        var policy: UInt32 = accept

        static let accept: UInt32 = 1
    }

    struct Chain: Sendable {
        var place: Place?
        /// `nil` for a rule that somebody else made.
        var rules: [RuleDigest?] = []
    }

    /// So many chains, sets and elements are kept, each.
    static let maximumObjects = Ruleset.maximumElements * 2

    /// Whether the kernel has the table.
    public private(set) var isPresent = false
    /// Whether somebody switched the table off (`flags dormant`).
    private(set) var isDormant = false
    /// What the table's own note says of the layout of sets and base chains.
    private(set) var layout: UInt64?
    private(set) var chains: [String: Chain] = [:]
    /// Sets by name; `nil` for one that is none of ours.
    private(set) var sets: [String: NamedSet?] = [:]
    /// The elements of those sets that were asked for.
    public private(set) var elements: [SetElement.Key: SetElement.Value] = [:]
    /// How often each element was looked up, where that is counted.
    public private(set) var counters: [SetElement.Key: ElementCounter] = [:]
    /// Sets that hold something of which nobody knows what it is.
    private(set) var unreadable: Set<String> = []
    private var generation: UInt16?
    private let keepsCounters: Bool
    private let keepsUsedOnly: Bool

    /// Whether the answers tell of different moments, because somebody changed something between
    /// them.
    public private(set) var isTorn = false
    /// Whether there is more than a table of ours can hold.
    public private(set) var isTooLarge = false

    /// A table of which nothing is known yet.
    ///
    /// - Parameters:
    ///   - countersToo: keeps the counters.
    ///   - usedOnly: keeps only those elements that have counted anything. Of a large table most
    ///     have not.
    public init(countersToo: Bool = false, usedOnly: Bool = false) {
        keepsCounters = countersToo
        keepsUsedOnly = usedOnly
    }

    /// Takes in a message of an answer: its type and what is behind the netlink header.
    public mutating func read(type: UInt16, payload: Span<UInt8>) {
        guard type >> 8 == Nft.subsystem, payload.count >= 4, payload[0] == Nft.inet,
            let number = payload.network(2..<4, width: 2)
        else { return }
        let body = payload.extracting(droppingFirst: 4)
        switch type & 0xff {
        case Nft.Message.newTable: readTable(body)
        case Nft.Message.newChain: readChain(body)
        case Nft.Message.newRule: readRule(body)
        case Nft.Message.newSet: readSet(body)
        case Nft.Message.newElements: readElements(body)
        default: return
        }
        // The lower half of the number of the transaction that was the last when this was told.
        let moment = UInt16(truncatingIfNeeded: number)
        if let generation, generation != moment { isTorn = true }
        generation = moment
    }

    /// The sets whose elements are to be asked for: those of ours whose elements are known.
    public var readableSets: [NamedSet] {
        sets.values.compactMap { $0 }.filter { !$0.isDynamic }.sorted { $0.name < $1.name }
    }

    /// Whether a chain of this name is there.
    public func hasChain(_ name: String) -> Bool { chains[name] != nil }

    /// What a ruleset has to know to go on with the slots that are in use.
    public var adoption: Ruleset.Adoption {
        var runs: [String: Range<UInt32>] = [:]
        for (name, chain) in chains {
            for case let rule? in chain.rules {
                if let slots = rule.slots { runs[name] = slots }
            }
        }
        var holders: [SetElement.Key: String] = [:]
        for case (let key, .goto(let chain)) in elements where key.isEntrance {
            holders[key] = chain
        }
        return Ruleset.Adoption(
            runs: runs, sets: sets.values.compactMap { $0 }, holders: holders)
    }

    /// Addresses that the table has as load balancer addresses, and that none of the Services has.
    ///
    /// External addresses are not told: they are somebody else's as well.
    public func strayAddresses(besides services: some Sequence<ServiceChain>) -> Set<IPAddress> {
        var addresses: Set<IPAddress> = []
        let chain = SetElement.Value.goto(RuleChain.loadBalancerAddress)
        for case (.address(let address), chain) in elements { addresses.insert(address) }
        guard !addresses.isEmpty else { return [] }
        for service in services {
            for frontend in service.frontends {
                switch frontend {
                case .loadBalancer(let address, _), .clusterIP(let address, _),
                    .externalIP(let address, _):
                    addresses.remove(address)
                case .nodePort: continue
                }
            }
        }
        return addresses
    }
}

extension KernelTable {
    private static let tableFlags: UInt16 = 2
    private static let dormant: UInt32 = 1

    private mutating func readTable(_ body: Span<UInt8>) {
        var isOurs = false
        var flags: UInt32 = 0
        var layout: UInt64?
        var attributes = NetlinkAttributes(body)
        while let attribute = attributes.next() {
            switch attribute.type {
            case Nft.Table.name: isOurs = body.text(attribute.value) == NftablesBatch.table
            case Self.tableFlags: flags = body.word(attribute.value) ?? 0
            case Nft.Table.userData:
                layout = body.extracting(attribute.value).note(Nft.Table.layout)
            default: continue
            }
        }
        guard isOurs else { return }
        isPresent = true
        isDormant = flags & Self.dormant != 0
        self.layout = layout
    }

    private mutating func readChain(_ body: Span<UInt8>) {
        var (isOurs, name) = (false, "")
        var place = Place()
        var isBase = false
        var attributes = NetlinkAttributes(body)
        while let attribute = attributes.next() {
            switch attribute.type {
            case Nft.Chain.table: isOurs = body.text(attribute.value) == NftablesBatch.table
            case Nft.Chain.name: name = body.text(attribute.value)
            case Nft.Chain.type: place.type = body.text(attribute.value)
            case Nft.Chain.policy: place.policy = body.word(attribute.value) ?? 0
            case Nft.Chain.hook:
                isBase = true
                let hook = body.extracting(attribute.value)
                var parts = NetlinkAttributes(hook)
                while let part = parts.next() {
                    let word = hook.word(part.value) ?? 0
                    switch part.type {
                    case Nft.Chain.hookNumber: place.number = word
                    case Nft.Chain.hookPriority: place.priority = Int32(bitPattern: word)
                    default: continue
                    }
                }
            default: continue
            }
        }
        guard isOurs else { return }
        guard chains.count < Self.maximumObjects else {
            isTooLarge = true
            return
        }
        chains[name, default: Chain()].place = isBase ? place : nil
    }

    private mutating func readRule(_ body: Span<UInt8>) {
        var (isOurs, chain) = (false, "")
        var digest: RuleDigest?
        var attributes = NetlinkAttributes(body)
        while let attribute = attributes.next() {
            switch attribute.type {
            case Nft.Rule.table: isOurs = body.text(attribute.value) == NftablesBatch.table
            case Nft.Rule.chain: chain = body.text(attribute.value)
            case Nft.Rule.userData:
                digest = RuleDigest(userData: body.extracting(attribute.value))
            default: continue
            }
        }
        guard isOurs else { return }
        // More rules than any chain of ours has are somebody's prank; the first of them will do.
        if chains[chain]?.rules.count ?? 0 < Self.maximumRulesPerChain {
            chains[chain, default: Chain()].rules.append(digest)
        }
    }

    /// Ours have a rule for each subnet of Pods and two more, or a dozen.
    static let maximumRulesPerChain = Rule.maximumPodSubnets * 2

    private mutating func readSet(_ body: Span<UInt8>) {
        var (isOurs, name) = (false, "")
        var flags: UInt32 = 0
        var attributes = NetlinkAttributes(body)
        while let attribute = attributes.next() {
            switch attribute.type {
            case Nft.Set.table: isOurs = body.text(attribute.value) == NftablesBatch.table
            case Nft.Set.name: name = body.text(attribute.value)
            case Nft.Set.flags: flags = body.word(attribute.value) ?? 0
            default: continue
            }
        }
        // Sets inside rules come and go with their rules.
        guard isOurs, flags & Nft.Set.anonymous == 0 else { return }
        guard sets.count < Self.maximumObjects else {
            isTooLarge = true
            return
        }
        sets[name] = .some(NamedSet(name: name))
    }

    private mutating func readElements(_ body: Span<UInt8>) {
        var (isOurs, name) = (false, "")
        var list: Range<Int>?
        var attributes = NetlinkAttributes(body)
        while let attribute = attributes.next() {
            switch attribute.type {
            case Nft.Elements.table: isOurs = body.text(attribute.value) == NftablesBatch.table
            case Nft.Elements.set: name = body.text(attribute.value)
            case Nft.Elements.list: list = attribute.value
            default: continue
            }
        }
        guard isOurs, let list, case let set?? = sets[name] else { return }
        let items = body.extracting(list)
        var members = NetlinkAttributes(items)
        while let member = members.next() {
            guard elements.count < Self.maximumObjects else {
                isTooLarge = true
                return
            }
            guard let element = KernelElement(items.extracting(member.value), of: set) else {
                unreadable.insert(name)
                continue
            }
            if keepsUsedOnly, element.counter ?? ElementCounter() == ElementCounter() { continue }
            elements[element.key] = element.value
            if keepsCounters, let counter = element.counter { counters[element.key] = counter }
        }
    }
}

extension Span<UInt8> {
    /// A number of eight bytes in a run of type, length, value (as the `nft` tool writes notes of
    /// its own beside an object).
    func note(_ wanted: UInt8) -> UInt64? {
        var offset = 0
        while offset <= count - 2 {
            let field = (offset + 2)..<(offset + 2 + Int(self[offset + 1]))
            guard field.upperBound <= count else { return nil }
            if self[offset] == wanted { return network(field, width: 8) }
            offset = field.upperBound
        }
        return nil
    }
}
