import NetworkTypes

/// The part of an Adj-RIB-Out that is about one address family.
///
/// A prefix is in the withdrawal chain when the peer has it and is not to, in the chain of a set of
/// attributes when it is to be told those, and in none when peer and wish agree. Which one follows
/// from its ``RouteState`` alone, so whoever changes a state takes the prefix out of its chain
/// before (``unchain(_:)``) and settles it after (``settle(_:)``).
struct OutboundFamily<
    Bits: FixedWidthInteger & UnsignedInteger & BitwiseCopyable & Sendable
>: Sendable {
    /// What is to be said, and what has been said, of one prefix.
    struct RouteState: BitwiseCopyable, Sendable {
        /// Number of the route that is wanted, or none.
        var route = Chain.none
        /// Number of the attributes that the peer has, or none.
        var told = Chain.none
        /// Whether the initial table or the answer to a refresh is incomplete without it.
        var isOwed = false
    }

    /// What is being told as a whole.
    enum Transfer: Sendable {
        case none
        /// All there is, followed by End-of-RIB (RFC 4724 §2).
        case initial
        /// All there is once more; `isBegun` once the beginning has been marked.
        case refresh(isBegun: Bool)
    }

    let family: RouteFamily
    /// False until anything is known of what is wanted; End-of-RIB waits for it.
    var isPlanned = false
    var store = PrefixStore<Bits, RouteState>(vacant: RouteState())
    /// By slot.
    var links: [Chain.Links] = []
    var withdrawals = Chain()

    /// The routes that are wanted of any prefix.
    var routes = Numbered<Route>()
    /// By route: the number of its attributes in this session, or none where it cannot be told.
    var targets: [UInt32] = []

    /// Attributes that some route has in this session, or that the peer has.
    var attributes = Numbered<PathAttributes>()
    /// By attributes: their bytes.
    var forms: [UpdateForm] = []
    /// By attributes: the prefixes to be told them.
    var chains: [Chain] = []
    /// By attributes: links of ``ready``.
    var readyLinks: [Chain.Links] = []
    /// The attributes with a chain that is not empty, the one to be served next first.
    var ready = Chain()

    var session: OutboundSession?
    var transfer = Transfer.none
    var isRefreshAsked = false
    /// How many prefixes are owed.
    var owed = 0
    /// How many prefixes are in chains of attributes.
    var announcing = 0
    var figures = OutboundCounts.Family()
    let withdrawalForm: UpdateForm

    init(_ family: RouteFamily) {
        self.family = family
        withdrawalForm = UpdateForm(withdrawalOf: family)
    }
}

// MARK: What is wanted

extension OutboundFamily {
    mutating func want(_ prefix: Prefix, _ route: Route?) {
        if let route {
            let slot = occupy(prefix)
            wish(slot, retain(route))
        } else if let slot = store.find(prefix) {
            wish(slot, Chain.none)
        }
    }

    mutating func want(_ table: PrefixStore<Bits, UInt32>, _ tableRoutes: Numbered<Route>) {
        isPlanned = true
        store.reserve(table.count)
        // Each route of the table is held for the time of the change, so that none that goes out
        // of use on the way takes its bytes with it.
        let numbers = (0..<UInt32(tableRoutes.bound)).map {
            tableRoutes[$0].map { retain($0) } ?? Chain.none
        }
        for slot in table.slots {
            let number = numbers[Int(table[slot])]
            routes.retain(number: number)
            wish(occupy(table.bits(slot), table.length(slot)), number)
        }
        if figures.wanted > table.count {
            for slot in 0..<UInt32(store.bound)
            where Int(slot) < store.bound && store[slot].route != Chain.none {
                if table.find(store.bits(slot), length: store.length(slot)) == nil {
                    wish(slot, Chain.none)
                }
            }
        }
        for number in numbers where number != Chain.none { release(number) }
    }

    private mutating func occupy(_ prefix: Prefix) -> UInt32 {
        occupy(Bits(truncatingIfNeeded: prefix.network.bits), UInt8(prefix.length))
    }

    private mutating func occupy(_ bits: Bits, _ length: UInt8) -> UInt32 {
        let slot = store.insert(bits, length, RouteState()).slot
        if links.count < store.bound { links.append(Chain.Links()) }
        return slot
    }

    /// Makes a route, of which the caller holds a use, the one that is wanted in a slot.
    private mutating func wish(_ slot: UInt32, _ route: UInt32) {
        let old = store[slot].route
        if old != route {
            unchain(slot)
            store[slot].route = route
            figures.wanted += (route == Chain.none ? 0 : 1) - (old == Chain.none ? 0 : 1)
            settle(slot)
        }
        if old != Chain.none { release(old) }
    }

    private mutating func retain(_ route: Route) -> UInt32 {
        let number = routes.retain(route)
        if targets.count < routes.bound { targets.append(Chain.none) }
        if routes.uses(of: number) == 1 { targets[Int(number)] = target(route) }
        return number
    }

    private mutating func release(_ route: UInt32) {
        guard routes.release(route) else { return }
        forget(targets[Int(route)])
        targets[Int(route)] = Chain.none
    }
}

// MARK: Answers

extension OutboundFamily {
    func told(_ prefix: Prefix) -> PathAttributes? {
        guard let slot = store.find(prefix), store[slot].told != Chain.none else { return nil }
        return attributes[store[slot].told]
    }

    func wanted(_ prefix: Prefix) -> Route? {
        guard let slot = store.find(prefix), store[slot].route != Chain.none else { return nil }
        return routes[store[slot].route]
    }

    func obstacle(_ prefix: Prefix) -> RouteObstacle? {
        guard let slot = store.find(prefix), store[slot].route != Chain.none else { return nil }
        guard let session else { return .noSession }
        if let obstacle = session.obstacle(for: family) { return obstacle }
        return target(of: slot) == Chain.none ? .attributesTooLong : nil
    }

    var counts: OutboundCounts.Family {
        var counts = figures
        counts.pending = withdrawals.count + announcing
        counts.obstructed = 0
        if session != nil {
            for number in targets.indices where targets[number] == Chain.none {
                counts.obstructed += routes.uses(of: UInt32(number))
            }
        }
        return counts
    }
}
