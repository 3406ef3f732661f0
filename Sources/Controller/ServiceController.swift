import ClusterSource
import FoundationEssentials
import Kubernetes
import LoadBalancing
import Logging
import NetworkTypes
import Synchronization

/// Gives Services their addresses: follows the source, decides with an ``AllocationLedger``, and
/// writes what is different.
///
/// It is level-based: each state is compared with what has been decided, so a write that was lost,
/// or made by a process that died half-way, is made again. Services that were found to be right are
/// compared again when they change, or what is written of them, or the pools. One task decides and
/// writes, so that no write is compared with a state older than the write before it.
package actor ServiceController {
    private let source: any SnapshotSource
    private let scope: ServiceScope
    private let logger: Logger
    private let clock: @Sendable () -> Instant
    private let interval: Duration
    /// A reason to look again, remembered once however often it is given.
    private let occasions: AsyncStream<Void>
    private let occasion: AsyncStream<Void>.Continuation
    private nonisolated let isStopping = Mutex(false)
    private var ledger: AllocationLedger?
    /// The term that the ledger belongs to.
    private var term = 0
    /// What the status is to say of each Service, worded once for each outcome.
    private var conditions: [ObjectName: StatusCondition] = [:]
    /// What could not be told yet, because the write failed, or has not come to it: the last of it.
    private var untold: [StatusWriter.Tiding] = []
    private static let untoldLimit = 20_000
    private var latest: ClusterState?
    /// What was written, and on which rules, when it was last compared with what is decided.
    private var compared: StatusWriter.Basis?
    /// The Services of which it did not say everything, or which it has outlived.
    private var unsettled: Set<ObjectName> = []
    private var needsRetry = false
    /// What was said of the last write, while it failed.
    private var writingTrouble: String?

    /// - Parameter interval: how often reservations that end and failed writes are looked at.
    package init(
        source: any SnapshotSource, scope: ServiceScope, logger: Logger,
        interval: Duration = .seconds(1), clock: @escaping @Sendable () -> Instant
    ) {
        self.source = source
        self.scope = scope
        self.logger = logger
        self.interval = interval
        self.clock = clock
        (occasions, occasion) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// Follows the source until it ends or the task is cancelled. Call it once.
    package func run() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.followStates() }
            group.addTask { await self.keepTime() }
            for await _ in occasions {
                if isStopping.withLock({ $0 }) { break }
                await reconcile()
            }
            group.cancelAll()
        }
    }

    /// Has ``run()`` return once what is being written now is written, and decides nothing more.
    package nonisolated func stop() {
        isStopping.withLock { $0 = true }
        occasion.finish()
    }

    /// What was decided, while this process is the allocator.
    package var decisions: AllocationLedger? { ledger }

    private func followStates() async {
        for await state in source.states() {
            // What speakers tell each other is none of the allocator's business.
            var news = state
            news.speakers = [:]
            guard news != latest else { continue }
            latest = news
            occasion.yield()
        }
        occasion.finish()
    }

    /// Ends reservations in time, and tries again after a write that failed.
    private func keepTime() async {
        while !Task.isCancelled {
            do {
                try await Task.sleep(for: interval)
            } catch {
                return
            }
            let isDue = ledger?.allocator.nextDeadline.map { $0 <= clock() } ?? false
            if isDue || needsRetry { occasion.yield() }
        }
    }

    private func reconcile() async {
        guard let state = latest else { return }
        guard state.isLeader else {
            if ledger != nil { logger.notice("another process allocates now") }
            forget()
            return
        }
        // Between two terms another may have decided, also when its time passed by unseen.
        if state.term != term { forget() }
        term = state.term
        let now = clock()
        let date = Date()
        if ledger == nil {
            logger.notice(
                "this process allocates addresses",
                metadata: ["services": "\(state.snapshot.services.count)"])
        }
        var ledger = self.ledger ?? AllocationLedger(scope: scope)
        // Given up here, so that the update does not copy it.
        self.ledger = nil
        let changed = ledger.update(state, at: now, date: date)
        self.ledger = ledger
        for name in changed {
            conditions[name] = ledger.outcomes[name].flatMap(StatusWriter.condition)
        }

        var writer = StatusWriter(
            state: state, ledger: ledger, conditions: conditions, now: now, date: date)
        let basis = StatusWriter.Basis(state)
        let edited = compared.flatMap { basis.differences(from: $0) }
        let names = edited.map { $0.union(unsettled).union(ledger.touched).union(changed) }
        writer.compareAllocations(of: names)
        writer.compareConditions(of: names)
        writer.comparePools()
        compared = basis
        unsettled = writer.unsettled
        writer.tell(changed)
        await write(writer.updates, untold + writer.tidings)
    }

    private func forget() {
        ledger = nil
        conditions = [:]
        untold = []
        compared = nil
        unsettled = []
        needsRetry = false
    }

    /// Of updates and tidings those of the first Services in order, as many as one write may
    /// concern. The rest comes with the next round, which is rung for.
    private func batch(
        _ updates: [StatusUpdate], _ tidings: [StatusWriter.Tiding]
    ) -> ([StatusUpdate], [StatusWriter.Tiding], waiting: [StatusWriter.Tiding]) {
        guard source.writeLimit < .max else { return (updates, tidings, []) }
        var admitted: Set<ObjectName> = []
        func admits(_ name: ObjectName) -> Bool {
            if admitted.contains(name) { return true }
            guard admitted.count < source.writeLimit else { return false }
            admitted.insert(name)
            return true
        }
        let now = updates.filter { update in
            switch update {
            case .allocation(let name, _), .condition(let name, _),
                .conditionEnded(let name, _):
                admits(name)
            case .pool: true
            case .event(let event): admits(event.service)
            }
        }
        if now.count < updates.count { occasion.yield() }
        let isNow = { (tiding: StatusWriter.Tiding) in admits(tiding.event.service) }
        return (now, tidings.filter(isNow), tidings.filter { !isNow($0) })
    }

    private func write(_ updates: [StatusUpdate], _ tidings: [StatusWriter.Tiding]) async {
        untold = []
        needsRetry = false
        guard !updates.isEmpty || !tidings.isEmpty else { return }
        let (updates, tidings, waiting) = batch(updates, tidings)
        do {
            let outcome = try await source.write(updates + tidings.map { .event($0.event) })
            let failures = outcome.failures
            for tiding in tidings where failures[tiding.event.service] == nil { log(tiding.line) }
            untold = (tidings.filter { failures[$0.event.service] != nil } + waiting)
                .suffix(Self.untoldLimit)
            needsRetry = !failures.isEmpty
            noteTrouble(failures.min { $0.key < $1.key }.map { "\($0.key): \($0.value)" })
        } catch {
            untold = (tidings + waiting).suffix(Self.untoldLimit)
            needsRetry = true
            noteTrouble("\(error)")
        }
    }

    /// A write is tried again every second, and worth a line only when it is another trouble.
    private func noteTrouble(_ trouble: String?) {
        if let trouble, trouble != writingTrouble {
            logger.error("could not write status", metadata: ["error": "\(trouble)"])
        }
        writingTrouble = trouble
    }

    private func log(_ line: StatusWriter.Line) {
        var metadata: Logger.Metadata = ["service": "\(line.service)"]
        for (key, value) in line.metadata { metadata[key] = "\(value)" }
        switch line.kind {
        case .assigned: logger.info("address assigned", metadata: metadata)
        case .moved: logger.notice("address moved", metadata: metadata)
        case .cleared: logger.info("address cleared", metadata: metadata)
        case .refused: logger.warning("no address", metadata: metadata)
        }
    }
}
