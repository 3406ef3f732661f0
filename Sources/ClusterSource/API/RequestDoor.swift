import Synchronization

/// Lets requests in until it is closed, and tells when the last one has left.
///
/// The event loop must outlive every request: one that begins while the loop ends would wait for
/// ever, or end the process in a debug build.
final class RequestDoor: Sendable {
    private struct State {
        var isClosed = false
        var inside = 0
        var waiting: [CheckedContinuation<Void, Never>] = []

        mutating func takeWaiting() -> [CheckedContinuation<Void, Never>] {
            defer { waiting = [] }
            return waiting
        }
    }

    private let state = Mutex(State())

    /// Whether one more may begin; then ``leave()`` follows exactly once.
    func enter() -> Bool {
        state.withLock { state in
            guard !state.isClosed else { return false }
            state.inside += 1
            return true
        }
    }

    func leave() {
        let waiting = state.withLock { state in
            state.inside -= 1
            return state.isClosed && state.inside == 0 ? state.takeWaiting() : []
        }
        for one in waiting { one.resume() }
    }

    /// Nobody enters from now on.
    func close() {
        state.withLock { $0.isClosed = true }
    }

    /// Returns when nobody is inside any more. Close it first.
    func whenEmpty() async {
        await withCheckedContinuation { continuation in
            let isEmpty = state.withLock { state in
                if state.inside > 0 { state.waiting.append(continuation) }
                return state.inside == 0
            }
            if isEmpty { continuation.resume() }
        }
    }
}
