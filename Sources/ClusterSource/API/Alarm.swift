import LinuxNetwork
import NetworkTypes
import Synchronization

/// Waits for a sign or for a time, whichever comes first. One task waits; a sign that nobody waits
/// for is remembered.
final class Alarm: Sendable {
    private struct State {
        var isRung = false
        var waiter: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())

    /// Gives the sign.
    func ring() {
        let waiter = state.withLock { state in
            defer { state.waiter = nil }
            state.isRung = state.waiter == nil
            return state.waiter
        }
        waiter?.resume()
    }

    /// Returns at the sign, at the instant, or when the task is cancelled.
    func wait(until deadline: Instant?) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.sign() }
            if let deadline {
                group.addTask {
                    let left = deadline - MonotonicClock.now()
                    // Cancelled is as good as over: the sign came.
                    try? await Task.sleep(for: max(left, .zero))
                }
            }
            await group.next()
            group.cancelAll()
        }
    }

    private func sign() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    if state.isRung || Task.isCancelled {
                        state.isRung = false
                        return true
                    }
                    state.waiter = continuation
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            let waiter = state.withLock { state in
                defer { state.waiter = nil }
                return state.waiter
            }
            waiter?.resume()
        }
    }
}
