public import NetworkTypes

/// Plans the routes of one node again and again, with work for what is different only.
///
/// A change of demands costs as much as there are addresses in it. A change of nodes, offers or
/// peers that concerns this node's routes costs as much as planning from scratch.
public struct RoutePlanner: Sendable {
    /// The node.
    public let node: String
    /// What the plan is made from.
    public private(set) var facts: RouteFacts
    private var frame: RouteFrame
    private var tables: [AudienceRoutes] = []
    /// The different sets of advertisements in use, and what each makes.
    private var terms: [RouteTerms] = []
    private var termsOf: [Set<String>: Int] = [:]
    /// The last set looked up: neighbours mostly share one, storage and all.
    private var latest: (advertisements: Set<String>, terms: Int)?
    /// Under which terms each address is announced.
    private var spoken: [IPAddress: Int] = [:]

    /// A planner that knows these facts, or nothing yet.
    public init(node: String, facts: RouteFacts = RouteFacts()) {
        self.node = node
        self.facts = facts
        frame = RouteFrame(node: node, facts)
        build()
    }

    /// The plan. Keeping a copy across updates costs a copy of the tables that change.
    public var plan: RoutePlan {
        RoutePlan(frame: frame, facts: facts, routes: routes)
    }

    /// The routes for each peer that has any.
    public var routes: [String: [Prefix: PlannedRoute]] {
        frame.audienceOf.compactMapValues { audience in
            let routes = tables[audience].routes
            return routes.isEmpty ? nil : routes
        }
    }

    /// Takes in what is different. Returns what that changes for each peer: the routes as they are
    /// now, `nil` for those that are gone. Applied to what ``routes`` was, it gives what they are.
    @discardableResult
    public mutating func update(
        _ change: RouteFacts.Change
    ) -> [String: [Prefix: PlannedRoute?]] {
        var demands = change
        demands.nodes = nil
        demands.offers = nil
        demands.peers = nil
        if change.nodes != nil || change.offers != nil || change.peers != nil {
            facts.apply(
                RouteFacts.Change(
                    nodes: change.nodes, offers: change.offers, peers: change.peers))
            let next = RouteFrame(node: node, facts)
            if next != frame {
                facts.apply(demands)
                return replan(next)
            }
        }
        return take(change.demands)
    }

    private mutating func take(
        _ demands: [IPAddress: RouteDemand?]
    ) -> [String: [Prefix: PlannedRoute?]] {
        for (address, demand) in demands {
            facts.demands[address] = demand
            let now = demand.flatMap { announcing(address.family, $0) }
            let before = spoken[address]
            guard now != before else { continue }
            spoken[address] = now
            for audience in tables.indices {
                if let before { remove(address, under: before, from: audience) }
                if let now { add(address, under: now, to: audience) }
            }
        }
        let changes = tables.indices.map { audience in tables[audience].settle(terms, audience) }
        return frame.audienceOf.compactMapValues { audience in
            changes[audience].isEmpty ? nil : changes[audience]
        }
    }

    /// Plans everything anew, and compares.
    private mutating func replan(_ next: RouteFrame) -> [String: [Prefix: PlannedRoute?]] {
        let former = (frame: frame, tables: tables)
        frame = next
        build()
        var compared: [[Int]: [Prefix: PlannedRoute?]] = [:]
        var changes: [String: [Prefix: PlannedRoute?]] = [:]
        for peer in Set(former.frame.audienceOf.keys).union(next.audienceOf.keys) {
            let (old, new) = (former.frame.audienceOf[peer], next.audienceOf[peer])
            let pair = [old ?? -1, new ?? -1]
            let difference =
                compared[pair]
                ?? Self.difference(
                    from: old.map { former.tables[$0].routes } ?? [:],
                    to: new.map { tables[$0].routes } ?? [:])
            compared[pair] = difference
            if !difference.isEmpty { changes[peer] = difference }
        }
        return changes
    }

    /// Makes the tables from nothing but facts and frame.
    private mutating func build() {
        terms = []
        termsOf = [:]
        latest = nil
        spoken = [:]
        tables = frame.audiences.map { _ in AudienceRoutes() }
        guard frame.refusal == nil, !tables.isEmpty else { return }
        spoken.reserveCapacity(facts.demands.count)
        for (address, demand) in facts.demands {
            if let terms = announcing(address.family, demand) { spoken[address] = terms }
        }
        for audience in tables.indices {
            tables[audience].reserveCapacity(spoken.count)
            for (address, terms) in spoken { add(address, under: terms, to: audience) }
            tables[audience].begin(terms, audience)
        }
    }

    private static func difference(
        from old: [Prefix: PlannedRoute], to new: [Prefix: PlannedRoute]
    ) -> [Prefix: PlannedRoute?] {
        var changes: [Prefix: PlannedRoute?] = [:]
        if old.isEmpty { return new.mapValues { Optional($0) } }
        for (prefix, route) in new where old[prefix] != route {
            changes[prefix] = .some(route)
        }
        for prefix in old.keys where new[prefix] == nil { changes[prefix] = .some(nil) }
        return changes
    }

    /// The terms under which the node announces what is demanded; `nil` when it does not.
    private mutating func announcing(
        _ family: IPAddress.Family, _ demand: RouteDemand
    ) -> Int? {
        guard frame.announces(demand, family) else { return nil }
        if let latest, latest.advertisements == demand.advertisements { return latest.terms }
        let index = termsOf[demand.advertisements] ?? terms.count
        if index == terms.count {
            termsOf[demand.advertisements] = index
            terms.append(RouteTerms(demand.advertisements, in: frame))
        }
        latest = (demand.advertisements, index)
        return index
    }

    private mutating func add(_ address: IPAddress, under index: Int, to audience: Int) {
        for share in terms[index].shares(address.family, for: audience) {
            tables[audience].add(address, share, under: index)
        }
    }

    private mutating func remove(_ address: IPAddress, under index: Int, from audience: Int) {
        for share in terms[index].shares(address.family, for: audience) {
            tables[audience].remove(address, share, under: index)
        }
    }
}
