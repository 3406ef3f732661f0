import Foundation
import Kubernetes
import LinuxNetwork
import Logging
import NetworkTypes

/// What the thread of a folder source does: sleep until a folder changed, a request came, or
/// something is due; do it; publish the state if that changed it.
struct FolderLoop {
    private let watch: InotifyWatch
    private let mailbox: Mailbox<FolderRequests>
    private let subscribers: StateSubscribers
    private let logger: Logger
    private var manifests: ManifestFolder
    private var folder: StateFolder?
    private var assembler: SnapshotAssembler
    private var snapshot = ClusterSnapshot()
    private var isComplete = true
    private var merged = MergedServices()
    /// What is kept where there is no state folder.
    private var memory = StateTable()
    private var memorySpeakers: [String: SpeakerRecord] = [:]

    init(
        settings: FolderSource.Settings, watch: InotifyWatch, mailbox: Mailbox<FolderRequests>,
        subscribers: StateSubscribers, logger: Logger
    ) {
        self.watch = watch
        self.mailbox = mailbox
        self.subscribers = subscribers
        self.logger = logger
        let process = ProcessInfo.processInfo.processIdentifier
        folder = settings.state.map { path in
            StateFolder(
                path: path, watch: watch, holder: "\(settings.node), process \(process)",
                contends: settings.contends, logger: logger)
        }
        manifests = ManifestFolder(path: settings.manifests, watch: watch, state: settings.state)
        assembler = SnapshotAssembler(configurationNamespace: settings.configurationNamespace)
    }

    /// Reads everything once.
    mutating func look() throws -> ClusterState {
        try folder?.look()
        try manifests.open(at: MonotonicClock.now())
        assemble()
        return state()
    }

    /// Runs until the mailbox says stop. Throws when a folder cannot be opened at the start.
    mutating func run() throws {
        let start = MonotonicClock.now()
        // First the state: a state folder inside the manifest folder must exist to be passed over.
        try folder?.open(at: start)
        try manifests.open(at: start)
        assemble()
        subscribers.publish(state())
        while true {
            let deadline = [manifests.nextDeadline, folder?.nextDeadline].compactMap { $0 }.min()
            let wakeUp = try mailbox.wait(for: watch.descriptor, until: deadline)
            var changed = false
            let events = wakeUp.isReady ? try watch.drain() : []
            let now = MonotonicClock.now()
            for event in events {
                manifests.handle(event, at: now)
                if folder?.handle(event, at: now) == true { changed = true }
            }
            if folder?.advance(at: now) == true { changed = true }
            if manifests.advance(at: now) {
                assemble()
                changed = true
            }
            let requests = mailbox.take()
            if serve(requests.waiting, at: now, changed: changed) { changed = false }
            if changed { subscribers.publish(state()) }
            if requests.isStopping { return }
        }
    }

    /// Carries out requests: all that wait as one write, so that many cost no more than one. True
    /// when the state was published.
    private mutating func serve(
        _ requests: [FolderRequests.Request], at now: Instant, changed: Bool
    ) -> Bool {
        guard !requests.isEmpty else { return false }
        let before = (table.allocations, speakers, folder?.problems)
        var table = table
        var answers: [(FolderRequests.Request, Result<Void, any Error>)] = []
        var writes: [FolderRequests.Request] = []
        for request in requests {
            let result: Result<Void, any Error>
            switch request {
            case .write(let updates, _):
                result = Result {
                    try table.apply(updates, at: Date(), presence: presence)
                }
                if case .success = result {
                    writes.append(request)
                    continue
                }
            case .publish(let record, _):
                result = Result { try publish(record, at: now) }
            }
            answers.append((request, result))
        }
        if !writes.isEmpty {
            let result = Result<Void, any Error> { try commit(table, at: now) }
            answers += writes.map { ($0, result) }
        }
        let isNew = changed || before != (self.table.allocations, speakers, folder?.problems)
        // Who is told that it is done finds it in the state.
        if isNew { subscribers.publish(state()) }
        for (request, result) in answers { request.answer(result) }
        return isNew
    }

    private mutating func commit(_ table: StateTable, at now: Instant) throws(SourceError) {
        var table = table
        if isComplete { table.prune(presence: presence) }
        if folder == nil { memory = table } else { try folder?.commit(table, at: now) }
    }

    private mutating func publish(
        _ record: SpeakerRecord?, at now: Instant
    ) throws(SourceError) {
        guard folder == nil else { return try folder?.publish(record, at: now) ?? () }
        memorySpeakers = record.map { [$0.node: $0] } ?? [:]
    }

    private var table: StateTable { folder?.table ?? memory }
    private var speakers: [String: SpeakerRecord] { folder?.speakers ?? memorySpeakers }

    private func presence(_ name: ObjectName) -> StateTable.Presence {
        snapshot.services.withValue(of: name) { $0.ingress.isEmpty ? .plain : .withIngress }
            ?? .absent
    }

    /// Brings the snapshot in step with the manifests.
    private mutating func assemble() {
        snapshot = assembler.update(manifests.takeChanges())
        let problems = manifests.problems
        if !problems.isEmpty { snapshot.problems += problems }
        isComplete =
            manifests.isComplete && !manifests.refusals.values.contains(where: hidesSomething)
    }

    /// Whether one of a file's broken objects has no good version that stays in force. Only the
    /// kinds whose absence takes addresses away matter.
    private func hidesSomething(_ refused: Set<ManifestObject.Reference>) -> Bool {
        refused.contains { reference in
            switch reference.kind {
            case "Service": !snapshot.services.contains(reference.name)
            case "IPAddressPool": snapshot.configuration.pools[reference.name.name] == nil
            default: false
            }
        }
    }

    /// The state as it is.
    private mutating func state() -> ClusterState {
        var state = ClusterState()
        state.snapshot = snapshot
        state.snapshot.services = merged.update(snapshot.services, table.allocations)
        let problems = folder?.problems ?? []
        if !problems.isEmpty { state.snapshot.problems += problems }
        state.allocations = table.allocations
        state.status = table.status
        state.speakers = speakers
        state.isLeader = folder?.isLeader ?? true
        // Allocations that cannot be read are no allocations taken away.
        state.isComplete = isComplete && folder?.isTableKnown ?? true
        return state
    }
}
