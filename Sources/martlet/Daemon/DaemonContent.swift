import AdminServer
import ClusterSource
import Controller
import FoundationEssentials
import Kubernetes
import LinuxNetwork
import Logging
import NetworkTypes
import Speaker

/// What the admin server of a daemon shows.
actor DaemonContent: AdminContent {
    let node: String
    let scope: ServiceScope
    let roles: [Daemon.Role]
    private let source: any SnapshotSource
    let server: KubernetesSource?
    let controller: ServiceController?
    let speaker: NodeSpeaker?
    /// Whether metrics tell endpoints apart.
    private let countsEndpoints: Bool
    private(set) var latest: ClusterState?
    private let logger: Logger
    let proxies = ProxyWatch()
    let wayReview = WayReview()
    private var told: Set<Problem> = []

    init(
        node: String, scope: ServiceScope, roles: [Daemon.Role], source: any SnapshotSource,
        server: KubernetesSource?, controller: ServiceController?, speaker: NodeSpeaker?,
        countsEndpoints: Bool = false, logger: Logger
    ) {
        self.countsEndpoints = countsEndpoints
        self.server = server
        self.logger = logger
        self.node = node
        self.scope = scope
        self.roles = roles
        self.source = source
        self.controller = controller
        self.speaker = speaker
    }

    /// Keeps the latest state until the source ends.
    func followStates() async {
        for await state in source.states() {
            latest = state
            tell(state.snapshot.problems + strangeNode(state))
        }
    }

    /// Logs each error and warning once, when it comes up.
    private func tell(_ problems: [Problem]) {
        let grave = Set(problems.filter { $0.severity != .notice })
        for problem in problems where grave.contains(problem) && !told.contains(problem) {
            logger.log(
                level: problem.severity == .error ? .error : .warning,
                server == nil ? "manifests" : "cluster",
                metadata: ["problem": "\(problem)"])
        }
        told = grave
    }

    /// A node that no Node object names can own nothing.
    private func strangeNode(_ state: ClusterState) -> [Problem] {
        let nodes = state.snapshot.nodes
        guard speaker != nil, !nodes.isEmpty, nodes[node] == nil else { return [] }
        return [
            Problem(
                .warning, object: "Node \(node)",
                rule: "this daemon's node is not among the Node objects, so it announces nothing",
                remedy: (server == nil ? "write a Node object of that name, or " : "")
                    + "give --node as one of "
                    + nodes.keys.sorted().prefix(5).joined(separator: ", "))
        ]
    }

    /// Asks every announcer's thread: one that hangs lets this question wait until the asker gives
    /// up, one that could not be started is named.
    func unhealthy() async -> String? {
        let silent = await speaker?.interfacesWithoutThread() ?? []
        return silent.isEmpty
            ? nil : "nobody listens on \(silent.sorted().joined(separator: ", "))"
    }

    /// Why there is nothing to show yet; `nil` from the first state on.
    private func beginning() async -> Problem? {
        guard latest == nil else { return nil }
        let obstacle = await server?.obstacle
        let subject = server == nil ? "manifests have" : "cluster has"
        return Problem(
            .error, object: "start",
            rule: "the \(subject) not been read yet" + (obstacle.map { ": \($0.rule)" } ?? ""),
            remedy: obstacle == nil
                ? "it should take a moment only"
                : "look at the API server, the way to it, and what this process may do there")
    }

    func unready() async -> String? {
        if let problem = await beginning() { return problem.rule }
        guard let speaker else { return nil }
        return await speaker.hasApplied
            ? nil : "the speaker has not found out yet which addresses are its own"
    }

    func metrics() async -> [MetricFamily] {
        let status = await speaker?.status()
        let usage = await speaker?.dataplaneUsage()
        let health = await speaker?.proberReport
        return DaemonMetrics(
            state: status?.state ?? latest ?? ClusterState(), node: node, hasState: latest != nil,
            speaker: status, server: server.map { ServerMetrics(tally: $0.tally) }
        ).families()
            + (usage.map { DaemonMetrics.dataplane($0, perEndpoint: countsEndpoints) } ?? [])
            + (health.map(DaemonMetrics.health) ?? [])
    }

    func state() async throws -> [UInt8] {
        try await report().jsonBytes()
    }

    func explanation(of subject: String) async throws -> [UInt8]? {
        var explainer = await explainer()
        let services = explainer.services(named: subject)
        if let routes = explainer.routes {
            // Which routers have it is asked for by name: they may have a hundred thousand.
            let prefixes = services.flatMap {
                $0.ingress.flatMap { routes.prefixes(of: $0.address) }
            }
            explainer = await self.explainer(of: Array(Set(prefixes)))
        }
        return services.isEmpty ? nil : try await Self.reports(explainer, services).jsonBytes()
    }

    /// The review of all Services that it takes is made beside the actor.
    @concurrent
    private static func reports(
        _ explainer: Explainer, _ services: [Service]
    ) async -> [ServiceReport] {
        explainer.reports(on: services)
    }

    private func explainer(of prefixes: [Prefix] = []) async -> Explainer {
        let status = await speaker?.status(of: prefixes)
        let proxy = await proxyReview()
        let backing = await speaker?.ownBacking
        return Explainer(
            state: status?.state ?? latest ?? ClusterState(), node: node, scope: scope,
            ledger: await controller?.decisions, tenure: status?.tenure.tenure,
            held: status?.tenure.held ?? [:], awaited: status?.fence?.awaited ?? [:],
            wire: status?.interfaces, routes: RouteKnowledge(status),
            ways: waySettings(backing), backing: backing, health: await speaker?.proberReport,
            proxy: proxy?.summary,
            now: MonotonicClock.now())
    }

    /// Carries out what an operator asks.
    func command(_ path: String, body: [UInt8]) async throws -> AdminAnswer {
        let request: HandOverRequest
        do {
            request = try JSONDecoder().decode(HandOverRequest.self, from: Data(body))
        } catch {
            return .badRequest(
                "the body is no request: \(error)",
                remedy: "write JSON such as {\"node\": \"node-a\"}")
        }
        if path == "/reset" { return try await reset(request.peer) }
        let node = request.node ?? self.node
        let wish: OperatorRequest
        switch (path, request.address.map { IPAddress($0) }) {
        case ("/drain", _): wish = .drain(node: node)
        case ("/undrain", _): wish = .undrain(node: node)
        case ("/move", let address??): wish = .move(address, to: node)
        case ("/move", _):
            return .badRequest(
                "no address to move", remedy: "write {\"address\": \"192.0.2.10\", \"node\": …}")
        default: return .notFound
        }
        guard let speaker else {
            return .ok(
                try HandOverAnswer(
                    done: false, message: "this daemon is no speaker; ask one that is"
                ).jsonBytes())
        }
        return try answer(await speaker.perform(wish))
    }

    private func reset(_ peer: String?) async throws -> AdminAnswer {
        guard let peer else {
            return .badRequest("no peer to reset", remedy: "write {\"peer\": \"a-router\"}")
        }
        return try answer(
            await speaker?.resetSession(with: peer)
                ?? .refused("this daemon is no speaker; ask one that is"))
    }

    private func answer(_ answer: OperatorAnswer) throws -> AdminAnswer {
        .ok(try HandOverAnswer(done: answer.isDone, message: answer.text).jsonBytes())
    }

    private func report() async -> StateReport {
        let status = await speaker?.status()
        let explainer = await explainer()
        let state = explainer.state
        let beginning = server == nil ? nil : await beginning()
        let ways = await wayProblems(state)
        return StateReport(
            version: Version.text, node: node, roles: roles.map(\.rawValue),
            allocates: state.isLeader && controller != nil, allocator: server?.allocator,
            lastGood: StateReport.LastGood(state),
            complete: state.isComplete && beginning == nil,
            services: explainer.summaries(),
            pools: explainer.poolReports(),
            interfaces: (status?.interfaces ?? []).map { interface in
                StateReport.Interface(
                    interface: interface.interface, macAddress: "\(interface.macAddress)",
                    listening: interface.isListening,
                    answering: interface.addresses.count { $0.answeringSince != nil },
                    failure: interface.failure.map { "\($0)" })
            },
            speakers: state.speakers.values.sorted { $0.node < $1.node }.map { record in
                StateReport.Speaker(
                    node: record.node, serving: record.isServing, claims: record.claims.count,
                    interfaces: record.interfaces.map(\.name))
            },
            peers: peers(status),
            dataplane: await speaker?.dataplaneUsage().map(StateReport.Dataplane.init),
            gossip: status.flatMap { status in
                status.membership.map {
                    StateReport.Gossip($0, of: status, node: node)
                }
            },
            fence: status.flatMap(StateReport.Fence.init),
            held: (status?.tenure.held ?? [:]).sorted { $0.key < $1.key }.map {
                StateReport.Held(address: "\($0.key)", by: $0.value)
            },
            unanswered: (status?.unanswered ?? []).sorted().map(\.description),
            events: state.status.events.map { event in
                StateReport.Event(
                    service: event.service.description, severity: event.severity.rawValue,
                    reason: event.reason, message: event.message, at: event.at)
            },
            nodeEvents: (status?.recentEvents ?? []).map(StateReport.NodeEvent.init),
            problems: ([beginning].compactMap(\.self) + state.snapshot.problems
                + strangeNode(state) + ways).map(ProblemReport.init)
                + (status.map(Self.localProblems) ?? []))
    }

    private func peers(_ status: NodeSpeakerStatus?) -> [StateReport.Peer] {
        guard let status else { return [] }
        let now = MonotonicClock.now()
        let configured = status.state.snapshot.configuration.bgpPeers
        return status.peers.peers.map { peer in
            StateReport.Peer(
                peer, localAS: configured[peer.name]?.effectiveASN ?? 0, paths: status.paths,
                now: now)
        }
    }

    /// Problems of this node rather than of what was read.
    private static func localProblems(_ status: NodeSpeakerStatus) -> [ProblemReport] {
        var problems = status.kernelHeld.sorted().map { address in
            Problem(
                .warning, object: "address \(address)",
                rule: "this node's kernel holds the address and may answer for it",
                remedy: NodeSpeaker.kernelHeldRemedy(address.family))
        }
        problems += status.dataplaneRemedies.map { remedy in
            Problem(
                .warning, object: "data plane", rule: "this node does not forward packets",
                remedy: remedy)
        }
        if let trouble = status.publishingTrouble {
            problems.append(
                Problem(
                    .error, object: "speaker", rule: "others cannot read what it has",
                    remedy: trouble))
        }
        for trouble in [status.peers.listeningTrouble].compactMap(\.self) + status.paths.troubles {
            problems.append(
                Problem(
                    .error, object: "routers", rule: trouble,
                    remedy: "everything else goes on without it"))
        }
        let notes =
            status.interfaces.compactMap(\.schedulingNote)
            + [status.membership?.scheduling].compactMap(\.self)
        if let note = notes.first {
            problems.append(
                Problem(
                    .warning, object: "threads", rule: note,
                    remedy: "or leave it where the machine is never busy"))
        }
        if let failure = status.dataplaneFailure {
            problems.append(
                Problem(
                    .error, object: "data plane", rule: failure,
                    remedy: "traffic may go astray until the next attempt succeeds"))
        }
        if let reason = status.dataplaneUnwatched {
            problems.append(
                Problem(
                    .warning, object: "data plane",
                    rule: "changes of the table by others are not told by the kernel: \(reason)",
                    remedy: "they are found and mended within a minute; restart the speaker to "
                        + "listen again"))
        }
        for interface in status.interfaces {
            for address in interface.addresses {
                guard let conflict = address.lastConflict else { continue }
                problems.append(
                    Problem(
                        .error, object: "address \(address.address)",
                        rule: "\(conflict.offender) on \(interface.interface) uses it too",
                        remedy: "take it out of the pool, or off that machine"))
            }
        }
        return problems.map(ProblemReport.init)
    }
}
