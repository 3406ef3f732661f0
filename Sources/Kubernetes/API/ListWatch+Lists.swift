import NetworkTypes

/// How all objects are read.
extension ListWatch {
    /// For how long a server that refused a streaming list is not asked for another; by then it may
    /// have been upgraded.
    static let streamingRefusal: Duration = .seconds(3600)
    /// So many lists in succession that are older than what has been seen are thrown away.
    static let distrustedLists = 3

    mutating func start(floor: String?, at now: Instant) -> [Action] {
        guard case .idle = state else { return [] }
        if let floor, !floor.isEmpty { resourceVersion = floor }
        return begin(.list, at: now)
    }

    /// Sends the next request.
    mutating func begin(_ attempt: Attempt, at now: Instant) -> [Action] {
        switch attempt {
        case .watch: return [.watch(openWatch(at: now))]
        case .page(let token): return [askPage(token, at: now)]
        case .list:
            if settings.usesStreamingLists, streamingRefusedUntil.map({ now >= $0 }) ?? true {
                return [.beginReplacing, .watch(openStream(at: now))]
            }
            return [.beginReplacing, askPage(nil, at: now)]
        }
    }

    private mutating func askPage(_ token: String?, at now: Instant) -> Action {
        state = .listing(until: now + Self.pagePatience, continueToken: token)
        // A list that outlives what its pages are cut from is cut into fewer.
        let limit = settings.pageSize << (2 * min(brokenLists, 4))
        return .list(
            ListQuery(
                path: settings.path, labelSelector: settings.labelSelector,
                fieldSelector: settings.fieldSelector, limit: limit, continueToken: token))
    }

    private mutating func openStream(at now: Instant) -> WatchQuery {
        var query = query(from: isFloorRefused ? nil : resourceVersion)
        query.sendsInitialEvents = true
        state = .streaming(Stream(since: now, timeoutSeconds: query.timeoutSeconds))
        return query
    }

    private mutating func openWatch(at now: Instant) -> WatchQuery {
        let query = query(from: resourceVersion)
        state = .watching(Stream(since: now, timeoutSeconds: query.timeoutSeconds))
        return query
    }

    /// A watch that ends at a time of its own in 290…580 s.
    private mutating func query(from version: String?) -> WatchQuery {
        let extra = pace.moment(within: .seconds(291)).wholeNanoseconds / 1_000_000_000
        return WatchQuery(
            path: settings.path, labelSelector: settings.labelSelector,
            fieldSelector: settings.fieldSelector, resourceVersion: version,
            sendsInitialEvents: false, timeoutSeconds: 290 + Int(extra))
    }

    mutating func received(
        page version: String, continuing token: String?, at now: Instant
    ) -> [Action] {
        guard case .listing = state else { return [] }
        guard !version.isEmpty else {
            return failed(.malformed("a list without metadata.resourceVersion"), at: now)
        }
        if let token, !token.isEmpty { return [askPage(token, at: now)] }
        guard isBelieved(version) else { return reject(version, at: now) }
        return finish(version) + begin(.watch, at: now)
    }

    /// Whether a whole list is to be believed although it may be older than what has been seen.
    func isBelieved(_ version: String) -> Bool {
        staleLists >= Self.distrustedLists
            || !ResourceVersion.isOlder(version, than: resourceVersion)
    }

    /// Throws a whole list away that is older than what has been seen.
    mutating func reject(_ version: String, at now: Instant) -> [Action] {
        let seen = resourceVersion ?? ""
        let actions = failed(
            .malformed("the list is of version \(version), older than \(seen), which was seen"),
            at: now)
        staleLists += 1
        return actions
    }

    /// Takes a whole list. What follows is a watch.
    mutating func finish(_ version: String) -> [Action] {
        resourceVersion = version
        isSynced = true
        staleLists = 0
        brokenLists = 0
        isFloorRefused = false
        return [.finishReplacing(resourceVersion: version)]
    }
}
