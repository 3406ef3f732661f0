import Synchronization

/// Readers of states. Each is handed the latest, and what it did not come to read is replaced.
final class StateSubscribers: Sendable {
    private struct Content {
        var latest: ClusterState?
        var readers: [Int: AsyncStream<ClusterState>.Continuation] = [:]
        var nextReader = 0
        var isFinished = false
    }

    private let content = Mutex(Content())

    /// A stream that begins with the latest state, if there is one.
    func subscribe() -> AsyncStream<ClusterState> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: ClusterState.self, bufferingPolicy: .bufferingNewest(1))
        content.withLock { content in
            if let latest = content.latest { continuation.yield(latest) }
            guard !content.isFinished else { return continuation.finish() }
            let reader = content.nextReader
            content.nextReader += 1
            content.readers[reader] = continuation
            continuation.onTermination = { [weak self] _ in self?.unsubscribe(reader) }
        }
        return stream
    }

    private func unsubscribe(_ reader: Int) {
        content.withLock { $0.readers[reader] = nil }
    }

    /// Hands a state to every reader. To be called by one thread or task at a time, or a reader may
    /// end with an older state than the latest.
    func publish(_ state: ClusterState) {
        let readers = content.withLock { content in
            content.latest = state
            return content.readers
        }
        // Outside of the lock: to wake a reader takes a lock of its task, which whoever cancels it
        // holds while it calls back here.
        for reader in readers.values { reader.yield(state) }
    }

    /// Ends every stream, after the latest state has been read.
    func finish() {
        let readers = content.withLock { content in
            content.isFinished = true
            defer { content.readers = [:] }
            return content.readers
        }
        // Outside of the lock: ending a stream calls back.
        for reader in readers.values { reader.finish() }
    }
}
