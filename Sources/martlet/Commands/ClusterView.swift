import ArgumentParser
import ClusterSource
import Kubernetes
import LinuxNetwork

/// How a command sees a cluster.
struct ViewOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "With a cluster: as daemons of this class (default: those of no class).",
            valueName: "class"))
    var loadBalancerClass: String?
    @Option(
        help: ArgumentHelp(
            "With a cluster: namespace of the configuration objects.", valueName: "namespace"))
    var namespace = "metallb-system"

    var scope: ServiceScope { ServiceScope(loadBalancerClass: loadBalancerClass) }

    /// Looks at an API server once.
    func read(_ choice: ClusterOptions.Choice) async throws -> ClusterReading {
        try await .of(choice, namespace: namespace, scope: scope)
    }

    /// Reads a folder, and says its errors.
    func read(folder: String, state: String?) throws -> ClusterState {
        let cluster = try FolderSource.read(
            manifests: folder, state: state, configurationNamespace: namespace)
        for problem in cluster.snapshot.problems where problem.severity == .error {
            complain(ProblemReport(problem).text)
        }
        return cluster
    }

    /// What decides in the daemons, on what a folder or an API server has. Of a folder, what
    /// nobody has given yet counts as given.
    func explainer(
        _ choice: ClusterOptions.Choice, state: String?, node: String = ""
    ) async throws -> Explainer {
        if case .manifests(let folder) = choice {
            return Explainer(
                state: try read(folder: folder, state: state), node: node, scope: scope,
                standpoint: .beforehand, now: MonotonicClock.now())
        }
        let reading = try await read(choice)
        let errors = reading.state.snapshot.problems.filter { $0.severity == .error }
        for problem in reading.unread + errors { complain(ProblemReport(problem).text) }
        return Explainer(reading, node: node, scope: scope, now: MonotonicClock.now())
    }
}

extension ClusterReading {
    /// Looks at an API server once; what is in the way is said in one line and ends the program.
    static func of(
        _ choice: ClusterOptions.Choice, namespace: String, scope: ServiceScope = ServiceScope()
    ) async throws -> ClusterReading {
        let access: ClusterAccess
        do {
            access = try ClusterAccess(choice)
        } catch let error as ClusterAccessError {
            complain("martlet: \(error)")
            throw ExitCode.failure
        }
        do throws(APIFailure) {
            return try await KubernetesSource.read(
                access: access, userAgent: "martlet/\(Version.text)", namespace: namespace,
                scope: scope)
        } catch {
            let remedy = error.problem("list", .services, nil).remedy
            complain(
                "martlet: \(access.place): cannot list Services: \(error.explanation); \(remedy)")
            throw ExitCode.failure
        }
    }
}

extension ClusterAccess {
    /// Which way to the server was taken, for one who has to look there.
    fileprivate var place: String {
        switch origin {
        case .inCluster: "in-cluster"
        case .kubeconfig(let context, let files):
            "\(files.joined(separator: ":")), context \"\(context)\""
        }
    }
}
