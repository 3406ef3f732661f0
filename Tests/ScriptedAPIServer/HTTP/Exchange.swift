import NIOCore
import NIOHTTP1

/// A request and the way its answer takes.
struct Exchange: Sendable {
    let request: RequestInfo
    let begin: UInt64
    let keepsAlive: Bool
    let channel: any Channel
    let core: ServerCore

    func record(user: String, code: Int, bytes: Int) -> RequestRecord {
        RequestRecord(
            user: user, userAgent: request.userAgent, method: request.method, verb: request.verb,
            path: request.path, query: request.query, group: request.access.group,
            resource: request.access.qualified, namespace: request.access.namespace,
            name: request.access.name, contentType: request.contentType,
            isHTTP2: request.isHTTP2, code: code, at: begin,
            nanoseconds: WallTime.uptime() - begin, requestBytes: request.body.count,
            responseBytes: bytes)
    }

    private func head(_ code: Int, _ headers: HTTPHeaders) -> HTTPServerResponsePart {
        var headers = headers
        headers.add(
            name: "x-scripted-microseconds", value: String((WallTime.uptime() - begin) / 1000))
        headers.add(name: "audit-id", value: "scripted-\(begin)")
        headers.add(name: "cache-control", value: "no-cache, private")
        if !keepsAlive, !request.isHTTP2 { headers.add(name: "connection", value: "close") }
        return .head(
            HTTPResponseHead(
                version: request.isHTTP2 ? .http2 : .http1_1,
                status: HTTPResponseStatus(statusCode: code), headers: headers))
    }

    func send(_ answer: Answer, user: String, cutAfter: Int? = nil) {
        var headers = HTTPHeaders()
        headers.add(name: "content-type", value: answer.contentType)
        headers.add(name: "content-length", value: String(answer.body.count))
        for (name, value) in answer.headers { headers.add(name: name, value: value) }
        var body = answer.body
        let isCut = cutAfter.map { $0 < body.count } ?? false
        if isCut, let cutAfter { body = Array(body.prefix(cutAfter)) }
        core.log.append(record(user: user, code: answer.code, bytes: body.count))
        channel.write(head(answer.code, headers), promise: nil)
        if request.method != "HEAD" {
            channel.write(
                HTTPServerResponsePart.body(.byteBuffer(ByteBuffer(bytes: body))), promise: nil)
        }
        if isCut {
            let channel = channel
            channel.writeAndFlush(
                HTTPServerResponsePart.body(.byteBuffer(ByteBuffer()))
            ).whenComplete { _ in channel.close(promise: nil) }
            return
        }
        let closes = !keepsAlive && !request.isHTTP2
        let channel = channel
        let done = channel.writeAndFlush(HTTPServerResponsePart.end(nil))
        if closes { done.whenComplete { _ in channel.close(promise: nil) } }
    }

    func drop() { ConnectionRegister.connection(of: channel).close(promise: nil) }

    /// Begins a watch.
    func watch(_ user: ServerUser, _ plan: FaultPlan) throws(StatusError) -> WatchStream {
        let scope = try core.scope(request)
        try core.authorize(user, request.access)
        let wantsBookmarks = request.flag("allowWatchBookmarks")
        let streams = try streamsLists(wantsBookmarks, plan)
        if let seconds = request.value("timeoutSeconds"), Int(seconds) == nil {
            throw .badRequest("timeoutSeconds must be a number")
        }
        let stream = WatchStream(
            channel: channel, core: core, user: user.name, trouble: plan.trouble, scope: scope)
        let watcher = Watcher(
            scope: scope, user: user.name, wantsBookmarks: wantsBookmarks
        ) { stream.receive($0) }
        let from = request.value("resourceVersion") ?? ""
        var headers = HTTPHeaders()
        headers.add(name: "content-type", value: "application/json")
        let number = try core.cluster.locked { state throws(StatusError) in
            try state.watch(watcher, from: from, sendsInitialEvents: streams)
        }
        stream.number = number
        channel.writeAndFlush(head(200, headers), promise: nil)
        core.log.append(record(user: user.name, code: 200, bytes: 0))
        schedule(stream, wantsBookmarks)
        return stream
    }

    private func streamsLists(
        _ wantsBookmarks: Bool, _ plan: FaultPlan
    ) throws(StatusError) -> Bool {
        let asked = request.value("sendInitialEvents")
        let match = request.value("resourceVersionMatch") ?? ""
        guard asked != nil else {
            if !match.isEmpty {
                throw Self.invalid("resourceVersionMatch is forbidden for watch")
            }
            return false
        }
        switch plan.refusesStreaming ? .refused : core.settings.streamingLists {
        case .ignored:
            if !match.isEmpty {
                throw Self.invalid("resourceVersionMatch is forbidden for watch")
            }
            return false
        case .refused:
            throw Self.invalid(
                "sendInitialEvents is forbidden for watch unless the WatchList feature gate is "
                    + "enabled")
        case .served: break
        }
        guard match == "NotOlderThan" else {
            throw Self.invalid(
                "resourceVersionMatch: Forbidden: sendInitialEvents requires setting "
                    + "resourceVersionMatch to NotOlderThan")
        }
        guard asked == "true" || asked == "1" else { return false }
        guard wantsBookmarks else {
            throw Self.invalid("sendInitialEvents requires allowWatchBookmarks")
        }
        return true
    }

    private static func invalid(_ text: String) -> StatusError {
        StatusError(422, "Invalid", "ListOptions.meta.k8s.io \"\" is invalid: \(text)")
    }

    private func schedule(_ stream: WatchStream, _ wantsBookmarks: Bool) {
        let core = core
        if wantsBookmarks {
            let interval = TimeAmount.milliseconds(Int64(core.settings.bookmarkMilliseconds))
            channel.eventLoop.scheduleRepeatedTask(initialDelay: interval, delay: interval) {
                task in
                guard stream.isOpen else { return task.cancel() }
                core.cluster.bookmark(stream.number, stream.scope)
            }
        }
        let seconds = request.value("timeoutSeconds").flatMap { Int64($0) } ?? 0
        channel.eventLoop.scheduleTask(in: .seconds(seconds > 0 ? seconds : 1800)) {
            guard stream.isOpen else { return }
            core.cluster.bookmark(stream.number, stream.scope)
            stream.receive(.end)
        }
    }
}
