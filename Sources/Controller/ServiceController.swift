import ClusterSource
import FoundationEssentials
import Kubernetes
import LoadBalancing
import Logging
import NetworkTypes

/// Gives Services their addresses: follows the source, decides with an ``AllocationLedger``, and
/// writes what is different.
///
/// It is level-based: each state is compared with what has been decided, so a write that was lost,
/// or made by a process that died half-way, is made again.
package actor ServiceController {
    private let source: any SnapshotSource
    private let scope: ServiceScope
    private let logger: Logger
    private let clock: @Sendable () -> Instant
    private var ledger: AllocationLedger?
    private var latest = ClusterState()

    package init(
        source: any SnapshotSource, scope: ServiceScope, logger: Logger,
        clock: @escaping @Sendable () -> Instant
    ) {
        self.source = source
        self.scope = scope
        self.logger = logger
        self.clock = clock
    }

    /// Follows the source until it ends or the task is cancelled.
    package func run() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.followStates() }
            group.addTask { await self.keepTime() }
            await group.next()
            group.cancelAll()
        }
    }

    /// What was decided, while this process is the allocator.
    package var decisions: AllocationLedger? { ledger }

    private func followStates() async {
        for await state in source.states() {
            await reconcile(state)
        }
    }

    /// Ends reservations in time, and tries again after a write that failed.
    private func keepTime() async {
        while !Task.isCancelled {
            do {
                try await Task.sleep(for: .seconds(1))
            } catch {
                return
            }
            let isDue = ledger?.allocator.nextDeadline.map { $0 <= clock() } ?? false
            if isDue || needsRetry { await reconcile(latest) }
        }
    }

    private var needsRetry = false

    private func reconcile(_ state: ClusterState) async {
        latest = state
        guard state.isLeader else {
            if ledger != nil { logger.notice("another process allocates now") }
            ledger = nil
            return
        }
        let now = clock()
        let date = Date()
        if ledger == nil {
            logger.notice(
                "this process allocates addresses",
                metadata: ["services": "\(state.snapshot.services.count)"])
        }
        var ledger = self.ledger ?? AllocationLedger(scope: scope)
        let changed = ledger.update(state, at: now, date: date)
        self.ledger = ledger

        var writer = StatusWriter(state: state, ledger: ledger, now: now, date: date)
        writer.compareAllocations()
        writer.compareConditions()
        writer.comparePools()
        writer.tell(changed)
        guard !writer.updates.isEmpty else {
            needsRetry = false
            return
        }
        do {
            try await source.write(writer.updates)
            needsRetry = false
            for line in writer.lines { log(line) }
        } catch {
            needsRetry = true
            logger.error("could not write status", metadata: ["error": "\(error)"])
        }
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
