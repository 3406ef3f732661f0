import NetworkTypes

extension EventRecorder {
    /// The next request, if one may be sent.
    mutating func next(at now: Instant) -> Action? {
        guard request == nil, pause.allows(now) else { return nil }
        while let tiding = outbox.removeFirst() {
            guard var entry = entries[tiding], entry.isQueued else { continue }
            entry.isQueued = false
            let isFirst = entry.written == 0
            // The first word is one; what was said meanwhile comes with the series.
            let says = isFirst ? 1 : entry.count
            guard says > entry.written else {
                entries[tiding] = entry
                continue
            }
            entries[tiding] = entry
            requestCount += 1
            request = Request(number: requestCount, tiding: tiding, says: says)
            return .send(requestCount, isFirst ? create(tiding, entry) : series(tiding, entry))
        }
        return nil
    }

    private func create(_ tiding: Tiding, _ entry: Entry) -> ObjectRequest {
        let namespace = tiding.service.namespace
        let body = JSONWriter.object { event in
            event.member("apiVersion", APIResource.events.apiVersion)
            event.member("kind", APIResource.events.kind)
            event.member("metadata") {
                $0.member("name", entry.name)
                $0.member("namespace", namespace)
            }
            event.member("eventTime", entry.firstTime.microseconds)
            event.member("reportingController", controller)
            event.member("reportingInstance", instance)
            event.member("action", tiding.action)
            event.member("reason", tiding.reason)
            event.member("regarding") {
                $0.member("apiVersion", "v1")
                $0.member("kind", "Service")
                $0.member("namespace", namespace)
                $0.member("name", tiding.service.name)
                if !tiding.uid.isEmpty { $0.member("uid", tiding.uid) }
            }
            event.member("note", tiding.note)
            event.member("type", tiding.isWarning ? "Warning" : "Normal")
        }
        return .create(.events, in: namespace, body: body, manager: manager)
    }

    private func series(_ tiding: Tiding, _ entry: Entry) -> ObjectRequest {
        let body = JSONWriter.object { event in
            event.member("series") {
                $0.member("count", entry.count)
                $0.member("lastObservedTime", entry.lastTime.microseconds)
            }
        }
        return .patch(
            .events, ObjectName(namespace: tiding.service.namespace, entry.name), .merge,
            body: body, manager: manager)
    }

    /// The request was carried out.
    mutating func succeed(_ number: Int) {
        if let request = finish(number) { note(request) }
    }

    private mutating func note(_ request: Request) {
        pause.reset()
        failing = nil
        entries[request.tiding]?.written = request.says
        entries[request.tiding]?.refusals = 0
        // Said again while the first word was on its way.
        if let entry = entries[request.tiding], entry.count > entry.written, !entry.isGathering {
            enqueue(request.tiding)
        }
    }

    /// The request was not carried out, or nobody knows.
    mutating func fail(_ number: Int, _ failure: APIFailure, at now: Instant, _ time: WallTime) {
        guard let request = finish(number) else { return }
        let tiding = request.tiding
        let isFirst = request.says == 1
        switch failure.code {
        case 409 where isFirst:
            // An earlier try, whose answer was lost, did it.
            note(request)
        case 404 where !isFirst:
            // Servers keep Events for an hour or so: a new one continues.
            entries[tiding]?.name = names.next(for: tiding.service.name, at: time)
            entries[tiding]?.written = 0
            entries[tiding]?.count = 1
            if let entry = entries[tiding] { entries[tiding]?.firstTime = entry.lastTime }
            enqueue(tiding)
        case 403? where failure.isAboutNamespace, 404?:
            // The Service's namespace is gone, or about to go.
            abandon(tiding)
        case 400?, 413?, 422?:
            // The server does not take it, and never will.
            failing = failure
            abandon(tiding)
        default:
            failing = failure
            pause.extend(at: now, asked: failure.retryAfterSeconds)
            retry(tiding, refused: failure.code != nil)
        }
    }

    /// Puts it in front again; one that the server answered with an error too often is dropped.
    private mutating func retry(_ tiding: Tiding, refused: Bool) {
        guard var entry = entries[tiding] else { return }
        if refused { entry.refusals += 1 }
        guard entry.refusals < Self.patience else {
            abandon(tiding)
            return
        }
        if !entry.isQueued {
            entry.isQueued = true
            outbox.prepend(tiding)
        }
        entries[tiding] = entry
    }

    private mutating func abandon(_ tiding: Tiding) {
        guard let entry = entries.removeValue(forKey: tiding) else { return }
        lost += UInt64(entry.count - entry.written)
    }

    private mutating func finish(_ number: Int) -> Request? {
        guard let present = request, present.number == number else { return nil }
        request = nil
        return present
    }
}

extension EventRecorder {
    /// A request on its way.
    struct Request: Sendable {
        var number: Int
        var tiding: Tiding
        /// The count that the server knows once it is carried out.
        var says: Int
    }
}
