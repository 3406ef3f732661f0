import Kubernetes
import LinuxNetwork
import Logging
import NetworkTypes
import Synchronization

/// Until when this process may write, for whoever writes.
final class WritingPermit: Sendable {
    private struct Content {
        var until: Instant?
        var leader: String?
        var hasEnded = false
    }

    private let content = Mutex(Content())

    /// Whether a write may be begun now.
    var mayWrite: Bool {
        content.withLock { content in
            !content.hasEnded && content.until.map { MonotonicClock.now() < $0 } ?? false
        }
    }

    /// Who holds the Lease, for people.
    var leader: String { content.withLock { $0.leader } ?? "nobody yet" }

    func set(until: Instant?, leader: String?) {
        content.withLock { content in
            content.until = until
            content.leader = leader
        }
    }

    /// From now on nothing may be begun, whatever the Lease says.
    func end() { content.withLock { $0.hasEnded = true } }
}

/// Takes part in the election of the one controller that writes (``LeaderElection``).
///
/// A process that does not know the cluster yet leaves the Lease to one that does. A new leader
/// reads all Services and pools again before it counts as one: what the leader before it wrote last
/// may not have come by watch yet.
actor LeadershipKeeper {
    private let name: ObjectName
    private let sender: RequestSender
    private let cluster: ClusterMirror
    private let permit: WritingPermit
    private let logger: Logger
    private let catchUp: @Sendable () async throws(APIFailure) -> Void
    private var machine: LeaderElection
    private var waiting: [LeaderElection.Action] = []
    private let alarm = Alarm()
    /// Rings when there is a Lease of ours and not all that the leader before wrote is known.
    private let begins = Alarm()
    private var isCaughtUp = false
    /// Counts the times that this process led.
    private var term = 0
    private var refusal: Problem?

    static let manager = "martlet-controller"

    init(
        identity: String, timing: LeaderElection.Timing, namespace: String, sender: RequestSender,
        cluster: ClusterMirror,
        permit: WritingPermit, logger: Logger,
        catchUp: @escaping @Sendable () async throws(APIFailure) -> Void
    ) {
        name = ObjectName(namespace: namespace, Self.manager)
        self.sender = sender
        self.cluster = cluster
        self.permit = permit
        self.logger = logger
        self.catchUp = catchUp
        machine = LeaderElection(identity: identity, timing: timing)
    }

    /// Takes part until the task is cancelled; resign first, or the others wait for the Lease to
    /// run out.
    func run() async {
        for await _ in cluster.electable.rings { break }
        guard !Task.isCancelled else { return }
        await tell(.started)
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.follow() }
            group.addTask { await self.act() }
            group.addTask { await self.takeOver() }
            await group.next()
            group.cancelAll()
        }
    }

    /// Gives the Lease back, so that another controller can go on at once. Call it while ``run()``
    /// runs, and write nothing afterwards.
    func resign() async {
        await tell(.resigned)
        let begin = MonotonicClock.now()
        while !machine.isEnded, MonotonicClock.now() - begin < RequestSender.patience {
            do {
                try await Task.sleep(for: .milliseconds(5))
            } catch {
                return
            }
        }
    }

    private func act() async {
        while !Task.isCancelled, !machine.isEnded {
            if !waiting.isEmpty {
                await carryOut(waiting.removeFirst())
            } else if let deadline = machine.nextDeadline, deadline <= MonotonicClock.now() {
                await tell(.deadlineReached)
            } else {
                await alarm.wait(until: machine.nextDeadline)
            }
        }
    }

    private func tell(_ event: LeaderElection.Event) async {
        let actions = machine.handle(event, at: MonotonicClock.now())
        permit.set(until: machine.freshUntil, leader: machine.leader)
        for action in actions {
            switch action {
            // Said again with every renewal, so a failure to catch up is made good then.
            case .lead: if !isCaughtUp { begins.ring() }
            case .stepDown(let reason):
                isCaughtUp = false
                term += 1
                await cluster.lead(false)
                logger.notice("this controller writes no more", metadata: ["why": "\(reason)"])
            case .read, .create, .update: waiting.append(action)
            }
        }
        alarm.ring()
    }

    /// Begins to lead once everything is known that the leader before wrote. Beside the requests
    /// for the Lease, so that long lists do not keep it from being renewed.
    private func takeOver() async {
        while !Task.isCancelled {
            await begins.wait(until: nil)
            guard machine.isLeading, !isCaughtUp else { continue }
            let begun = term
            do throws(APIFailure) {
                try await catchUp()
                guard begun == term, machine.isLeading else { continue }
                isCaughtUp = true
                await cluster.lead(true)
                // It may have ended while that was said.
                if begun != term { await cluster.lead(false) }
            } catch {
                guard !Task.isCancelled else { return }
                logger.warning(
                    "cannot begin to allocate: not all Services can be read",
                    metadata: ["error": "\(error)"])
            }
        }
    }

    private func carryOut(_ action: LeaderElection.Action) async {
        let sent = MonotonicClock.now()
        do throws(APIFailure) {
            switch action {
            case .read:
                await tell(.observed(try await read()))
            case .create(let record):
                let request = record.stamped(.now()).creation(name, manager: Self.manager)
                await tell(.renewed(try await write(request), sentAt: sent))
            case .update(let record):
                let request = record.stamped(.now()).change(name, manager: Self.manager)
                await tell(.renewed(try await write(request), sentAt: sent))
            case .lead, .stepDown: break
            }
            await note(nil)
        } catch {
            await note(error)
            await tell(.failed(error))
        }
    }

    private func read() async throws(APIFailure) -> LeaseRecord? {
        do throws(APIFailure) {
            return try LeaseRecord(json: try await write(raw: .get(.leases, name)))
        } catch {
            guard error.code == 404 else { throw error }
            return nil
        }
    }

    private func write(_ request: ObjectRequest) async throws(APIFailure) -> LeaseRecord {
        try LeaseRecord(json: try await write(raw: request))
    }

    private func write(raw request: ObjectRequest) async throws(APIFailure) -> [UInt8] {
        try await sender.send(request, .lease).body
    }

    private func note(_ failure: APIFailure?) async {
        // A conflict only says that the other was faster.
        let isGrave = failure.map { !$0.isConflict } ?? false
        guard isGrave || refusal != nil else { return }
        refusal = failure.flatMap { failure in
            isGrave
                ? Problem(
                    .warning, object: "Lease \(name)",
                    rule: "cannot be read or written: \(failure)",
                    remedy: "without it no controller allocates; allow get, create and patch of "
                        + "leases in \(name.namespace) (deploy/kubernetes/rbac)") : nil
        }
        await cluster.note(refusal, about: "lease")
    }

    /// Follows the Lease, so that a release is known at once. The machine also asks now and then.
    private func follow() async {
        let request = APIRequest(
            path: APIResource.leases.path(namespace: name.namespace),
            query: [
                ("watch", "true"), ("fieldSelector", "metadata.name=\(name.name)"),
                ("timeoutSeconds", "300"),
            ])
        while !Task.isCancelled {
            do throws(APIFailure) {
                var stream = try await sender.client.open(request).makeAsyncIterator()
                var lines = WatchLines()
                while let bytes = try await stream.next() {
                    for line in try lines.append(bytes) {
                        switch try LeaseRecord.notice(watchLine: line) {
                        case .stored(let record): await tell(.observed(record))
                        case .deleted(let record): await tell(.deleted(record))
                        case nil: break
                        }
                    }
                }
            } catch {
                // Reading it now and then goes on, and says what is wrong.
                logger.debug("the Lease is not watched", metadata: ["error": "\(error)"])
            }
            do {
                try await Task.sleep(for: .seconds(2))
            } catch {
                return
            }
        }
    }
}
