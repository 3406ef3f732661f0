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
        for _ in 0..<2000 {
            await withTaskGroup(of: Void.self) { group in
                let (begun, beginning) = AsyncStream.makeStream(of: Void.self)
                for _ in 0..<4 {
                    group.addTask {
                        var count = 0
                        for await _ in subscribers.subscribe() {
                            count += 1
                            if count == 3 { beginning.yield() }
                        }
                    }
                }
                // All of them read, and some wait for the next one.
                for await _ in begun.prefix(4) {}
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
