import Kubernetes
import Synchronization

/// Counts what a process asks of an API server, for people who watch over it. It does not grow:
/// every label has few values.
package final class RequestTally: Sendable {
    /// What was counted since the process began.
    package struct Counts: Sendable, Equatable {
        /// Requests by what they ask for and what came of it.
        package var requests: [Request: UInt64] = [:]
        /// How often all objects of a resource were asked for, in pages or as a stream.
        package var lists: [String: UInt64] = [:]
        /// How often a watch of a resource was begun.
        package var watches: [String: UInt64] = [:]
        /// Objects that came, changed or went.
        package var updates: UInt64 = 0
        /// Those among them that could not be read.
        package var unreadable: UInt64 = 0
    }

    /// A kind of request with its outcome.
    package struct Request: Sendable, Hashable {
        /// `get` (lists too), `watch`, `create`, `patch` or `delete`.
        package var verb: String
        /// `ok`, the code of another answer, or `timeout`, `transport`, `credentials`, `malformed`.
        package var outcome: String
    }

    private let content = Mutex(Counts())

    /// What was counted so far.
    package var counts: Counts { content.withLock { $0 } }

    func noteSuccess(of verb: String) { note(verb, "ok") }

    func note(_ verb: String, _ failure: APIFailure) { note(verb, failure.label) }

    private func note(_ verb: String, _ outcome: String) {
        content.withLock { $0.requests[Request(verb: verb, outcome: outcome), default: 0] += 1 }
    }

    func noteList(of resource: APIResource) {
        content.withLock { $0.lists[resource.description, default: 0] += 1 }
    }

    func noteWatch(of resource: APIResource) {
        content.withLock { $0.watches[resource.description, default: 0] += 1 }
    }

    func noteUpdates(_ count: Int, unreadable: Int) {
        content.withLock { counts in
            counts.updates += UInt64(count)
            counts.unreadable += UInt64(unreadable)
        }
    }
}

extension APIRequest {
    /// What the request is called in counts.
    var verb: String {
        switch method {
        case "POST": "create"
        case "PATCH": "patch"
        case "DELETE": "delete"
        default: "get"
        }
    }
}

extension APIFailure {
    /// One word.
    fileprivate var label: String {
        switch self {
        case .status(let status): "\(status.code)"
        case .transport: "transport"
        case .timeout: "timeout"
        case .credentials: "credentials"
        case .malformed: "malformed"
        }
    }
}
