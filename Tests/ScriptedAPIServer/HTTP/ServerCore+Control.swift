extension ServerCore {
    /// `/scripted/…`: how another process reads the log and causes faults. For masters only.
    ///
    /// ```
    /// GET    /scripted/counters             requests by user, verb, resource and code
    /// GET    /scripted/requests?after=N     the requests themselves
    /// DELETE /scripted/requests             begin counting anew
    /// POST   /scripted/compact              the past is gone: 410
    /// POST   /scripted/faults               {"action": "429", "user": …, "verbs": […], …}
    /// DELETE /scripted/faults
    /// POST   /scripted/partition?user=U     and DELETE to heal
    /// ```
    func control(_ request: RequestInfo, _ user: ServerUser) throws(StatusError) -> Answer {
        guard user.isMaster else { throw .noSuchPath }
        switch (request.method, request.path) {
        case ("GET", "/scripted/counters"): return Answer(counters())
        case ("GET", "/scripted/requests"):
            let after = request.value("after").flatMap { Int($0) } ?? 0
            return Answer(["requests": .array(log.all(after: after).map(Self.json))])
        case ("DELETE", "/scripted/requests"): log.clear()
        case ("POST", "/scripted/compact"): cluster.compact()
        case ("POST", "/scripted/faults"): faults.add(try Self.fault(try body(request)))
        case ("DELETE", "/scripted/faults"): faults.removeAll()
        case ("POST", "/scripted/partition"): faults.partition(request.value("user") ?? "")
        case ("DELETE", "/scripted/partition"): faults.heal(request.value("user") ?? "")
        default: throw .noSuchPath
        }
        return Answer(["status": "Success"])
    }

    private func counters() -> JSONValue {
        let rows = log.counters.sorted { "\($0.key)" < "\($1.key)" }.map {
            key, count -> JSONValue in
            [
                "user": .string(key.user), "verb": .string(key.verb),
                "resource": .string(key.resource), "code": .integer(Int64(key.code)),
                "count": .integer(Int64(count)),
            ]
        }
        return [
            "revision": .integer(Int64(cluster.revision)),
            "watches": .integer(Int64(cluster.watches())),
            "total": .integer(Int64(log.total)), "counters": .array(rows),
        ]
    }

    private static func json(_ record: RequestRecord) -> JSONValue {
        [
            "number": .integer(Int64(record.number)), "user": .string(record.user),
            "verb": .string(record.verb), "method": .string(record.method),
            "path": .string(record.path), "resource": .string(record.resource),
            "namespace": .string(record.namespace), "name": .string(record.name),
            "query": .object(JSONObject(record.query.map { ($0.name, .string($0.value)) })),
            "contentType": .string(record.contentType), "code": .integer(Int64(record.code)),
            "atNanoseconds": .integer(Int64(record.at)),
            "insideNanoseconds": .integer(Int64(record.nanoseconds)),
            "requestBytes": .integer(Int64(record.requestBytes)),
            "responseBytes": .integer(Int64(record.responseBytes)),
            "http2": .bool(record.isHTTP2), "userAgent": .string(record.userAgent),
        ]
    }

    /// A fault as the control path and the command line write it.
    static func fault(_ value: JSONValue) throws(StatusError) -> Fault {
        let action: FaultAction
        let number = Int(value["value"]?.integer ?? 0)
        switch value["action"]?.string ?? "" {
        case "410": action = .expired
        case "429": action = .tooManyRequests(retryAfter: number)
        case "500": action = .internalError
        case "503": action = .unavailable
        case "delay": action = .delay(milliseconds: number)
        case "cut": action = .cut(afterBytes: number)
        case "drop": action = .drop
        case "silence": action = .silence
        case "lose-answer": action = .loseAnswer
        case "duplicate-events": action = .duplicateEvents
        case "repeat-older-events": action = .repeatOlderEvents
        case "garbage": action = .garbage
        case "stale": action = .stale(revision: number)
        case "refuse-streaming-lists": action = .refuseStreamingLists
        case let other: throw .badRequest("no fault is called \"\(other)\"")
        }
        return Fault(
            action, user: value["user"]?.string,
            verbs: Set((value["verbs"]?.array ?? []).compactMap(\.string)),
            resource: value["resource"]?.string, pathPrefix: value["pathPrefix"]?.string,
            times: value["times"]?.integer.map { Int($0) },
            after: Int(value["after"]?.integer ?? 0))
    }
}
