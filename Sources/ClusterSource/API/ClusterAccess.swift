/// How a cluster's API server is reached, and as whom.
package struct ClusterAccess: Sendable {
    /// Where this was read.
    package enum Origin: Sendable, Equatable {
        /// From what a pod finds.
        case inCluster
        /// From kubeconfig files, with the context that was chosen.
        case kubeconfig(context: String, files: [String])
    }

    /// Bytes that are given, or stand in a file that may change.
    package enum Content: Sendable, Equatable {
        case bytes([UInt8])
        case file(String)
    }

    /// Whom a server is believed.
    package enum Trust: Sendable, Equatable {
        /// The system's certificate authorities.
        case system
        /// These certificate authorities, in PEM, and no others.
        case authorities(Content)
        /// Anybody.
        case anybody
    }

    /// A client certificate with its key, in PEM.
    package struct Identity: Sendable, Equatable {
        package var certificate: Content
        package var key: Content
    }

    /// What goes into the header `Authorization`.
    package enum Authorization: Sendable, Equatable {
        case none
        case token(String)
        /// A file with a token that may change; `initial` is used while it cannot be read.
        case tokenFile(String, initial: String?)
        case password(user: String, password: String)
        /// A program that makes tokens or certificates.
        case plugin(ExecPlugin)
    }

    /// As whom to act (`Impersonate-…`).
    package struct Impersonation: Sendable, Equatable {
        package var user: String
        package var uid: String?
        package var groups: [String] = []
        package var extra: [String: [String]] = [:]
    }

    /// A proxy that is asked with CONNECT.
    package struct Proxy: Sendable, Equatable {
        package enum Kind: Sendable, Equatable { case http, socks }
        package var kind: Kind
        package var host: String
        package var port: Int
        package var user: String?
        package var password: String?
    }

    /// Where this was read.
    package var origin: Origin
    /// Where the server is.
    package var server: ServerAddress
    /// Whom to believe that it is the server.
    package var trust = Trust.system
    /// The name that its certificate must have, if it is not the host of ``server``.
    package var tlsServerName: String?
    /// The way to it.
    package var proxy: Proxy?
    /// The client certificate.
    package var identity: Identity?
    /// The other way to say who we are.
    package var authorization = Authorization.none
    /// As whom to act.
    package var impersonation: Impersonation?
    /// The namespace that the pod is in, or the context names; `default` if neither.
    package var namespace = "default"

    init(origin: Origin, server: ServerAddress) {
        self.origin = origin
        self.server = server
    }
}

extension ClusterAccess: CustomStringConvertible {
    /// The server and where that was read; never a secret.
    package var description: String {
        switch origin {
        case .inCluster: "\(server) (in-cluster)"
        case .kubeconfig(let context, _): "\(server) (context \(context))"
        }
    }
}
