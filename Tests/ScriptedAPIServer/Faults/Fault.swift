/// What goes wrong with a request.
package enum FaultAction: Sendable {
    /// This answer instead of the true one.
    case answer(StatusError)
    /// The true answer, later.
    case delay(milliseconds: Int)
    /// The answer, or the watch, ends after so many bytes of its body and the connection with it.
    case cut(afterBytes: Int)
    /// The connection is closed without an answer.
    case drop
    /// No answer ever; the connection stays open.
    case silence
    /// Carried out, but the answer is lost with the connection.
    case loseAnswer
    /// Lists are served as they were at this version, the way a lagging server does.
    case stale(revision: Int)
    /// Every event of a watch comes twice.
    case duplicateEvents
    /// After every event of a watch the one before it comes once more.
    case repeatOlderEvents
    /// A body that is no JSON.
    case garbage
    /// The request is refused if it asks for a streaming list.
    case refuseStreamingLists

    /// 429 with the header `Retry-After`.
    package static func tooManyRequests(retryAfter seconds: Int) -> FaultAction {
        .answer(
            StatusError(
                429, "TooManyRequests", "the server has received too many requests",
                retryAfterSeconds: seconds))
    }
    /// 500.
    package static let internalError = FaultAction.answer(
        StatusError(500, "InternalError", "Internal error occurred: scripted"))
    /// 503.
    package static let unavailable = FaultAction.answer(
        StatusError(
            503, "ServiceUnavailable", "the server is currently unable to handle the request"))
    /// 410.
    package static let expired = FaultAction.answer(
        StatusError(410, "Expired", "The resourceVersion for the provided watch is too old."))
}

/// Which requests something goes wrong with, and for how often.
package struct Fault: Sendable {
    /// A ServiceAccount by its last part, or the whole user name; `nil`: everybody.
    package var user: String?
    /// `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`; empty: all.
    package var verbs: Set<String> = []
    /// `services`, `ipaddresspools`; `services/status` for the subresource; `nil`: all.
    package var resource: String?
    /// The path begins with this.
    package var pathPrefix: String?
    /// So many requests; `nil`: until it is taken away.
    package var times: Int?
    /// So many matching requests pass before.
    package var after = 0
    package var action: FaultAction

    package init(
        _ action: FaultAction, user: String? = nil, verbs: Set<String> = [],
        resource: String? = nil, pathPrefix: String? = nil, times: Int? = nil, after: Int = 0
    ) {
        self.action = action
        self.user = user
        self.verbs = verbs
        self.resource = resource
        self.pathPrefix = pathPrefix
        self.times = times
        self.after = after
    }

    func concerns(_ request: RequestInfo, user name: String) -> Bool {
        if let user, user != name, !name.hasSuffix(":\(user)") { return false }
        if !verbs.isEmpty, !verbs.contains(request.verb) { return false }
        if let pathPrefix, !request.path.hasPrefix(pathPrefix) { return false }
        if let resource, resource != request.access.resource,
            resource != request.access.qualified
        {
            return false
        }
        return true
    }
}
