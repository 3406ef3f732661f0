import FoundationEssentials
import Kubernetes
import LinuxNetwork
import Logging
import NetworkTypes
import Synchronization

/// A cluster behind a Kubernetes API server.
///
/// ```
///   API server ── list, watch ──► ResourceFollower (one a resource) ──► ClusterMirror ──► states
///        ▲                                                                  ▲    │
///        │   PATCH, one a Service ── ServiceWriting ◄── write(_:) ──────────┘    ▼
///        │   the Lease ───────────── LeadershipKeeper: who may write         ClusterJournal
///        └── statuses, Events ────── RequestRunner: StatusObjects, EventRecorder   (disk)
/// ```
///
/// What a server that is away takes away: nothing. The mirror keeps what was last known, and a
/// speaker's journal keeps it for the process after this one.
package final class KubernetesSource: SnapshotSource {
    /// Who we are, and what for.
    package struct Settings: Sendable {
        /// The node's name.
        package var node: String
        /// The namespace of Martlet's objects.
        package var namespace: String
        /// The Services that are ours.
        package var scope: ServiceScope
        /// Whether this process wants to be the controller that writes.
        package var allocates: Bool
        /// Whether this process is a node's speaker.
        package var announces: Bool
        /// Whether it takes the traffic of all Services on to their endpoints.
        package var carriesTraffic: Bool
        /// The folder for what outlives the process; `nil` for none.
        package var state: String?
        /// The most requests a second, beyond Leases.
        package var requestsPerSecond: Int
        /// The text of a new file of gossip keys.
        package var makeGossipKeys: @Sendable () -> String
        /// For how long a start waits for the server before it goes on with what a former process
        /// kept.
        package var grace = Duration.seconds(2)
        /// The times by which controllers take turns.
        package var election = LeaderElection.Timing()

        package init(
            node: String, namespace: String, scope: ServiceScope, allocates: Bool,
            announces: Bool, carriesTraffic: Bool = false, state: String? = nil,
            requestsPerSecond: Int = 500, makeGossipKeys: @escaping @Sendable () -> String
        ) {
            self.node = node
            self.namespace = namespace
            self.scope = scope
            self.allocates = allocates
            self.announces = announces
            self.carriesTraffic = carriesTraffic
            self.state = state
            self.requestsPerSecond = requestsPerSecond
            self.makeGossipKeys = makeGossipKeys
        }
    }

    let settings: Settings
    let client: APIClient
    let cluster: ClusterMirror
    let sender: RequestSender
    let logger: Logger
    let permit = WritingPermit()
    let interests: [ResourceInterest]
    let record: OwnRecordFile?
    let leases = Mutex<[String: String]>([:])
    private let journal: ClusterJournal?
    private let subscribers = StateSubscribers()
    private let leadership: LeadershipKeeper?
    private let pools: PoolKeeper
    private let events: [RequestRunner<EventRecorder>]
    private let reports = Mutex<Reports>(Reports())

    /// Status objects are kept once it is known whose they are.
    private struct Reports {
        var node: RequestRunner<StatusObjects>?
        var controller: RequestRunner<StatusObjects>?
        var latest: NodeReport?
    }

    /// Throws when the folder for the state cannot be used.
    package init(
        settings: Settings, access: ClusterAccess, userAgent: String, logger: Logger
    ) throws {
        self.settings = settings
        self.logger = logger
        client = APIClient(access: access, userAgent: userAgent, logger: logger)
        interests = ResourceInterest.all(
            allocates: settings.allocates, announces: settings.announces,
            namespace: settings.namespace)
        let rate = settings.requestsPerSecond
        let gate = RequestGate(
            RequestBudget.Settings(rate: rate, burst: rate, inFlight: 32), seed: Self.seed())
        sender = RequestSender(client: client, gate: gate)
        let folder = settings.announces ? settings.state : nil
        journal = try folder.map {
            try ClusterJournal(folder: $0, identity: access.server.description)
        }
        record = folder.map { OwnRecordFile(folder: $0) }
        cluster = ClusterMirror(
            settings: ClusterMirror.Settings(
                node: settings.node, namespace: settings.namespace, scope: settings.scope,
                interests: interests, carriesTraffic: settings.carriesTraffic),
            journal: journal, tally: client.tally,
            gossipKeys: { [folder, logger] keys in
                guard let folder, let keys else { return }
                GossipKeyFile(folder: folder).replace(with: keys, logger)
            })
        pools = PoolKeeper(
            sender: sender, cluster: cluster, permit: permit, namespace: settings.namespace)
        let identity = settings.node + "_" + String(Self.seed(), radix: 36)
        leadership =
            settings.allocates
            ? LeadershipKeeper(
                identity: identity, timing: settings.election, namespace: settings.namespace,
                sender: sender,
                cluster: cluster, permit: permit, logger: logger,
                catchUp: { [client, cluster, settings] () throws(APIFailure) in
                    try await Self.catchUp(client, cluster, settings)
                }) : nil
        let managers =
            (settings.allocates ? [LeadershipKeeper.manager] : [])
            + (settings.announces ? [Self.speakerManager] : [])
        events = managers.map { [sender, cluster] manager in
            RequestRunner(
                EventRecorder(manager: manager, instance: settings.node, seed: Self.seed()),
                kind: .event, sender: sender
            ) { await cluster.note($0, about: "events of \(manager)") }
        }
    }

    static let speakerManager = "martlet-speaker"

    /// Jitter must differ between processes, and need not be secret.
    private static func seed() -> UInt64 { SystemRandomNumberGenerator.seed() }

    /// Statuses in the cluster outlive every process.
    package var keepsAllocations: Bool { true }

    package func states() -> AsyncStream<ClusterState> { subscribers.subscribe() }

    /// Follows until the task is cancelled. A server that cannot be reached is waited for.
    package func run() async throws {
        let floors = try await restore()
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.sender.gate.run() }
            group.addTask { await self.publishStates() }
            let companions = FollowerGroup(gate: sender.gate)
            for interest in interests {
                let follower = ResourceFollower(
                    interest, client: client, cluster: cluster,
                    decoder: decoder(of: interest.resource), seed: Self.seed(),
                    companions: companions, logger: logger)
                await companions.add(follower, of: interest)
                let floor = floors[interest]
                group.addTask { await follower.run(floor: floor) }
            }
            group.addTask { await self.showRestoredAfterGrace() }
            group.addTask { await self.keepStatuses() }
            if let journal { group.addTask { await self.confirmJournal(journal) } }
            for runner in events { group.addTask { await runner.run() } }
            if let leadership {
                group.addTask { await leadership.run() }
                group.addTask { await self.pools.run() }
                group.addTask { await self.makeGossipSecret() }
            }
            await group.waitForAll()
        }
        subscribers.finish()
        await journal?.close()
        await client.shutdown()
    }

    /// Closes what ``run()`` would have closed, where it will not be called.
    package func abandon() async { await client.shutdown() }

    /// Begins no write of the controller any more; those under way come to their end.
    package func endWriting() { permit.end() }

    /// How long a write that is under way may last.
    package static let longestWrite = RequestSender.patience

    /// Gives up the right to write, so that another controller can go on at once. Call it when
    /// nothing is under way any more, and before ``run()``'s task is cancelled.
    package func resign() async {
        permit.end()
        await leadership?.resign()
    }

    func decoder(of resource: APIResource) -> ObjectDecoder {
        ObjectDecoder(
            resource: resource, configurationNamespace: settings.namespace,
            keepsText: journal != nil)
    }

    // MARK: A former process

    private func restore() async throws -> [ResourceInterest: String] {
        await cluster.publish(record?.read(settings.node, logger))
        guard let journal else { return [:] }
        defer { started(journal) }
        let kinds = Dictionary(
            interests.map { ($0.resource.kind, decoder(of: $0.resource)) },
            uniquingKeysWith: { first, _ in first })
        let content = try journal.restore { kinds[$0] }
        var floors: [ResourceInterest: String] = [:]
        guard let confirmed = content.confirmed, !content.objects.isEmpty else { return floors }
        let seconds = Double(confirmed.nanosecondsSince1970) / 1e9
        await cluster.restore(content.objects, from: Date(timeIntervalSince1970: seconds))
        for interest in interests {
            let versions = [await cluster.floor(of: interest), content.versions[interest.path]]
            floors[interest] = versions.compactMap { $0.flatMap { UInt64($0) } }.max()
                .map { "\($0)" }
        }
        return floors
    }

    private func started(_ journal: ClusterJournal) {
        do throws(SystemError) {
            try journal.start()
        } catch {
            logger.error(
                "the last good state is not kept", metadata: ["error": "\(error.fileReason)"])
        }
    }

    /// A speaker that starts while the server is away goes on with what was last known.
    private func showRestoredAfterGrace() async {
        do {
            try await Task.sleep(for: settings.grace)
        } catch {
            return
        }
        guard await cluster.showRestored() else { return }
        let why = await cluster.firstTrouble?.rule ?? "no answer yet"
        logger.warning(
            "the API server has not answered yet; going on with what was last known",
            metadata: ["why": "\(why)"])
    }

    /// Has the journal know until when it was right.
    private func confirmJournal(_ journal: ClusterJournal) async {
        while !Task.isCancelled {
            if await cluster.isCurrent { journal.confirm(at: .now()) }
            await cluster.note(
                journal.trouble.map {
                    Problem(
                        .warning, object: "last good state", rule: $0,
                        remedy: "a restart while the API server is away would find nothing")
                }, about: "journal")
            do {
                try await Task.sleep(for: .seconds(30))
            } catch {
                return
            }
        }
    }

    // MARK: States

    /// Hands out states as they change, resting so long after each that making them takes no more
    /// than a small part of the time.
    private func publishStates() async {
        var problems: [Problem] = []
        var isLeader = false
        for await _ in cluster.changed.rings {
            guard let state = await cluster.state() else { continue }
            subscribers.publish(state)
            pools.alarm.ring()
            await resize(state)
            let begins = state.isLeader && !isLeader
            isLeader = state.isLeader
            if begins || state.snapshot.problems != problems {
                problems = state.snapshot.problems
                await tellControllerStatus(problems, isFirst: begins)
            }
            let rest = Duration.microseconds(200 + state.snapshot.services.count)
            do {
                try await Task.sleep(for: min(rest, .milliseconds(10)))
            } catch {
                return
            }
        }
    }

    // MARK: Writing

    package let writeLimit = 512

    @discardableResult
    package func write(_ updates: [StatusUpdate]) async throws -> WriteOutcome {
        guard permit.mayWrite else { throw SourceError.notLeader(holder: permit.leader) }
        // How full pools are need not wait for thousands of Services to be told.
        await decide(figures: updates)
        let outcome = await ServiceWriting(
            sender: sender, cluster: cluster, permit: permit, namespace: settings.namespace
        ).write(updates)
        // What is kept back of Services that are gone was decided meanwhile.
        pools.alarm.ring()
        var tidings: [ClusterEvent] = []
        for update in updates {
            switch update {
            case .event(let event) where outcome.failures[event.service] == nil:
                tidings.append(event)
            case .event, .allocation, .condition, .conditionEnded, .pool: break
            }
        }
        await tell(tidings, by: events.first)
        return outcome
    }

    private func decide(figures updates: [StatusUpdate]) async {
        let figures = updates.compactMap { update -> ClusterMirror.PoolEdit? in
            if case .pool(let name, let value) = update { .figures(name, value) } else { nil }
        }
        if await !cluster.decide(figures).isEmpty { pools.alarm.ring() }
    }

    package func publish(_ record: SpeakerRecord?) async throws {
        try self.record?.write(record)
        await cluster.publish(record)
    }

    /// At the speaker's own word; what the controller tells comes with its writes.
    package func tell(_ events: [ClusterEvent]) async { await tell(events, by: self.events.last) }

    private func tell(_ events: [ClusterEvent], by recorder: RequestRunner<EventRecorder>?) async {
        for event in events {
            let uid = await cluster.identity(of: event.service)?.service.metadata.uid ?? ""
            await recorder?.tell(
                .told(
                    EventRecorder.Tiding(
                        service: event.service, uid: uid, isWarning: event.severity == .warning,
                        reason: event.reason, note: event.message)))
        }
    }

    // MARK: Status objects

    package func report(_ report: NodeReport) async {
        let runner = reports.withLock { reports in
            reports.latest = report
            return reports.node
        }
        await runner?.tell(.wanted(StatusObjects.Content(report)))
    }

    /// Keeps the status objects of this process, from when the cluster is known.
    private func keepStatuses() async {
        for await _ in cluster.synced.rings { break }
        guard !Task.isCancelled, let state = await cluster.state() else { return }
        let (namespace, sender, cluster) = (settings.namespace, sender, cluster)
        func runner(
            _ role: StatusObjects.Role, _ manager: String, by permit: WritingPermit? = nil
        ) -> RequestRunner<StatusObjects> {
            RequestRunner(
                StatusObjects(
                    role: role, namespace: namespace, manager: manager, seed: Self.seed()),
                kind: .status, sender: sender, by: permit
            ) { await cluster.note($0, about: "status objects of \(manager)") }
        }
        let uid = state.snapshot.nodes[settings.node]?.metadata.uid ?? ""
        let node =
            settings.announces
            ? runner(.speaker(node: settings.node, uid: uid), Self.speakerManager) : nil
        let controller =
            settings.allocates ? runner(.controller, LeadershipKeeper.manager, by: permit) : nil
        let latest = reports.withLock { reports in
            reports.node = node
            reports.controller = controller
            return reports.latest
        }
        if let latest { await node?.tell(.wanted(StatusObjects.Content(latest))) }
        await resize(state)
        await tellControllerStatus(state.snapshot.problems)
        await withTaskGroup(of: Void.self) { group in
            if let node { group.addTask { await node.run() } }
            if let controller { group.addTask { await controller.run() } }
            await group.waitForAll()
        }
    }

    private func resize(_ state: ClusterState) async {
        let runner = reports.withLock { $0.node }
        await runner?.tell(
            .sized(nodes: state.snapshot.nodes.count, services: state.allocations.count))
    }

    /// The controller that writes says for all how the configuration reads.
    ///
    /// - Parameter isFirst: another may have said it until now.
    private func tellControllerStatus(_ problems: [Problem], isFirst: Bool = false) async {
        guard permit.mayWrite, let runner = reports.withLock({ $0.controller }) else { return }
        if isFirst { await runner.tell(.doubted) }
        await runner.tell(.wanted(StatusObjects.Content(problems: problems)))
    }
}

extension StatusObjects.Content {
    /// What a node's speaker reports.
    fileprivate init(_ report: NodeReport) {
        self.init(
            interfaces: report.interfaces, peers: report.peers, problems: report.problems)
    }
}

extension SystemRandomNumberGenerator {
    fileprivate static func seed() -> UInt64 {
        var generator = SystemRandomNumberGenerator()
        return generator.next()
    }
}
