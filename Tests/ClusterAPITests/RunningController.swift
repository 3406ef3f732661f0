import ClusterSource
import Controller
import Kubernetes
import Logging
import NetworkTypes
import Synchronization

/// A controller as a process has it, in this one.
final class RunningController: Sendable {
    let account: String
    let source: KubernetesSource
    private let controller: ServiceController
    private let latest: Latest
    private let log: LogLines
    private let task: Task<Void, Never>
    private let deciding: Task<Void, Never>

    private final class Latest: Sendable {
        let state = Mutex<ClusterState?>(nil)
    }

    init(
        account: String, access: ClusterAccess, election: LeaderElection.Timing,
        requestsPerSecond: Int
    ) throws {
        let (log, latest) = (LogLines(), Latest())
        let logger = Logger(label: account) { _ in log }
        var settings = KubernetesSource.Settings(
            node: account, namespace: Scene.namespace, scope: ServiceScope(), allocates: true,
            announces: false, requestsPerSecond: requestsPerSecond,
            makeGossipKeys: { "scripted keys" })
        settings.election = election
        let source = try KubernetesSource(
            settings: settings, access: access, userAgent: "martlet/tests", logger: logger)
        let start = ContinuousClock.now
        let controller = ServiceController(
            source: source, scope: ServiceScope(), logger: logger, interval: .milliseconds(100),
            clock: { Instant(nanoseconds: 0) + (ContinuousClock.now - start) })
        let states = source.states()
        let deciding = Task { await controller.run() }
        self.deciding = deciding
        task = Task {
            await withTaskGroup(of: Void.self) { group in
                group.addTask {
                    do {
                        try await source.run()
                    } catch {
                        logger.error("the source ended", metadata: ["error": "\(error)"])
                    }
                }
                group.addTask {
                    await withTaskCancellationHandler {
                        await deciding.value
                    } onCancel: {
                        deciding.cancel()
                    }
                }
                group.addTask {
                    for await state in states { latest.state.withLock { $0 = state } }
                }
                await group.waitForAll()
            }
        }
        self.account = account
        self.source = source
        self.controller = controller
        self.latest = latest
        self.log = log
    }

    /// What it knew last; `nil` while it is not ready.
    var state: ClusterState? { latest.state.withLock { $0 } }
    /// Whether it is the one that writes.
    var leads: Bool { state?.isLeader ?? false }
    /// What is wrong, in words.
    var problems: [String] { (state?.snapshot.problems ?? []).map(\.description) }
    /// What it logged so far, a line each with all of its metadata.
    var lines: [String] { log.lines }

    /// Ends it as SIGTERM does.
    func stop() async {
        source.endWriting()
        controller.stop()
        await deciding.value
        await source.resign()
        await kill()
    }

    /// Ends it in the middle of whatever it does, and keeps the Lease.
    func kill() async {
        task.cancel()
        await task.value
    }
}

/// Keeps what is logged.
private final class LogLines: LogHandler, Sendable {
    private let content = Mutex<[String]>([])
    private static let limit = 20_000

    var lines: [String] { content.withLock { $0 } }

    var metadata: Logger.Metadata {
        get { [:] }
        // Every line of interest brings its own.
        set {}
    }
    var logLevel: Logger.Level {
        get { .debug }
        // All that matters here is kept.
        set {}
    }
    subscript(metadataKey _: String) -> Logger.Metadata.Value? {
        get { nil }
        set {}
    }

    func log(event: LogEvent) {
        let details = (event.metadata ?? [:]).sorted { $0.key < $1.key }
            .map { "\($0.key)=\($0.value)" }.joined(separator: " ")
        content.withLock { lines in
            guard lines.count < Self.limit else { return }
            lines.append("\(event.level) \(event.message) \(details)")
        }
    }
}
