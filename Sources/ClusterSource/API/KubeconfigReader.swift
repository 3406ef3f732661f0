import FoundationEssentials

/// Makes the access that one context of kubeconfig files describes.
struct KubeconfigReader {
    let context: String
    let chosen: MergedKubeconfig.Entry<Kubeconfig.Context>
    let merged: MergedKubeconfig

    /// Where an entry stands, for messages and for paths that are relative to its file.
    struct Place {
        var reader: KubeconfigReader
        var file: String
        var prefix: String
    }

    func access() throws(ClusterAccessError) -> ClusterAccess {
        let here = Place(reader: self, file: chosen.file, prefix: "contexts[\(context)].context")
        guard let clusterName = chosen.value.cluster, !clusterName.isEmpty else {
            throw here.error(
                "cluster", "the context names no cluster", remedy: "name one of its clusters")
        }
        guard let cluster = merged.clusters[clusterName] else {
            throw here.error(
                "cluster", "there is no cluster \"\(clusterName)\"",
                remedy: "name one of: \(merged.clusters.keys.sorted().joined(separator: ", "))")
        }
        let place = Place(
            reader: self, file: cluster.file, prefix: "clusters[\(clusterName)].cluster")
        guard let server = cluster.value.server.flatMap(ServerAddress.init) else {
            throw place.error(
                "server", "\"\(cluster.value.server ?? "")\" is no URL of a server",
                remedy: "write it like https://192.0.2.1:6443")
        }
        var access = ClusterAccess(
            origin: .kubeconfig(context: context, files: merged.files), server: server)
        if let namespace = chosen.value.namespace, !namespace.isEmpty {
            access.namespace = namespace
        }
        access.tlsServerName = cluster.value.tlsServerName.flatMap { $0.isEmpty ? nil : $0 }
        access.trust = try trust(cluster.value, place)
        access.proxy = try proxy(cluster.value, place)
        // TLS compares an address in a certificate with the one it is connected to, and that is the
        // proxy's.
        if access.proxy != nil, server.isTLS, access.trust != .anybody,
            access.tlsServerName == nil, ServerAddress.isAddress(server.host)
        {
            throw place.error(
                "tls-server-name",
                "through a proxy a server's certificate can be verified only by name",
                remedy: "give a name that is in it, such as \"kubernetes\"")
        }

        guard let userName = chosen.value.user, !userName.isEmpty else { return access }
        guard let user = merged.users[userName] else {
            throw here.error(
                "user", "there is no user \"\(userName)\"",
                remedy: "name one of: \(merged.users.keys.sorted().joined(separator: ", "))")
        }
        let userPlace = Place(reader: self, file: user.file, prefix: "users[\(userName)].user")
        access.identity = try identity(user.value, userPlace)
        access.authorization = try authorization(user.value, userPlace, cluster.value, access)
        access.impersonation = try impersonation(user.value, userPlace)
        return access
    }

    // MARK: The cluster

    private func trust(
        _ cluster: Kubeconfig.Cluster, _ place: Place
    ) throws(ClusterAccessError) -> ClusterAccess.Trust {
        let authorities = try place.content(
            data: cluster.authorityData, "certificate-authority-data",
            file: cluster.authorityFile, "certificate-authority")
        guard cluster.skipsVerification == true else {
            return authorities.map { .authorities($0) } ?? .system
        }
        guard authorities == nil else {
            throw place.error(
                "insecure-skip-tls-verify",
                "a certificate authority is given, and it is not to be looked at",
                remedy: "remove insecure-skip-tls-verify")
        }
        return .anybody
    }

    private func proxy(
        _ cluster: Kubeconfig.Cluster, _ place: Place
    ) throws(ClusterAccessError) -> ClusterAccess.Proxy? {
        guard let url = cluster.proxy, !url.isEmpty else { return nil }
        guard let proxy = ClusterAccess.Proxy(url) else {
            throw place.error(
                "proxy-url", "\"\(ClusterAccess.Proxy.withoutSecret(url))\" cannot be used",
                remedy: "write http://HOST:PORT or socks5://HOST:PORT; a proxy that is itself "
                    + "spoken to with TLS is not supported")
        }
        return proxy
    }

    // MARK: The user

    private func identity(
        _ user: Kubeconfig.User, _ place: Place
    ) throws(ClusterAccessError) -> ClusterAccess.Identity? {
        let certificate = try place.content(
            data: user.certificateData, "client-certificate-data",
            file: user.certificateFile, "client-certificate")
        let key = try place.content(
            data: user.keyData, "client-key-data", file: user.keyFile, "client-key")
        switch (certificate, key) {
        case (let certificate?, let key?):
            return ClusterAccess.Identity(certificate: certificate, key: key)
        case (nil, nil): return nil
        case (_?, nil):
            throw place.error(
                "client-key-data", "there is a client certificate without a key",
                remedy: "add client-key or client-key-data")
        case (nil, _?):
            throw place.error(
                "client-certificate-data", "there is a client key without a certificate",
                remedy: "add client-certificate or client-certificate-data")
        }
    }

    private func authorization(
        _ user: Kubeconfig.User, _ place: Place, _ cluster: Kubeconfig.Cluster,
        _ access: ClusterAccess
    ) throws(ClusterAccessError) -> ClusterAccess.Authorization {
        if user.authProvider != nil {
            throw place.error(
                "auth-provider", "Kubernetes removed auth providers in version 1.26",
                remedy: "use the exec plugin of your provider, such as gke-gcloud-auth-plugin "
                    + "or kubelogin")
        }
        let token = user.token.flatMap { $0.isEmpty ? nil : $0 }
        let file = user.tokenFile.flatMap { $0.isEmpty ? nil : place.path($0) }
        if let name = user.username, !name.isEmpty {
            guard token == nil, file == nil else {
                throw place.error(
                    "username", "there are a password and a token", remedy: "remove one of them")
            }
            return .password(user: name, password: user.password ?? "")
        }
        if let token, !HeaderText.isValid(token) {
            throw place.error(
                "token", "the token has characters that no token has",
                remedy: "make a new one, such as with `kubectl create token`")
        }
        if let file { return .tokenFile(file, initial: token) }
        if let token { return .token(token) }
        guard let exec = user.exec else { return .none }
        return .plugin(try plugin(exec, place, cluster, access))
    }

    private func plugin(
        _ exec: Kubeconfig.Exec, _ place: Place, _ cluster: Kubeconfig.Cluster,
        _ access: ClusterAccess
    ) throws(ClusterAccessError) -> ExecPlugin {
        guard let command = exec.command, !command.isEmpty else {
            throw place.error("exec.command", "it is missing", remedy: "name the plugin")
        }
        guard let version = exec.apiVersion.flatMap(ExecPlugin.Version.init) else {
            throw place.error(
                "exec.apiVersion", "\"\(exec.apiVersion ?? "")\" is not known",
                remedy: "write \(ExecPlugin.Version.v1.rawValue), or v1beta1 for an older plugin")
        }
        guard exec.interactiveMode != "Always" else {
            throw place.error(
                "exec.interactiveMode", "the plugin must talk to a person, and here is none",
                remedy: "use IfAvailable or Never, or a token")
        }
        // A command with a slash is relative to the file; others are looked for along PATH.
        var plugin = ExecPlugin(
            command: command.contains("/") ? place.path(command) : command, version: version)
        plugin.arguments = exec.args ?? []
        for variable in exec.env ?? [] { plugin.environment[variable.name] = variable.value }
        plugin.installHint = exec.installHint.flatMap { $0.isEmpty ? nil : $0 }
        guard exec.provideClusterInfo == true else { return plugin }
        var info = ExecCredential.ClusterInfo(server: access.server.description)
        info.tlsServerName = access.tlsServerName
        info.skipsVerification = access.trust == .anybody ? true : nil
        info.proxy = cluster.proxy
        info.config = cluster.extensions?.first { $0.name == ExecPlugin.extensionName }?.extension
        if case .authorities(let authorities) = access.trust {
            info.authorityData = try place.bytes(of: authorities, "certificate-authority")
        }
        plugin.clusterInfo = info
        return plugin
    }

    private func impersonation(
        _ user: Kubeconfig.User, _ place: Place
    ) throws(ClusterAccessError) -> ClusterAccess.Impersonation? {
        let groups = user.impersonatedGroups ?? []
        let extra = user.impersonatedExtra ?? [:]
        guard let name = user.impersonatedUser, !name.isEmpty else {
            guard groups.isEmpty, extra.isEmpty, (user.impersonatedUID ?? "").isEmpty else {
                throw place.error(
                    "as", "groups, uid or extras to act as need a user to act as",
                    remedy: "name the user")
            }
            return nil
        }
        let texts = [name, user.impersonatedUID ?? ""] + groups + extra.values.flatMap(\.self)
        guard texts.allSatisfy(HeaderText.isValid) else {
            throw place.error(
                "as", "it has characters that no header may have", remedy: "correct it")
        }
        return ClusterAccess.Impersonation(
            user: name, uid: user.impersonatedUID, groups: groups, extra: extra)
    }
}

extension KubeconfigReader.Place {
    func error(_ field: String, _ problem: String, remedy: String) -> ClusterAccessError {
        ClusterAccessError(
            problem, remedy: remedy, file: file, context: reader.context,
            field: "\(prefix).\(field)")
    }

    /// A path of the file, which is relative to the file.
    func path(_ path: String) -> String {
        guard !path.hasPrefix("/"), let slash = file.lastIndex(of: "/") else { return path }
        return file[...slash] + path
    }

    /// What stands in the file itself, or else in a file that it names.
    func content(
        data: String?, _ dataField: String, file: String?, _ fileField: String
    ) throws(ClusterAccessError) -> ClusterAccess.Content? {
        if let data, !data.isEmpty {
            let text = data.filter { !$0.isWhitespace }
            guard let bytes = Data(base64Encoded: text), !bytes.isEmpty else {
                throw error(
                    dataField, "it is not base64",
                    remedy: "encode the PEM file with `base64 -w0`, or name the file in "
                        + fileField)
            }
            return .bytes(Array(bytes))
        }
        guard let file, !file.isEmpty else { return nil }
        let content = ClusterAccess.Content.file(path(file))
        _ = try bytes(of: content, fileField)
        return content
    }

    func bytes(
        of content: ClusterAccess.Content, _ field: String
    ) throws(ClusterAccessError) -> [UInt8] {
        switch content {
        case .bytes(let bytes): return bytes
        case .file(let path):
            do {
                return try CredentialFile.read(path)
            } catch {
                throw self.error(
                    field, "\(path): \(error.reason)",
                    remedy: "correct the path, which is relative to the kubeconfig")
            }
        }
    }
}
