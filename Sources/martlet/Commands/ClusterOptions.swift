import ArgumentParser
import ClusterSource
import Foundation

/// Which cluster is meant: a folder of manifests, or a Kubernetes API server.
struct ClusterOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Folder of manifests, followed as it changes.", valueName: "dir"))
    var manifests: String?

    @Flag(
        help: ArgumentHelp(
            "The API server of the cluster that this process runs in, as its ServiceAccount "
                + "(the default inside a Pod)."))
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

    /// What the options mean.
    enum Choice: Equatable {
        case manifests(String)
        case inCluster
        case kubeconfig([String], context: String?)
    }

    func validate() throws {
        let given = [
            manifests.map { _ in "--manifests" }, inCluster ? "--in-cluster" : nil,
            kubeconfig.map { _ in "--kubeconfig" },
        ].compactMap(\.self)
        guard given.count <= 1 else {
            throw ValidationError(
                "\(given.joined(separator: " and ")) name two clusters; give one of them")
        }
        guard context == nil || (manifests == nil && !inCluster) else {
            throw ValidationError("--context chooses among the clusters of a kubeconfig")
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

    /// What was asked for; a daemon does not guess from a user's files.
    var daemonChoice: Choice? { chosen ?? (Self.isInPod ? .inCluster : nil) }

    /// What was asked for, else what `kubectl` would take.
    var commandChoice: Choice {
        if let chosen { return chosen }
        let files = Self.defaultKubeconfigs
        let exist = files.contains { FileManager.default.fileExists(atPath: $0) }
        return Self.isInPod && !exist ? .inCluster : .kubeconfig(files, context: context)
    }

    /// Whether one of the options was given.
    var isGiven: Bool { chosen != nil }

    private var chosen: Choice? {
        if let manifests { return .manifests(manifests) }
        if inCluster { return .inCluster }
        if let kubeconfig { return .kubeconfig(Self.list(kubeconfig), context: context) }
        return context.map { .kubeconfig(Self.defaultKubeconfigs, context: $0) }
    }

    /// The variable `KUBECONFIG`, else the file in the home folder.
    private static var defaultKubeconfigs: [String] {
        let environment = ProcessInfo.processInfo.environment
        if let files = environment["KUBECONFIG"], !files.isEmpty { return list(files) }
        return [(environment["HOME"] ?? "") + "/.kube/config"]
    }

    private static func list(_ text: String) -> [String] {
        text.split(separator: ":").map(String.init)
    }

    private static var isInPod: Bool {
        ProcessInfo.processInfo.environment["KUBERNETES_SERVICE_HOST"] != nil
            && FileManager.default.fileExists(atPath: ClusterAccess.tokenPath)
    }
}
