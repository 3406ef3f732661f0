import FoundationEssentials

extension ClusterAccess {
    /// Where a pod finds its ServiceAccount.
    package static let serviceAccountFolder = "/var/run/secrets/kubernetes.io/serviceaccount"
    /// Where a pod finds its token.
    package static let tokenPath = serviceAccountFolder + "/token"

    /// How a pod reaches the server of its own cluster. Token and authority stay in their files,
    /// which the kubelet keeps fresh.
    package static func inCluster(
        environment: [String: String] = ProcessInfo.processInfo.environment,
        folder: String = serviceAccountFolder
    ) throws(ClusterAccessError) -> ClusterAccess {
        guard let host = environment["KUBERNETES_SERVICE_HOST"], !host.isEmpty,
            let port = environment["KUBERNETES_SERVICE_PORT"], !port.isEmpty
        else {
            throw ClusterAccessError(
                "this is no pod: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set",
                remedy: "use --kubeconfig FILE outside of a cluster")
        }
        let url = "https://\(host.contains(":") ? "[\(host)]" : host):\(port)"
        guard let server = ServerAddress(url) else {
            throw ClusterAccessError(
                "KUBERNETES_SERVICE_HOST \"\(host)\" and KUBERNETES_SERVICE_PORT \"\(port)\" make "
                    + "no address",
                remedy: "leave both as the kubelet sets them")
        }
        let token = "\(folder)/token"
        let authority = "\(folder)/ca.crt"
        for path in [token, authority] {
            do {
                _ = try CredentialFile.read(path)
            } catch {
                throw ClusterAccessError(
                    error.reason,
                    remedy: "give the pod a serviceAccountName and leave "
                        + "automountServiceAccountToken on",
                    file: path)
            }
        }
        var access = ClusterAccess(origin: .inCluster, server: server)
        access.trust = .authorities(.file(authority))
        access.authorization = .tokenFile(token, initial: nil)
        // Without this file the pod is told its namespace by a flag.
        if let namespace = try? CredentialFile.text("\(folder)/namespace"), !namespace.isEmpty {
            access.namespace = namespace
        }
        return access
    }
}
