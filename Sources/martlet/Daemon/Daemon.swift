import AdminServer
import ArgumentParser
import ClusterSource
import Controller
import Foundation
import Kubernetes
import LinuxNetwork
import Logging
import NIOPosix
import ServiceLifecycle
import Speaker
import UnixSignals

/// One process: the source, what runs on it, and the admin server.
///
/// They start in this order and stop in the reverse one, so a speaker can still publish that it
/// stops. SIGTERM and SIGINT stop everything gracefully.
struct Daemon {
    /// What a process does.
    enum Role: String, Sendable {
        case controller
        case speaker
    }

    let options: DaemonOptions
    let roles: [Role]
    let speaker: SpeakerOptions?

    func run() async throws {
        MemoryFootprint.prepare()
        let logger = options.logFormat.logger(label: "martlet", level: options.logLevel)
        do throws(SystemError) {
            try OpenFileLimit.raise()
        } catch {
            logger.warning("the limit of open files stays", metadata: ["error": "\(error)"])
        }
        let cluster = try DaemonSource(options: options, roles: roles, speaker: speaker, logger)
        let source = cluster.source
        let controller =
            roles.contains(.controller)
            ? ServiceController(
                source: source, scope: options.scope, logger: logger,
                clock: { MonotonicClock.now() }) : nil
        let node: NodeSpeaker?
        do {
            node = try await makeSpeaker(cluster, logger)
        } catch {
            await cluster.server?.abandon()
            throw error
        }
        let content = DaemonContent(
            node: options.nodeName, scope: options.scope, roles: roles, source: source,
            server: cluster.server, controller: controller, speaker: node,
            countsEndpoints: speaker?.backing.metricsEndpoints ?? false, logger: logger)

        var services: [ServiceGroupConfiguration.ServiceConfiguration] = []
        func add(_ name: String, _ body: @escaping @Sendable () async throws -> Void) {
            services.append(
                .init(
                    service: Part(name: name, logger: logger, body: body),
                    successTerminationBehavior: .gracefullyShutdownGroup,
                    failureTerminationBehavior: .gracefullyShutdownGroup))
        }
        add("source") { try await source.run() }
        services.append(
            .init(
                service: AdminHTTPServer(
                    addresses: options.adminAddresses, content: content, logger: logger),
                successTerminationBehavior: .ignore,
                failureTerminationBehavior: .gracefullyShutdownGroup))
        add("follower") { await content.followStates() }
        add("memory") { await MemoryFootprint.keepSmall(after: source) }
        if let controller {
            services.append(
                .init(
                    service: ControllerPart(controller: controller, server: cluster.server),
                    successTerminationBehavior: .gracefullyShutdownGroup,
                    failureTerminationBehavior: .gracefullyShutdownGroup))
        }
        if let node {
            services.append(
                .init(
                    service: SpeakerPart(speaker: node, logger: logger),
                    successTerminationBehavior: .gracefullyShutdownGroup,
                    failureTerminationBehavior: .gracefullyShutdownGroup))
        }

        logger.notice(
            "starting",
            metadata: [
                "node": "\(options.nodeName)", "version": "\(Version.text)",
                "roles": "\(roles.map(\.rawValue).joined(separator: "+"))",
            ])
        var configuration = ServiceGroupConfiguration(
            services: services, gracefulShutdownSignals: [.sigterm, .sigint],
            logger: quiet(logger))
        configuration.maximumGracefulShutdownDuration = .seconds(10)
        try await ServiceGroup(configuration: configuration).run()
        logger.notice("stopped")
    }

    private func makeSpeaker(
        _ cluster: DaemonSource, _ logger: Logger
    ) async throws -> NodeSpeaker? {
        guard let speaker else { return nil }
        let source = cluster.source
        let dataplane =
            speaker.dataplane == .nftables
            ? try DataplaneReconciler.open(options: speaker.backing.ruleset) : nil
        if dataplane == nil { warnOfLeftTable(logger) }
        if speaker.gossip.takesKeysFromState, let server = cluster.server {
            try await unlessTold { try await server.prepareGossipKeys() }
        }
        let gossip = speaker.gossip.settings(
            node: options.nodeName, state: cluster.state, makesKeys: cluster.server == nil)
        if speaker.gossip.lacksKeys(state: cluster.state) {
            logger.warning(
                "no keys for the gossip, so nobody notices when this node or another dies",
                metadata: ["remedy": "give --state or --gossip-keys; --gossip off if it is meant"])
        }
        return try NodeSpeaker(
            settings: NodeSpeaker.Settings(
                node: options.nodeName, scope: options.scope,
                interfaces: Set(speaker.interfaces), gossip: gossip,
                peering: speaker.bgp.settings,
                fencing: try speaker.fencing(by: cluster.server),
                backing: speaker.backing.settings(isInCluster: cluster.server != nil)),
            source: source, dataplane: dataplane,
            keepsDataplane: !speaker.removeDataplane,
            logger: logger)
    }

    /// A table that a former run left goes on leading packets to endpoints of then.
    private func warnOfLeftTable(_ logger: Logger) {
        var sequence: UInt32 = 1
        do throws(SystemError) {
            let socket = try NftablesSocket()
            guard try socket.isTablePresent(&sequence) else { return }
            logger.warning(
                "a former run left the table inet martlet, and this one does not look after it",
                metadata: ["remedy": "nft delete table inet martlet; or --dataplane nftables"])
        } catch {
            // A daemon that only announces needs no right to look at tables.
            logger.debug("tables not looked at", metadata: ["error": "\(error)"])
        }
    }

    /// Waits for something as long as there is no group of services that SIGTERM could stop: a
    /// process that is the first of its container would not hear of it otherwise.
    private func unlessTold(_ body: @escaping @Sendable () async throws -> Void) async throws {
        let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint)
        try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                try await body()
                return true
            }
            group.addTask {
                for await _ in signals { return false }
                return true
            }
            let isDone = try await group.next() ?? true
            group.cancelAll()
            guard isDone else { throw ExitCode.success }
        }
    }

    private func quiet(_ logger: Logger) -> Logger {
        var quiet = logger
        quiet.logLevel = max(logger.logLevel, .error)
        return quiet
    }
}

/// Runs a part of the daemon until graceful shutdown, and says which part failed.
private struct Part: ServiceLifecycle.Service {
    let name: String
    let logger: Logger
    let body: @Sendable () async throws -> Void

    func run() async throws {
        do {
            try await cancelWhenGracefulShutdown(body)
        } catch is CancellationError {
            return
        } catch {
            logger.critical("stopping", metadata: ["part": "\(name)", "error": "\(error)"])
            throw ExitCode.failure
        }
    }
}

/// Runs the controller; at graceful shutdown it finishes what it is writing, and gives up the right
/// to write, so that another goes on at once.
private struct ControllerPart: ServiceLifecycle.Service {
    let controller: ServiceController
    let server: KubernetesSource?

    func run() async throws {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await controller.run() }
            group.addTask {
                do {
                    try await gracefulShutdown()
                    server?.endWriting()
                    controller.stop()
                    // What waits for its turn behind a server that does not answer is given up.
                    try await Task.sleep(for: KubernetesSource.longestWrite)
                } catch {
                    // The controller has ended.
                }
            }
            await group.next()
            group.cancelAll()
            await server?.resign()
        }
    }
}

/// Runs the speaker; at graceful shutdown it hands over what it has before it ends.
private struct SpeakerPart: ServiceLifecycle.Service {
    let speaker: NodeSpeaker
    let logger: Logger

    func run() async throws {
        do {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await speaker.run() }
                group.addTask {
                    try await gracefulShutdown()
                    await speaker.handOverAll()
                }
                // Either the speaker ended by itself, or it has handed over: the other ends too.
                _ = try await group.next()
                group.cancelAll()
                try await group.waitForAll()
            }
        } catch is CancellationError {
            return
        } catch {
            logger.critical("stopping", metadata: ["part": "speaker", "error": "\(error)"])
            throw ExitCode.failure
        }
    }
}

/// The version, as `--version` and the metrics show it.
enum Version {
    static let text = "0.1.0"
}
