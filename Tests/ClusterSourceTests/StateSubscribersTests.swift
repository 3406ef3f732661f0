import LinuxNetwork
import Synchronization
import Testing

@testable import ClusterSource

@Suite struct StateSubscribersTests {
    /// Waking a task takes a lock of the task, and cancelling it holds that lock while the stream's
    /// end is told: whoever publishes must not hold a lock of its own that both want.
    @Test("readers are cancelled while states are handed out, and nobody waits for ever")
    func cancelledReaders() async throws {
        let subscribers = StateSubscribers()
        let isOver = Atomic(false)
        let publisher = try NetworkThread(name: "publisher") {
            while !isOver.load(ordering: .relaxed) { subscribers.publish(ClusterState()) }
        }
        for _ in 0..<3000 {
            await withTaskGroup(of: Int.self) { group in
                group.addTask {
                    var count = 0
                    for await _ in subscribers.subscribe() { count += 1 }
                    return count
                }
                await Task.yield()
                group.cancelAll()
            }
        }
        isOver.store(true, ordering: .relaxed)
        publisher.join()
        var last = ClusterState()
        last.isComplete = true
        subscribers.publish(last)
        for await state in subscribers.subscribe() {
            #expect(state == last)
            break
        }
    }
}
