import ArgumentParser
import ClusterSource
import Kubernetes
import Logging
import SealedDatagrams
import Speaker

/// The cluster that a daemon serves, as its options name it.
struct DaemonSource {
    /// What the rest of the daemon sees.
    let source: any SnapshotSource
    /// The same, where it is an API server.
    let server: KubernetesSource?
    /// The folder of what outlives the process; `nil` when there is none.
    let state: String?

    init(
        options: DaemonOptions, roles: [Daemon.Role], speaker: SpeakerOptions?, _ logger: Logger
    ) throws {
        guard let choice = options.cluster.daemonChoice else { throw ExitCode.validationFailure }
        if case .manifests(let folder) = choice {
            state = options.state
            server = nil
            source = try FolderSource(
                settings: FolderSource.Settings(
                    manifests: folder, state: options.state, node: options.nodeName,
                    contends: roles.contains(.controller),
                    configurationNamespace: options.namespace),
                logger: logger)
            if options.state == nil {
                logger.warning(
                    "no --state folder: allocations end with this process",
                    metadata: [
                        "remedy": "give --state; other daemons agree only on addresses asked for"
                    ])
            }
            return
        }
        let announces = roles.contains(.speaker)
        state = options.state ?? (announces ? DaemonOptions.defaultState : nil)
        let server = try KubernetesSource(
            settings: KubernetesSource.Settings(
                node: options.nodeName, namespace: options.namespace, scope: options.scope,
                allocates: roles.contains(.controller), announces: announces,
                carriesTraffic: speaker?.dataplane == .nftables, state: state,
                requestsPerSecond: options.requestsPerSecond,
                makeGossipKeys: { KeyRing.generate() }),
            access: try ClusterAccess(choice), userAgent: "martlet/\(Version.text)",
            logger: logger)
        self.server = server
        source = server
    }
}

extension SpeakerOptions {
    /// The fencing that is asked for; it says itself what it lacks.
    func fencing(by server: KubernetesSource?) throws -> FencingSettings? {
        guard fencing == .lease else { return nil }
        guard let server else {
            throw ValidationError(
                "--fencing lease needs the Leases of an API server; a folder of manifests has none")
        }
        return FencingSettings(leases: server, duration: .seconds(fencingDuration))
    }
}

extension ClusterAccess {
    /// The access to the API server that options name; it says itself what is wrong with them.
    init(_ choice: ClusterOptions.Choice) throws {
        switch choice {
        case .manifests: throw ExitCode.validationFailure
        case .inCluster: self = try .inCluster()
        case .kubeconfig(let files, let context):
            self = try .kubeconfig(paths: files, context: context)
        }
    }
}
