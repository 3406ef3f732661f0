import Synchronization

/// What answers requests: everything but connections.
final class ServerCore: Sendable {
    let settings: ServerSettings
    let cluster: Cluster
    let tokens = TokenBook()
    let faults = FaultScript()
    let log: RequestLog
    private let review = Mutex<(revision: Int, review: AccessReview)?>(nil)

    init(_ settings: ServerSettings) {
        self.settings = settings
        cluster = Cluster(settings.cluster)
        log = RequestLog(limit: settings.requestsKept)
    }

    /// Whether the user may; roles are read anew when one of them has changed.
    func authorize(_ user: ServerUser, _ request: AccessRequest) throws(StatusError) {
        guard settings.enforcesRBAC, !user.isMaster else { return }
        let current = cluster.state.withLock { $0.accessRevision }
        let allowed = review.withLock { cached in
            if let cached, cached.revision == current {
                return cached.review.permits(user, request)
            }
            let fresh = cluster.state.withLock { AccessReview($0) }
            cached = (current, fresh)
            return fresh.permits(user, request)
        }
        guard allowed else { throw AccessReview.refusal(user, request) }
    }

    /// Answers what is not a watch.
    func answer(
        _ request: RequestInfo, _ user: ServerUser, staleAt: Int?
    ) -> Answer {
        do throws(StatusError) {
            guard request.isResource else {
                if request.path.hasPrefix("/scripted") { return try control(request, user) }
                return try Discovery(core: self).answer(request)
            }
            try authorize(user, request.access)
            switch request.verb {
            case "get": return try get(request)
            case "list": return try list(request, staleAt: staleAt)
            case "create": return try create(request, user)
            case "update", "patch": return try change(request, user)
            case "delete": return try delete(request)
            case "deletecollection": return try deleteCollection(request)
            default: throw .methodNotAllowed
            }
        } catch {
            return Answer(error)
        }
    }

    func place(_ request: RequestInfo) throws(StatusError) -> ObjectPlace {
        let access = request.access
        let found = cluster.state.withLock { $0.kind(group: access.group, plural: access.resource) }
        guard let kind = found,
            let version = kind.version(group: access.group, name: request.version)
        else { throw .noSuchPath }
        switch access.subresource {
        case "": break
        case "status":
            guard version.hasStatus else { throw .noSuchPath }
        default: throw .noSuchPath
        }
        return ObjectPlace(
            kind: kind, version: version, namespace: kind.isNamespaced ? access.namespace : "",
            name: access.name, subresource: access.subresource)
    }

    func scope(_ request: RequestInfo) throws(StatusError) -> WatchScope {
        let place = try place(request)
        var scope = WatchScope(
            kind: place.kind, version: place.version,
            namespace: place.kind.isNamespaced && !request.access.namespace.isEmpty
                ? request.access.namespace : nil,
            isTable: request.wantsTable)
        scope.labels = try LabelSelector(request.value("labelSelector") ?? "")
        var fields = request.value("fieldSelector") ?? ""
        if !request.access.name.isEmpty { fields = "metadata.name=\(request.access.name)" }
        scope.fields = try FieldSelector(fields, of: place.kind)
        return scope
    }

    private func get(_ request: RequestInfo) throws(StatusError) -> Answer {
        let place = try place(request)
        let object = try cluster.locked { state throws(StatusError) in
            try state.collection(place.kind)[place.namespace, place.name]
        }
        guard let object else { throw .notFound(place.kind, place.name) }
        if request.wantsTable {
            return Answer(
                TablePrinter.table([object], place.kind, place.version, revision: object.revision))
        }
        return Answer(object.encoded(place.kind, place.version))
    }

    private func list(_ request: RequestInfo, staleAt: Int?) throws(StatusError) -> Answer {
        let scope = try scope(request)
        var query = ListQuery(scope: scope)
        if let limit = request.value("limit") {
            guard let number = Int(limit), number >= 0 else {
                throw .badRequest("limit must be a number that is not negative")
            }
            query.limit = number
        }
        query.resourceVersion = request.value("resourceVersion") ?? ""
        query.match = request.value("resourceVersionMatch") ?? ""
        if let token = request.value("continue"), !token.isEmpty {
            query.continuation = try Continuation(token: token)
            if !query.resourceVersion.isEmpty, query.resourceVersion != "0" {
                throw .badRequest(
                    "specifying resource version is not allowed when using continue")
            }
        }
        if !["", "Exact", "NotOlderThan"].contains(query.match) {
            throw .badRequest("resourceVersionMatch: Unsupported value: \"\(query.match)\"")
        }
        if !query.match.isEmpty, query.resourceVersion.isEmpty {
            throw .badRequest(
                "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless "
                    + "resourceVersion is provided")
        }
        if let staleAt, query.continuation == nil, query.match != "Exact" {
            query.resourceVersion = String(staleAt)
            query.match = "Exact"
        }
        let final = query
        let page = try cluster.locked { state throws(StatusError) in try state.list(final) }
        return Answer(Self.encoded(page, scope))
    }

    private static func encoded(_ page: ListPage, _ scope: WatchScope) -> [UInt8] {
        if scope.isTable {
            return TablePrinter.table(
                page.objects, scope.kind, scope.version, revision: page.revision,
                continuation: page.continuation
            ).bytes
        }
        var metadata = JSONObject([("resourceVersion", .string(String(page.revision)))])
        if let token = page.continuation {
            metadata["continue"] = .string(token)
            metadata["remainingItemCount"] = page.remaining.map { .integer(Int64($0)) }
        }
        let head = JSONValue.object(
            JSONObject([
                ("kind", .string(scope.kind.listKind)),
                ("apiVersion", .string(scope.version.apiVersion)), ("metadata", .object(metadata)),
            ]))
        var bytes = head.bytes
        bytes.removeLast()
        bytes.reserveCapacity(page.objects.reduce(bytes.count + 16) { $0 + $1.tail.count + 64 })
        bytes.append(contentsOf: ",\"items\":[".utf8)
        for (index, object) in page.objects.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            // Items of built-in lists do not say what they are; those of custom kinds do.
            bytes += object.encoded(scope.kind, scope.version, bare: !scope.kind.isCustom)
        }
        bytes.append(contentsOf: "]}".utf8)
        return bytes
    }

    private func options(_ request: RequestInfo) -> WriteOptions {
        let agent = request.userAgent.split(separator: "/").first.map(String.init) ?? "unknown"
        var options = WriteOptions(
            manager: request.value("fieldManager") ?? (agent.isEmpty ? "unknown" : agent))
        options.fieldValidation =
            request.value("fieldValidation").flatMap(FieldValidation.init(rawValue:)) ?? .warn
        options.isForced = request.flag("force")
        return options
    }

    func body(_ request: RequestInfo) throws(StatusError) -> JSONValue {
        do {
            return try JSONParser.parse(request.body)
        } catch {
            if request.contentType.hasSuffix("yaml"),
                let value = try? JSONValue.documents(
                    yaml: String(decoding: request.body, as: UTF8.self)
                ).first
            {
                return value
            }
            throw .badRequest("the object provided is unrecognized: \(error)")
        }
    }

    private func written(_ result: WriteResult, _ place: ObjectPlace, _ table: Bool) -> Answer {
        var answer = Answer(
            result.object.encoded(place.kind, place.version), code: result.isCreated ? 201 : 200)
        if table {
            answer.body =
                TablePrinter.table(
                    [result.object], place.kind, place.version, revision: result.object.revision
                ).bytes
        }
        answer.headers = result.warnings.map {
            ("warning", "299 - \"\($0.replacing("\"", with: "\\\""))\"")
        }
        return answer
    }

    private func create(_ request: RequestInfo, _ user: ServerUser) throws(StatusError) -> Answer {
        guard ["", "application/json", "application/yaml"].contains(request.contentType) else {
            throw .unsupportedMediaType(["application/json", "application/yaml"])
        }
        let place = try place(request)
        guard request.access.name.isEmpty else { throw .methodNotAllowed }
        let object = try body(request)
        let options = options(request)
        let result = try cluster.locked { state throws(StatusError) in
            try state.create(place, object, options)
        }
        return written(result, place, request.wantsTable)
    }

    private func change(_ request: RequestInfo, _ user: ServerUser) throws(StatusError) -> Answer {
        let place = try place(request)
        guard !place.name.isEmpty else { throw .methodNotAllowed }
        let options = options(request)
        let result: WriteResult
        if request.verb == "update" {
            let object = try body(request)
            result = try cluster.locked { state throws(StatusError) in
                try state.modify(place, options, isPut: true) { _ in object }
            }
        } else {
            guard let kind = PatchKind(rawValue: request.contentType) else {
                throw .unsupportedMediaType(PatchKind.allCases.map(\.rawValue))
            }
            if kind == .apply {
                guard request.value("fieldManager") != nil else {
                    throw .badRequest("fieldManager is required for apply patch")
                }
                try authorizeCreation(place, user, request.access)
            }
            let patch = try kind == .apply ? yamlBody(request) : body(request)
            result = try cluster.locked { state throws(StatusError) in
                try state.patch(place, patch, kind, options)
            }
        }
        return written(result, place, request.wantsTable)
    }

    /// An apply that creates needs the right to create, too.
    private func authorizeCreation(
        _ place: ObjectPlace, _ user: ServerUser, _ access: AccessRequest
    ) throws(StatusError) {
        let exists = try cluster.locked { state throws(StatusError) in
            try state.collection(place.kind)[place.namespace, place.name] != nil
        }
        guard !exists else { return }
        var creation = access
        creation.verb = "create"
        try authorize(user, creation)
    }

    private func yamlBody(_ request: RequestInfo) throws(StatusError) -> JSONValue {
        var yaml = request
        yaml.contentType = "application/yaml"
        return try body(yaml)
    }

    private func delete(_ request: RequestInfo) throws(StatusError) -> Answer {
        let place = try place(request)
        var preconditions = DeletionPreconditions()
        if !request.body.isEmpty {
            let options = try body(request)
            preconditions.uid = options["preconditions", "uid"]?.string
            preconditions.resourceVersion = options["preconditions", "resourceVersion"]?.string
        }
        let wanted = preconditions
        let (object, isGone) = try cluster.locked { state throws(StatusError) in
            try state.delete(place, wanted)
        }
        guard isGone else { return Answer(object.encoded(place.kind, place.version)) }
        return Answer([
            "kind": "Status", "apiVersion": "v1", "metadata": [:], "status": "Success",
            "details": [
                "name": .string(object.name), "group": .string(place.kind.group),
                "kind": .string(place.kind.plural), "uid": .string(object.uid),
            ],
        ])
    }

    private func deleteCollection(_ request: RequestInfo) throws(StatusError) -> Answer {
        let scope = try scope(request)
        let place = try place(request)
        let page = try cluster.locked { state throws(StatusError) in
            let page = try state.list(ListQuery(scope: scope))
            for object in page.objects {
                var one = place
                one.namespace = object.namespace
                one.name = object.name
                _ = try state.delete(one)
            }
            return page
        }
        return Answer(Self.encoded(page, scope))
    }
}
