extension ClusterAccess {
    /// The files that `kubectl` would take: those of the variable `KUBECONFIG`, else
    /// `~/.kube/config`.
    package static func kubeconfigPaths(environment: [String: String]) -> [String] {
        let listed = (environment["KUBECONFIG"] ?? "").split(separator: ":").map(String.init)
        guard listed.isEmpty else { return listed }
        return environment["HOME"].map { ["\($0)/.kube/config"] } ?? []
    }

    /// How kubeconfig files say that a cluster is reached.
    ///
    /// Of several files that have the same name for something, the first counts, as with `kubectl`;
    /// files that do not exist are passed over, but not all of them. Paths in a file are relative
    /// to it.
    ///
    /// - Parameter context: which context; `nil` for the one that the files say is current.
    package static func kubeconfig(
        paths: [String], context: String? = nil
    ) throws(ClusterAccessError) -> ClusterAccess {
        var merged = MergedKubeconfig()
        for path in paths {
            if let config = try Kubeconfig.read(path) { merged.add(config, from: path) }
        }
        guard !merged.files.isEmpty else {
            throw ClusterAccessError(
                paths.isEmpty
                    ? "no kubeconfig is named"
                    : "there is no kubeconfig: \(paths.joined(separator: ", "))",
                remedy: "name one with --kubeconfig or the variable KUBECONFIG, or use "
                    + "--in-cluster in a pod")
        }
        let known = merged.contexts.keys.sorted().joined(separator: ", ")
        guard let name = context ?? merged.currentContext?.value else {
            throw ClusterAccessError(
                "no context is current", remedy: "choose one with --context: \(known)",
                file: merged.files.joined(separator: ", "), field: "current-context")
        }
        guard let chosen = merged.contexts[name] else {
            throw ClusterAccessError(
                "there is no such context",
                remedy: known.isEmpty
                    ? "there is none at all; is that the right file?"
                    : "choose one with --context: \(known)",
                file: merged.files.joined(separator: ", "), context: name)
        }
        return try KubeconfigReader(context: name, chosen: chosen, merged: merged).access()
    }
}
