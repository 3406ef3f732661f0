import ClusterSource
import Kubernetes
import Synchronization

@testable import Speaker

/// A source that shows one state, changed by the test, and keeps what is published.
final class SourceOfTest: SnapshotSource {
    private struct Content {
        var state: ClusterState
        var readers: [AsyncStream<ClusterState>.Continuation] = []
        var published: [SpeakerRecord] = []
        var refusal: SourceError?
        var reports: [NodeReport] = []
        var events: [ClusterEvent] = []
    }

    let keepsAllocations = true
    let writeLimit = Int.max
    private let content: Mutex<Content>

    init(_ state: ClusterState) { content = Mutex(Content(state: state)) }

    func run() async throws {}

    func states() -> AsyncStream<ClusterState> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: ClusterState.self, bufferingPolicy: .bufferingNewest(1))
        content.withLock {
            $0.readers.append(continuation)
            continuation.yield($0.state)
        }
        return stream
    }

    func write(_ updates: [StatusUpdate]) async throws -> WriteOutcome { WriteOutcome() }

    func report(_ report: NodeReport) async { content.withLock { $0.reports.append(report) } }

    func tell(_ events: [ClusterEvent]) async { content.withLock { $0.events += events } }

    /// What was reported, the last one last.
    var reports: [NodeReport] { content.withLock { $0.reports } }

    /// The events told, in order.
    var events: [ClusterEvent] { content.withLock { $0.events } }

    func publish(_ record: SpeakerRecord?) async throws {
        try content.withLock { content in
            if let refusal = content.refusal { throw refusal }
            guard let record else { return }
            content.published.append(record)
        }
    }

    /// What was published, the last one last.
    var published: [SpeakerRecord] { content.withLock { $0.published } }

    /// Refuses what is published from now on.
    func refuse(_ refusal: SourceError?) { content.withLock { $0.refusal = refusal } }

    func change(_ edit: (inout ClusterState) -> Void) {
        content.withLock { content in
            edit(&content.state)
            for reader in content.readers { reader.yield(content.state) }
        }
    }
}
