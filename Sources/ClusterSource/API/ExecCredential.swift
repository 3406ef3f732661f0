import FoundationEssentials
import Kubernetes

/// What an exec plugin answers (`client.authentication.k8s.io`, kind `ExecCredential`).
struct ExecCredential: Sendable, Equatable {
    /// What goes behind `Bearer`.
    var token: String?
    /// A client certificate and its key, in PEM.
    var identity: ClusterAccess.Identity?
    /// When it stops being good; `nil` if only a 401 will tell.
    var expires: Date?

    /// What a plugin is told about the cluster if it wants to know.
    struct ClusterInfo: Sendable, Equatable {
        var server: String
        var tlsServerName: String?
        var skipsVerification: Bool?
        var authorityData: [UInt8]?
        var proxy: String?
        var config: PlainValue?

        init(server: String) { self.server = server }
    }

    private struct Answer: Decodable {
        struct Status: Decodable {
            var token: String?
            var clientCertificateData: String?
            var clientKeyData: String?
            var expirationTimestamp: String?
        }
        var apiVersion: String?
        var kind: String?
        var status: Status?
    }

    /// Reads what a plugin wrote. Never says what the answer has in it: that is secret.
    init(_ output: [UInt8], version: ExecPlugin.Version) throws(APIFailure) {
        let answer: Answer
        do {
            answer = try JSONDecoder().decode(Answer.self, from: Data(output))
        } catch {
            throw .credentials("its answer is no ExecCredential: \(JSONText.reason(error))")
        }
        guard answer.kind == "ExecCredential", answer.apiVersion == version.rawValue else {
            throw .credentials(
                "its answer is \(answer.apiVersion ?? "?") \(answer.kind ?? "?") and not "
                    + "\(version.rawValue) ExecCredential; make apiVersion in the kubeconfig what "
                    + "the plugin speaks")
        }
        guard let status = answer.status else {
            throw .credentials("its answer has no status")
        }
        if let token = status.token, !token.isEmpty {
            guard HeaderText.isValid(token) else {
                throw .credentials("its token has characters that no token has")
            }
            self.token = token
        }
        switch (status.clientCertificateData, status.clientKeyData) {
        case (let certificate?, let key?):
            identity = ClusterAccess.Identity(
                certificate: .bytes(Array(certificate.utf8)), key: .bytes(Array(key.utf8)))
        case (nil, nil): break
        default: throw .credentials("its answer has a certificate without key, or a key alone")
        }
        guard token != nil || identity != nil else {
            throw .credentials("its answer has neither a token nor a certificate")
        }
        if let text = status.expirationTimestamp {
            guard let date = Self.date(text) else {
                throw .credentials("its expirationTimestamp is no RFC 3339 time")
            }
            expires = date
        }
    }

    /// RFC 3339, with or without a fraction of a second.
    private static func date(_ text: String) -> Date? {
        // Either style throws for what the other takes.
        let fractional = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
        return (try? Date(text, strategy: .iso8601)) ?? (try? Date(text, strategy: fractional))
    }
}

extension ExecCredential {
    private struct Question: Encodable {
        struct Spec: Encodable {
            var interactive = false
            var cluster: Cluster?
        }
        struct Cluster: Encodable {
            var server: String
            var tlsServerName: String?
            var skipsVerification: Bool?
            var authorityData: String?
            var proxy: String?
            var config: PlainValue?

            enum CodingKeys: String, CodingKey {
                case server, config
                case tlsServerName = "tls-server-name"
                case skipsVerification = "insecure-skip-tls-verify"
                case authorityData = "certificate-authority-data"
                case proxy = "proxy-url"
            }
        }
        var apiVersion: String
        var kind = "ExecCredential"
        var spec = Spec()
    }

    /// What a plugin is asked, for its variable `KUBERNETES_EXEC_INFO`.
    static func question(
        version: ExecPlugin.Version, cluster: ClusterInfo?
    ) throws(APIFailure) -> String {
        var question = Question(apiVersion: version.rawValue)
        question.spec.cluster = cluster.map { info in
            Question.Cluster(
                server: info.server, tlsServerName: info.tlsServerName,
                skipsVerification: info.skipsVerification,
                authorityData: info.authorityData.map { Data($0).base64EncodedString() },
                proxy: info.proxy, config: info.config)
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            return String(decoding: try encoder.encode(question), as: UTF8.self)
        } catch {
            throw .credentials("what is known of the cluster makes no JSON")
        }
    }
}
