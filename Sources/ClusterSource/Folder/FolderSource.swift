import Foundation
import Kubernetes
import LinuxNetwork
import Logging
import Synchronization

/// A cluster that is a folder of manifests, with a folder for what Martlet writes.
///
/// One thread reads, follows, decides nothing and writes; whoever uses the source hands it requests
/// and reads states.
package final class FolderSource: SnapshotSource {
    /// Where things are, and who we are.
    package struct Settings: Sendable {
        /// The folder of manifests.
        package var manifests: String
        /// The folder for state; `nil` keeps allocations in memory, for this process alone.
        package var state: String?
        /// How lock files name this process, beside its number.
        package var node: String
        /// Whether this process wants to allocate; a speaker alone does not.
        package var contends: Bool
        /// The namespace of the configuration objects.
        package var configurationNamespace: String

        /// Makes settings.
        package init(
            manifests: String, state: String?, node: String, contends: Bool = true,
            configurationNamespace: String = "metallb-system"
        ) {
            self.manifests = manifests
            self.state = state
            self.node = node
            self.contends = contends
            self.configurationNamespace = configurationNamespace
        }
    }

    /// The most requests that wait for the disk; more are refused.
    package static let requestLimit = 1024

    private let settings: Settings
    private let watch: InotifyWatch
    private let mailbox: Mailbox<FolderRequests>
    private let subscribers = StateSubscribers()
    private let logger: Logger

    /// Opens nothing but a queue for notices. Throws when there is none to be had.
    package init(settings: Settings, logger: Logger) throws {
        if let state = settings.state,
            FolderLocation(state).absolute == FolderLocation(settings.manifests).absolute
        {
            throw SourceError.foldersCoincide(state)
        }
        self.settings = settings
        self.logger = logger
        watch = try InotifyWatch()
        mailbox = try Mailbox(empty: FolderRequests())
    }

    package var keepsAllocations: Bool { settings.state != nil }
    /// All that is to be written is one file.
    package let writeLimit = Int.max

    /// The state of the folders as they are, without following, locking or writing anything: for
    /// commands that answer and end.
    package static func read(
        manifests: String, state: String?, configurationNamespace: String = "metallb-system"
    ) throws -> ClusterState {
        let settings = Settings(
            manifests: manifests, state: state, node: "", contends: false,
            configurationNamespace: configurationNamespace)
        let mailbox = try Mailbox(empty: FolderRequests())
        // Nobody reads a log of a command that tells the problems itself.
        let logger = Logger(label: "martlet.source") { _ in SwiftLogNoOpLogHandler() }
        var loop = FolderLoop(
            settings: settings, watch: try InotifyWatch(), mailbox: mailbox,
            subscribers: StateSubscribers(), logger: logger)
        return try loop.look()
    }

    package func run() async throws {
        defer { stop() }
        let (settings, watch, mailbox) = (settings, watch, mailbox)
        let (subscribers, logger) = (subscribers, logger)
        let thread = Mutex<NetworkThread?>(nil)
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                do {
                    let started = try NetworkThread(name: "source") {
                        var loop = FolderLoop(
                            settings: settings, watch: watch, mailbox: mailbox,
                            subscribers: subscribers, logger: logger)
                        continuation.resume(with: Result { try loop.run() })
                    }
                    thread.withLock { $0 = started }
                } catch {
                    continuation.resume(throwing: error)
                }
            }
        } onCancel: {
            mailbox.post { $0.isStopping = true }
        }
        // It has told its end, so this takes no longer than a thread needs to return.
        thread.withLock { $0 }?.join()
    }

    package func states() -> AsyncStream<ClusterState> { subscribers.subscribe() }

    /// All of it is written, or none.
    @discardableResult
    package func write(_ updates: [StatusUpdate]) async throws -> WriteOutcome {
        try await request { .write(updates, $0) }
        return WriteOutcome()
    }

    package func publish(_ record: SpeakerRecord?) async throws {
        try await request { .publish(record, $0) }
    }

    /// A folder has no objects for it: the node's own `martlet status` tells the same.
    package func report(_ report: NodeReport) async {}

    /// As for ``report(_:)``: the node's log and status tell.
    package func tell(_ events: [ClusterEvent]) async {}

    private func request(
        _ make: (CheckedContinuation<Void, any Error>) -> FolderRequests.Request
    ) async throws {
        try await withCheckedThrowingContinuation { continuation in
            let request = make(continuation)
            let refusal: SourceError? = mailbox.post { requests in
                if requests.isClosed { return .stopped }
                guard requests.waiting.count < Self.requestLimit else {
                    return .busy(limit: Self.requestLimit)
                }
                requests.waiting.append(request)
                return nil
            }
            if let refusal { continuation.resume(throwing: refusal) }
        }
    }

    /// Ends everything that still waits for the thread.
    private func stop() {
        let waiting = mailbox.post { requests in
            defer { requests.waiting = [] }
            requests.isClosed = true
            return requests.waiting
        }
        for request in waiting { request.answer(.failure(SourceError.stopped)) }
        subscribers.finish()
    }
}

/// What others want from the thread of a folder source.
struct FolderRequests: Sendable {
    /// One wish, and whom to tell.
    enum Request: Sendable {
        case write([StatusUpdate], CheckedContinuation<Void, any Error>)
        case publish(SpeakerRecord?, CheckedContinuation<Void, any Error>)

        /// Tells how it went.
        func answer(_ result: Result<Void, any Error>) {
            switch self {
            case .write(_, let continuation), .publish(_, let continuation):
                continuation.resume(with: result)
            }
        }
    }

    /// Wishes in order of arrival.
    var waiting: [Request] = []
    /// The thread is to end.
    var isStopping = false
    /// The thread has ended; nothing is taken any more.
    var isClosed = false
}
