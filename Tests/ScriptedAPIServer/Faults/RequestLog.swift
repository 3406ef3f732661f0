import Synchronization

/// One request and what became of it.
package struct RequestRecord: Sendable {
    package var number = 0
    package var user: String
    package var userAgent: String
    package var method: String
    /// `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`, `deletecollection`.
    package var verb: String
    package var path: String
    package var query: [(name: String, value: String)]
    package var group: String
    /// With the subresource: `services/status`.
    package var resource: String
    package var namespace: String
    package var name: String
    package var contentType: String
    package var isHTTP2: Bool
    /// 0 while, or where, there is no answer.
    package var code = 0
    /// Nanoseconds of the clock that never jumps.
    package var at: UInt64
    /// Inside the server, from the last byte of the request to the answer.
    package var nanoseconds: UInt64 = 0
    package var requestBytes = 0
    package var responseBytes = 0

    package func query(_ name: String) -> String? { query.first { $0.name == name }?.value }

    /// Whether it changes something.
    package var isWrite: Bool {
        ["create", "update", "patch", "delete", "deletecollection"].contains(verb)
    }
}

/// What was asked, newest last, with counters that never forget.
package final class RequestLog: Sendable {
    /// What is counted apart.
    package struct Key: Hashable, Sendable {
        package var user: String
        package var verb: String
        package var resource: String
        package var code: Int
    }

    private struct State {
        var records: [RequestRecord] = []
        var total = 0
        var counters: [Key: Int] = [:]
    }

    private let state = Mutex(State())
    private let limit: Int

    init(limit: Int) { self.limit = limit }

    func append(_ record: RequestRecord) {
        state.withLock { state in
            state.total += 1
            var record = record
            record.number = state.total
            state.records.append(record)
            if state.records.count > limit { state.records.removeFirst(limit / 2 + 1) }
            let key = Key(
                user: record.user, verb: record.verb, resource: record.resource,
                code: record.code)
            if state.counters.count < 100_000 || state.counters[key] != nil {
                state.counters[key, default: 0] += 1
            }
        }
    }

    /// How many there have been.
    package var total: Int { state.withLock { $0.total } }

    /// The newest ones, as far as they are kept; those after a number if it is given.
    package func all(after number: Int = 0) -> [RequestRecord] {
        state.withLock { state in state.records.filter { $0.number > number } }
    }

    package var counters: [Key: Int] { state.withLock { $0.counters } }

    /// How many requests there were of a kind.
    package func count(
        user: String? = nil, verb: String? = nil, resource: String? = nil, code: Int? = nil
    ) -> Int {
        counters.filter { key, _ in
            (user == nil || key.user == user || key.user.hasSuffix(":\(user ?? "")"))
                && (verb == nil || key.verb == verb) && (code == nil || key.code == code)
                && (resource == nil || key.resource == resource)
        }.values.reduce(0, +)
    }

    /// Begins anew.
    package func clear() { state.withLock { $0 = State() } }
}
