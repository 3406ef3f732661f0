import LinuxNetwork
import NetworkTypes
import Synchronization

/// Whether `condition` comes true before the time is over, which is generous: a busy machine is no
/// failure. Looks every few milliseconds, without keeping a thread.
func comesTrue(
    within limit: Duration = .seconds(60), _ condition: () async throws -> Bool
) async throws -> Bool {
    let deadline = MonotonicClock.now() + limit
    while try await !condition() {
        guard MonotonicClock.now() < deadline else { return false }
        try await Task.sleep(for: .milliseconds(2))
    }
    return true
}

/// What other threads told, in order.
final class Told<Element: Sendable>: Sendable {
    private let elements = Mutex<[Element]>([])

    /// All of it so far.
    var all: [Element] { elements.withLock { $0 } }

    func note(_ element: Element) { elements.withLock { $0.append(element) } }

    func contains(where predicate: (Element) -> Bool) -> Bool { all.contains(where: predicate) }
}
