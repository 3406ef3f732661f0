import Kubernetes
import LinuxNetwork
import Logging
import NetworkTypes

/// Carries out what a ``ListWatch`` wants for the objects of one interest, and hands what comes to
/// the mirror of the cluster.
actor ResourceFollower {
    private let interest: ResourceInterest
    private let client: APIClient
    private let cluster: ClusterMirror
    private let decoder: ObjectDecoder
    private let logger: Logger
    private let companions: FollowerGroup
    private let alarm = Alarm()
    private var machine: ListWatch
    private var next: Request?
    /// Counts requests, so that what comes late of one that was dropped is known as such.
    private var current = 0

    private enum Request {
        case list(ListQuery)
        case watch(WatchQuery)
    }

    init(
        _ interest: ResourceInterest, client: APIClient, cluster: ClusterMirror,
        decoder: ObjectDecoder, seed: UInt64, companions: FollowerGroup, logger: Logger
    ) {
        self.companions = companions
        self.interest = interest
        self.client = client
        self.cluster = cluster
        self.decoder = decoder
        self.logger = logger
        machine = ListWatch(interest.listWatch, seed: seed)
    }

    /// Follows until the task is cancelled.
    ///
    /// - Parameter floor: the version of what the mirror was restored from.
    func run(floor: String?) async {
        await tell(.started(floor: floor))
        while !Task.isCancelled {
            if let request = next {
                next = nil
                await carryOut(request)
            } else if let deadline = machine.nextDeadline {
                if deadline <= MonotonicClock.now() {
                    await tell(.deadlineReached)
                } else {
                    await alarm.wait(until: deadline)
                }
            } else {
                return
            }
        }
    }

    private func carryOut(_ request: Request) async {
        // What happens to all nodes at once is not to fall on the server at once.
        machine.settings.spread = ListWatch.spread(followers: await cluster.nodeCount + 2)
        current += 1
        let number = current
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                switch request {
                case .list(let query): await self.list(query, number)
                case .watch(let query): await self.watch(query, number)
                }
            }
            group.addTask { await self.keepTime(of: number) }
            await group.next()
            group.cancelAll()
        }
    }

    /// Tells the machine of deadlines while a request is under way; ends when that was dropped.
    private func keepTime(of number: Int) async {
        while number == current {
            // What the request brings moves the deadline, mostly away, but also nearer.
            let look = MonotonicClock.now() + Self.look
            guard await Self.sleep(until: min(machine.nextDeadline ?? look, look)) else { return }
            guard number == current, let due = machine.nextDeadline,
                due <= MonotonicClock.now()
            else { continue }
            await tell(.deadlineReached)
        }
    }

    /// How long a deadline that has come nearer may go unnoticed.
    private static let look = Duration.seconds(30)

    private static func sleep(until deadline: Instant) async -> Bool {
        do {
            try await Task.sleep(for: max(deadline - MonotonicClock.now(), .zero))
            return true
        } catch {
            return false
        }
    }

    // MARK: Requests

    private func list(_ query: ListQuery, _ number: Int) async {
        do throws(APIFailure) {
            let answer = try await client.send(
                APIRequest(path: query.path, query: query.items, timeout: .seconds(60)))
            let page = try decoder.page(answer.body)
            await companions.reached(besides: interest)
            guard number == current else { return }
            await cluster.accept(page, of: interest)
            // Taken for the page of another list, this one would end that.
            guard number == current else { return }
            await tell(
                .pageReceived(
                    resourceVersion: page.resourceVersion, continueToken: page.continueToken,
                    count: page.objects.count))
        } catch {
            guard number == current, !Task.isCancelled else { return }
            await tell(.failed(error))
        }
    }

    private func watch(_ query: WatchQuery, _ number: Int) async {
        do throws(APIFailure) {
            var stream = try await client.open(
                APIRequest(path: query.path, query: query.items)
            ).makeAsyncIterator()
            guard number == current else { return }
            await tell(.watchOpened)
            await companions.reached(besides: interest)
            var lines = WatchLines()
            while let bytes = try await stream.next() {
                let events = try lines.append(bytes).map { line throws(APIFailure) in
                    try decoder.watchEvent(line)
                }
                guard try await take(events, number) else { return }
            }
            guard number == current, !Task.isCancelled else { return }
            await tell(
                lines.hasHalfLine
                    ? .failed(.transport("the watch broke off in the middle of a line"))
                    : .watchEnded)
        } catch {
            guard number == current, !Task.isCancelled else { return }
            await tell(.failed(error))
        }
    }

    /// Takes what one read of a watch brought; false when the watch is to be dropped.
    private func take(_ events: [WatchEvent], _ number: Int) async throws(APIFailure) -> Bool {
        guard !events.isEmpty else { return number == current }
        var told: [ListWatch.Event] = []
        var good: [WatchEvent] = []
        var failure: APIFailure?
        for event in events {
            switch event {
            case .changed(let object):
                told.append(.eventReceived(resourceVersion: object.resourceVersion))
            case .deleted(_, let version):
                told.append(.eventReceived(resourceVersion: version))
            case .bookmark(let version, let ends):
                told.append(.bookmarkReceived(resourceVersion: version, endsInitialEvents: ends))
            case .failed(let status): failure = .status(status)
            }
            if failure != nil { break }
            good.append(event)
        }
        guard number == current else { return false }
        await cluster.accept(good, of: interest)
        for event in told {
            guard number == current else { return false }
            await tell(event)
        }
        if let failure { throw failure }
        return number == current
    }

    /// The server answers others of this process again: a long wait is cut short.
    fileprivate func noteServerReached() async {
        guard machine.phase == .waiting else { return }
        await tell(.serverReached)
        alarm.ring()
    }

    private func note(_ trouble: APITrouble) async {
        await cluster.note(trouble, of: interest)
        guard await !cluster.isSynced else { return }
        // Before the first state nobody is told of problems by one.
        let problem = trouble.problem
        logger.warning(
            "waiting for the API server",
            metadata: ["why": "\(problem.rule)", "remedy": "\(problem.remedy)"])
    }

    // MARK: The machine

    /// Tells the machine, and carries out its actions: first what concerns requests, without a
    /// pause in which something else could be told, then what concerns the mirror.
    private func tell(_ event: ListWatch.Event) async {
        let actions = machine.handle(event, at: MonotonicClock.now())
        for action in actions {
            switch action {
            case .list(let query): next = .list(query)
            case .watch(let query):
                next = .watch(query)
                client.tally.noteWatch(of: interest.resource)
            case .close:
                current += 1
                next = nil
            default: break
            }
        }
        for action in actions {
            switch action {
            case .list, .watch, .close: break
            case .beginReplacing:
                client.tally.noteList(of: interest.resource)
                await cluster.beginReplacing(interest)
            case .finishReplacing(let version): await cluster.finishReplacing(interest, at: version)
            case .abandonReplacing: await cluster.abandonReplacing(interest)
            case .refreshCredentials: await client.refreshCredentials()
            case .troubled(let trouble): await note(trouble)
            case .recovered: await cluster.noteRecovery(of: interest)
            }
        }
    }
}

/// The followers of one process, who tell each other, and whoever writes, that the server answers.
actor FollowerGroup {
    private let gate: RequestGate
    private var followers: [ResourceInterest: ResourceFollower] = [:]

    init(gate: RequestGate) { self.gate = gate }

    /// Adds one.
    func add(_ follower: ResourceFollower, of interest: ResourceInterest) {
        followers[interest] = follower
    }

    fileprivate func reached(besides interest: ResourceInterest) async {
        await gate.noteServerReached()
        for (other, follower) in followers where other != interest {
            await follower.noteServerReached()
        }
    }
}

extension ResourceInterest {
    /// What the machine follows.
    fileprivate var listWatch: ListWatch.Settings {
        ListWatch.Settings(
            resource: resource, namespace: namespace,
            labelSelector: labelSelector.isEmpty ? nil : labelSelector,
            fieldSelector: fieldSelector.isEmpty ? nil : fieldSelector)
    }
}
