/// What a list asked for.
struct ListQuery: Sendable {
    var scope: WatchScope
    var limit = 0
    var continuation: Continuation?
    /// As it was asked; `nil` and empty mean the newest.
    var resourceVersion = ""
    var match = ""
}

/// Where the next page begins.
struct Continuation: Sendable {
    var revision: Int
    var key: String

    var token: String {
        let value: JSONValue = [
            "v": "meta.k8s.io/v1", "rv": .integer(Int64(revision)), "start": .string(key),
        ]
        return Base64.text(value.bytes)
    }

    init(revision: Int, key: String) {
        self.revision = revision
        self.key = key
    }

    init(token: String) throws(StatusError) {
        let fault = StatusError.badRequest("continue key is not valid: \(token)")
        guard let bytes = Base64.bytes(token) else { throw fault }
        do {
            let value = try JSONParser.parse(bytes)
            guard let revision = value["rv"]?.integer, let key = value["start"]?.string else {
                throw fault
            }
            self.init(revision: Int(revision), key: key)
        } catch { throw fault }
    }
}

/// A page of objects.
struct ListPage: Sendable {
    var objects: [StoredObject]
    var revision: Int
    var continuation: String?
    var remaining: Int?
}

extension ClusterState {
    func list(_ query: ListQuery) throws(StatusError) -> ListPage {
        let collection = try collection(query.scope.kind)
        var at = revision
        var start = ""
        if let continuation = query.continuation {
            at = continuation.revision
            start = continuation.key
        } else if let asked = try Self.version(query.resourceVersion), asked > 0 {
            if asked > revision {
                throw StatusError(
                    504, "Timeout",
                    "Too large resource version: \(asked), current: \(revision)",
                    details: [
                        "causes": [
                            [
                                "reason": "ResourceVersionTooLarge",
                                "message": "Too large resource version",
                            ]
                        ]
                    ], retryAfterSeconds: 1)
            }
            if query.match == "Exact" || (query.match.isEmpty && query.limit > 0) { at = asked }
        }
        if let namespace = query.scope.namespace, start.isEmpty { start = namespace + "/" }
        guard let objects = collection.objects(at: at, from: start) else {
            throw .expired(
                query.continuation == nil
                    ? "The resourceVersion for the provided list is too old."
                    : "The provided continue parameter is too old to display a consistent list "
                        + "result. You must start a new list without the continue parameter.")
        }
        return page(objects, at: at, query)
    }

    private func page(_ objects: [StoredObject], at revision: Int, _ query: ListQuery) -> ListPage {
        var page: [StoredObject] = []
        page.reserveCapacity(query.limit > 0 ? min(query.limit, objects.count) : objects.count)
        let isPlain = query.scope.labels.isEverything && query.scope.fields.isEverything
        for (index, object) in objects.enumerated() {
            if let namespace = query.scope.namespace, object.namespace > namespace { break }
            guard query.scope.contains(object) else { continue }
            if query.limit > 0, page.count == query.limit {
                let token = Continuation(revision: revision, key: object.key).token
                let isWhole = isPlain && query.scope.namespace == nil
                return ListPage(
                    objects: page, revision: revision, continuation: token,
                    remaining: isWhole ? objects.count - index : nil)
            }
            page.append(object)
        }
        return ListPage(objects: page, revision: revision)
    }

    /// A version as a query writes it.
    static func version(_ text: String) throws(StatusError) -> Int? {
        guard !text.isEmpty else { return nil }
        guard let version = Int(text), version >= 0 else {
            throw .badRequest("Invalid value: \"\(text)\": resourceVersion must be a number")
        }
        return version
    }

    /// Opens a watch and tells it what it is to catch up with.
    mutating func watch(
        _ watcher: Watcher, from text: String, sendsInitialEvents: Bool
    ) throws(StatusError) -> Int {
        let collection = try collection(watcher.scope.kind)
        let from = try Self.version(text)
        if sendsInitialEvents || from == nil || from == 0 {
            var bytes: [UInt8] = []
            var count = 0
            for key in collection.keys {
                guard let object = collection.objects[key], watcher.scope.contains(object) else {
                    continue
                }
                bytes += Watcher.line("ADDED", object, watcher.scope)
                count += 1
            }
            if sendsInitialEvents {
                bytes += Watcher.bookmark(revision, endsInitialEvents: true, watcher.scope)
            }
            if !bytes.isEmpty { watcher.deliver(.events(bytes, count: count)) }
        } else if let from {
            guard let changes = collection.changes(after: from) else {
                let error = StatusError.expired(
                    "too old resource version: \(from) (\(collection.oldestRevision))")
                watcher.deliver(.events(Watcher.error(error), count: 1))
                watcher.deliver(.end)
                return 0
            }
            var cache = LineCache()
            for change in changes {
                if let line = watcher.line(for: change, cache: &cache) {
                    watcher.deliver(.events(line, count: 1))
                }
            }
        }
        let number = nextWatcher
        nextWatcher += 1
        collection.watchers[number] = watcher
        return number
    }
}
