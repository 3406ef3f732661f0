import ArgumentParser
import ClusterSource
import Foundation

/// Which API server is meant.
struct ServerOptions: ParsableArguments {
    @Flag(
        help: ArgumentHelp(
            "The API server of the cluster that this process runs in, as its ServiceAccount."))
    var inCluster = false

    @Option(
        help: ArgumentHelp(
            "The API server that this kubeconfig file names; several are separated by ':'.",
            valueName: "file"))
    var kubeconfig: String?

    @Option(
        help: ArgumentHelp(
            "The context of the kubeconfig (default: its current-context).", valueName: "name"))
    var context: String?

    func validate() throws {
        guard !inCluster || kubeconfig == nil else {
            throw ValidationError(
                "--in-cluster and --kubeconfig name two clusters; give one of them")
        }
        guard context == nil || !inCluster else { throw Self.lostContext }
    }

    static let lostContext = ValidationError(
        "--context chooses among the clusters of a kubeconfig")

    /// What was asked for; `nil` when nothing was.
    var chosen: ClusterOptions.Choice? {
        if inCluster { return .inCluster }
        if let kubeconfig { return .kubeconfig(Self.list(kubeconfig), context: context) }
        return context.map { .kubeconfig(Self.defaultKubeconfigs, context: $0) }
    }

    /// What a command that answers and ends is to look at: what was asked for, and as a plugin of
    /// `kubectl`, which is asked about clusters, what `kubectl` would take; else `nil`.
    var commandChoice: ClusterOptions.Choice? {
        if let chosen { return chosen }
        guard Self.isPlugin else { return nil }
        let files = Self.defaultKubeconfigs
        let exist = files.contains { FileManager.default.fileExists(atPath: $0) }
        return Self.isInPod && !exist ? .inCluster : .kubeconfig(files, context: nil)
    }

    /// Whether this is run as `kubectl martlet`.
    private static var isPlugin: Bool {
        let name = CommandLine.arguments.first?.split(separator: "/").last
        return name == "kubectl-martlet"
    }

    private static var defaultKubeconfigs: [String] {
        ClusterAccess.kubeconfigPaths(environment: ProcessInfo.processInfo.environment)
    }

    private static func list(_ text: String) -> [String] {
        text.split(separator: ":").map(String.init)
    }

    static var isInPod: Bool {
        ProcessInfo.processInfo.environment["KUBERNETES_SERVICE_HOST"] != nil
            && FileManager.default.fileExists(atPath: ClusterAccess.tokenPath)
    }
}

/// Which cluster is meant: a folder of manifests, or a Kubernetes API server.
struct ClusterOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The cluster is this folder of manifests.", valueName: "dir"))
    var manifests: String?

    @OptionGroup var server: ServerOptions

    /// What the options mean.
    enum Choice: Equatable {
        case manifests(String)
        case inCluster
        case kubeconfig([String], context: String?)
    }

    func validate() throws {
        guard manifests != nil else { return }
        if server.context != nil { throw ServerOptions.lostContext }
        if server.chosen != nil {
            throw ValidationError(
                "--manifests and \(server.inCluster ? "--in-cluster" : "--kubeconfig") name two "
                    + "clusters; give one of them")
        }
    }

    /// What a daemon follows.
    func validateForDaemon() throws {
        guard daemonChoice != nil else {
            throw ValidationError(
                "which cluster? --manifests DIR for a folder, --in-cluster inside a Pod, or "
                    + "--kubeconfig FILE")
        }
    }

    /// What was asked for, or inside a Pod the cluster around it; a daemon does not guess from a
    /// user's files.
    var daemonChoice: Choice? {
        manifests.map { .manifests($0) } ?? server.chosen
            ?? (ServerOptions.isInPod ? .inCluster : nil)
    }

    /// What a command that answers and ends is to look at.
    var commandChoice: Choice? { manifests.map { .manifests($0) } ?? server.commandChoice }
}
