import Synchronization

/// The faults in force.
package final class FaultScript: Sendable {
    /// Names a fault so that it can be taken away.
    package struct Handle: Sendable, Hashable { let number: Int }

    private struct State {
        var next = 1
        var faults: [(number: Int, fault: Fault)] = []
        var partitioned: Set<String> = []
    }

    private let state = Mutex(State())

    init() {}

    /// From now on. Several faults can concern one request.
    @discardableResult
    package func add(_ fault: Fault) -> Handle {
        state.withLock { state in
            let number = state.next
            state.next += 1
            state.faults.append((number, fault))
            return Handle(number: number)
        }
    }

    package func remove(_ handle: Handle) {
        state.withLock { state in state.faults.removeAll { $0.number == handle.number } }
    }

    package func removeAll() { state.withLock { $0.faults = [] } }

    /// Writes are refused from now on, reads are served.
    @discardableResult
    package func makeReadOnly() -> Handle {
        add(
            Fault(
                .answer(
                    StatusError(
                        500, "InternalError",
                        "Internal error occurred: etcdserver: mvcc: database space exceeded")),
                verbs: ["create", "update", "patch", "delete", "deletecollection"]))
    }

    /// Nothing passes between this user and the server, nor do connections end.
    package func partition(_ user: String) {
        state.withLock { _ = $0.partitioned.insert(user) }
    }

    /// What was held back of watches passes; requests without an answer stay without.
    package func heal(_ user: String) {
        state.withLock { _ = $0.partitioned.remove(user) }
    }

    func isPartitioned(_ name: String) -> Bool {
        state.withLock { state in
            state.partitioned.contains { $0 == name || name.hasSuffix(":\($0)") }
        }
    }

    /// What goes wrong with this request; counts it.
    func actions(for request: RequestInfo, user: String) -> [FaultAction] {
        state.withLock { state in
            if state.partitioned.contains(where: { $0 == user || user.hasSuffix(":\($0)") }) {
                return [.silence]
            }
            guard !state.faults.isEmpty else { return [] }
            var actions: [FaultAction] = []
            for index in state.faults.indices
            where state.faults[index].fault.concerns(request, user: user) {
                if state.faults[index].fault.after > 0 {
                    state.faults[index].fault.after -= 1
                    continue
                }
                if let times = state.faults[index].fault.times {
                    guard times > 0 else { continue }
                    state.faults[index].fault.times = times - 1
                }
                actions.append(state.faults[index].fault.action)
            }
            state.faults.removeAll { $0.fault.times == 0 }
            return actions
        }
    }
}
