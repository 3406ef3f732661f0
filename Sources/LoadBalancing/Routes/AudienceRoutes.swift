import NetworkTypes

/// The routes for one audience.
struct AudienceRoutes: Sendable {
    private(set) var routes: [Prefix: PlannedRoute] = [:]
    /// For blocks of more than one address: how many addresses make them, by terms.
    private var makers: [Prefix: [Int: Int]] = [:]
    /// Blocks with other makers than before.
    private var unsettled: Set<Prefix> = []
    /// What was told before of routes that were touched.
    private var former: [Prefix: PlannedRoute?] = [:]
    /// Whether anything has been told yet.
    private var isBegun = false

    mutating func reserveCapacity(_ count: Int) { routes.reserveCapacity(count) }

    mutating func add(_ address: IPAddress, _ share: RouteTerms.Share, under terms: Int) {
        guard let prefix = Prefix(address, length: share.length) else { return }
        if share.length == address.family.bitWidth {
            set(prefix, share.route)
        } else {
            makers[prefix, default: [:]][terms, default: 0] += 1
            unsettled.insert(prefix)
        }
    }

    mutating func remove(_ address: IPAddress, _ share: RouteTerms.Share, under terms: Int) {
        guard let prefix = Prefix(address, length: share.length) else { return }
        if share.length == address.family.bitWidth {
            set(prefix, nil)
        } else {
            let left = (makers[prefix]?[terms] ?? 1) - 1
            makers[prefix]?[terms] = left > 0 ? left : nil
            if makers[prefix]?.isEmpty == true { makers[prefix] = nil }
            unsettled.insert(prefix)
        }
    }

    private mutating func set(_ prefix: Prefix, _ route: PlannedRoute?) {
        guard isBegun else {
            routes[prefix] = route
            return
        }
        let old = routes[prefix]
        guard old != route else { return }
        if former[prefix] == nil { former[prefix] = .some(old) }
        routes[prefix] = route
    }

    /// Makes the blocks for the first time.
    mutating func begin(_ terms: [RouteTerms], _ audience: Int) {
        makeBlocks(terms, audience)
        isBegun = true
    }

    /// Makes the blocks from their makers, and says what is different from the last call.
    mutating func settle(_ terms: [RouteTerms], _ audience: Int) -> [Prefix: PlannedRoute?] {
        makeBlocks(terms, audience)
        var changes: [Prefix: PlannedRoute?] = [:]
        for (prefix, old) in former where routes[prefix] != old {
            changes[prefix] = .some(routes[prefix])
        }
        former = [:]
        return changes
    }

    private mutating func makeBlocks(_ terms: [RouteTerms], _ audience: Int) {
        for prefix in unsettled {
            var route: PlannedRoute?
            for index in (makers[prefix] ?? [:]).keys.sorted() {
                let made = terms[index].shares(prefix.family, for: audience)
                    .first { $0.length == prefix.length }?.route
                if let made { route = route?.united(with: made) ?? made }
            }
            set(prefix, route)
        }
        unsettled = []
    }
}
