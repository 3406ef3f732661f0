import ClusterSource
import Kubernetes
import LinuxNetwork
import LoadBalancing
import NetworkTypes
import Synchronization

/// Keeps this node's Lease fresh and reads those of others: the shell around ``FenceKeeper`` and
/// ``FenceWatch``.
///
/// The permit to answer is extended from here, by this machine's clock alone. The thread that
/// decides what is announced is told what the Leases say, and never waits for any of this.
package actor FenceSpeaker {
    /// What happened. At most 64 wait; then the oldest are lost: they are only for the log.
    package nonisolated let events: AsyncStream<FenceEvent>
    /// How it stands.
    package nonisolated var report: FenceReport { shown.withLock { $0 } }

    private enum Request: Sendable { case renew, read(String), readAll }

    /// How long the node's Lease is waited for at the end.
    private static let longestRelease = Duration.seconds(1)

    private let node: String
    private let settings: FencingSettings
    private let permit: AnsweringPermit
    private let tell: @Sendable (@escaping @Sendable (inout TenureMail) -> Void) -> Void
    private let continuation: AsyncStream<FenceEvent>.Continuation
    private let requests: AsyncStream<Request>
    private let pending: AsyncStream<Request>.Continuation
    private nonisolated let shown = Mutex(FenceReport())
    private nonisolated let wanted = Mutex<Set<String>>([])
    private nonisolated let wishes = Doorbell()
    private var keeper: FenceKeeper
    private var watch: FenceWatch

    /// - Parameters:
    ///   - permit: whose fence is extended.
    ///   - tell: tells the thread that decides; must not block.
    init(
        node: String, settings: FencingSettings, permit: AnsweringPermit,
        tell: @escaping @Sendable (@escaping @Sendable (inout TenureMail) -> Void) -> Void
    ) {
        self.node = node
        self.settings = settings
        self.permit = permit
        self.tell = tell
        keeper = FenceKeeper(duration: settings.duration)
        watch = FenceWatch(duration: settings.duration)
        (events, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(64))
        // The machines have at most nine requests under way, and give those up that last too long.
        (requests, pending) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(64))
    }

    /// Asks which of the nodes are silent, in place of what was asked before. Does not block.
    nonisolated func awaitSilence(of nodes: Set<String>) {
        wanted.withLock { $0 = nodes }
        wishes.ring()
    }

    /// Goes on until the task is cancelled; then nothing is answered for any more.
    func run() async {
        perform(keeper.handle(.started, at: MonotonicClock.now()))
        await withDiscardingTaskGroup { group in
            group.addTask { await self.meetDeadlines() }
            group.addTask { await self.followWishes() }
            for await request in requests {
                group.addTask { await self.carryOut(request) }
            }
        }
        permit.fenceUntil = Instant(nanoseconds: .min)
        continuation.finish()
    }

    /// Tells the others that they need not wait. Only after this node has fallen silent.
    func release() async {
        permit.fenceUntil = Instant(nanoseconds: .min)
        await withTaskGroup(of: Void.self) { [settings, node] group in
            group.addTask {
                do {
                    try await settings.leases.release(node: node)
                } catch {
                    // The others find out by waiting; there is nobody left here to tell.
                }
            }
            group.addTask {
                do {
                    try await Task.sleep(for: Self.longestRelease)
                } catch {
                    // The release was faster.
                }
            }
            await group.next()
            group.cancelAll()
        }
    }

    // MARK: What happens

    private func meetDeadlines() async {
        let longest = settings.duration / 40
        while !Task.isCancelled {
            let now = MonotonicClock.now()
            if let due = keeper.nextDeadline, due <= now {
                perform(keeper.handle(.deadlineReached, at: now))
            }
            if let due = watch.nextDeadline, due <= now { tellWatch(.deadlineReached, at: now) }
            let next = [keeper.nextDeadline, watch.nextDeadline].compactMap(\.self).min()
            let rest = min(next.map { max($0 - now, .milliseconds(1)) } ?? longest, longest)
            do {
                try await Task.sleep(for: rest)
            } catch {
                return
            }
        }
    }

    private func followWishes() async {
        for await _ in wishes.rings {
            tellWatch(.awaited(wanted.withLock { $0 }), at: MonotonicClock.now())
        }
    }

    private func carryOut(_ request: Request) async {
        let sentAt = MonotonicClock.now()
        do {
            switch request {
            case .renew:
                try await settings.leases.renew(node: node, duration: settings.duration)
                // The clock is read after the answer, so that a lapse meanwhile is seen.
                perform(keeper.handle(.renewed(sentAt: sentAt), at: MonotonicClock.now()))
            case .read(let other):
                let record = try await settings.leases.read(node: other)
                tellWatch(.read(other, record, sentAt: sentAt), at: MonotonicClock.now())
            case .readAll:
                let records = try await settings.leases.readAll()
                tellWatch(.readAll(records, sentAt: sentAt), at: MonotonicClock.now())
            }
            shown.withLock { $0.trouble = nil }
        } catch {
            fail(request, "\(error)")
        }
    }

    private func fail(_ request: Request, _ trouble: String) {
        let now = MonotonicClock.now()
        switch request {
        case .renew: perform(keeper.handle(.failed, at: now))
        case .read(let other): tellWatch(.failed(other), at: now)
        case .readAll: tellWatch(.failed(nil), at: now)
        }
        let isNews = shown.withLock { shown in
            defer { shown.trouble = trouble }
            return shown.trouble != trouble
        }
        if isNews { continuation.yield(.failed(trouble)) }
    }

    // MARK: What to do

    private func perform(_ actions: [FenceKeeper.Action]) {
        for action in actions {
            switch action {
            case .renew: pending.yield(.renew)
            case .begin(let session, let until):
                // Answers wait until the other thread has taken in that everything is to be made
                // sure of anew.
                let suspension = permit.suspendFence()
                permit.fenceUntil = until
                tellWatch(.sessionChanged(session), at: MonotonicClock.now())
                pass(suspension)
                continuation.yield(.fresh)
            case .extend(let until): permit.fenceUntil = until
            case .lapsed:
                tellWatch(.sessionChanged(nil), at: MonotonicClock.now())
                pass(nil)
                continuation.yield(.lapsed)
            }
        }
        shown.withLock { $0.freshUntil = keeper.freshUntil }
    }

    private func tellWatch(_ event: FenceWatch.Event, at now: Instant) {
        for action in watch.handle(event, at: now) {
            switch action {
            case .read(let other): pending.yield(.read(other))
            case .readAll: pending.yield(.readAll)
            case .silent: pass(nil)
            }
        }
        let awaited = wanted.withLock { $0 }
        shown.withLock { shown in
            shown.awaited = Dictionary(
                uniqueKeysWithValues: awaited.map { ($0, shown.awaited[$0] ?? now) })
            shown.silent = watch.silent
        }
    }

    /// Tells the thread that decides how the Leases stand.
    private func pass(_ suspension: UInt64?) {
        let fence = Tenure.Fence(session: keeper.session, silent: watch.silent)
        tell { mail in
            mail.fence = fence
            if let suspension { mail.fenceSuspension = suspension }
        }
    }
}
