import FoundationEssentials
import Yams

/// A kubeconfig file, as far as it is used.
struct Kubeconfig: Decodable {
    struct Named<Value: Decodable>: Decodable {
        var name: String
        var value: Value?
    }

    struct Cluster: Decodable {
        var server: String?
        var authorityFile: String?
        var authorityData: String?
        var skipsVerification: Bool?
        var tlsServerName: String?
        var proxy: String?
        var extensions: [Extension]?

        enum CodingKeys: String, CodingKey {
            case server, extensions
            case authorityFile = "certificate-authority"
            case authorityData = "certificate-authority-data"
            case skipsVerification = "insecure-skip-tls-verify"
            case tlsServerName = "tls-server-name"
            case proxy = "proxy-url"
        }
    }

    struct Extension: Decodable {
        var name: String
        var `extension`: PlainValue?
    }

    struct User: Decodable {
        var token: String?
        var tokenFile: String?
        var certificateFile: String?
        var certificateData: String?
        var keyFile: String?
        var keyData: String?
        var username: String?
        var password: String?
        var exec: Exec?
        var authProvider: PlainValue?
        var impersonatedUser: String?
        var impersonatedUID: String?
        var impersonatedGroups: [String]?
        var impersonatedExtra: [String: [String]]?

        enum CodingKeys: String, CodingKey {
            case token, tokenFile, username, password, exec
            case certificateFile = "client-certificate"
            case certificateData = "client-certificate-data"
            case keyFile = "client-key"
            case keyData = "client-key-data"
            case authProvider = "auth-provider"
            case impersonatedUser = "as"
            case impersonatedUID = "as-uid"
            case impersonatedGroups = "as-groups"
            case impersonatedExtra = "as-user-extra"
        }
    }

    struct Exec: Decodable {
        struct Variable: Decodable {
            var name: String
            var value: String
        }
        var apiVersion: String?
        var command: String?
        var args: [String]?
        var env: [Variable]?
        var installHint: String?
        var interactiveMode: String?
        var provideClusterInfo: Bool?
    }

    struct Context: Decodable {
        var cluster: String?
        var user: String?
        var namespace: String?
    }

    var currentContext: String?
    var clusters: [Named<Cluster>]?
    var users: [Named<User>]?
    var contexts: [Named<Context>]?

    enum CodingKeys: String, CodingKey {
        case clusters, users, contexts
        case currentContext = "current-context"
    }
}

extension Kubeconfig.Named {
    private struct Key: CodingKey {
        var stringValue: String
        var intValue: Int? { nil }
        init(_ text: String) { stringValue = text }
        init?(stringValue: String) { self.init(stringValue) }
        init?(intValue: Int) { nil }
    }

    /// The value stands under a key of its own: `cluster`, `user` or `context`.
    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        name = try container.decode(String.self, forKey: Key("name"))
        let key =
            Value.self == Kubeconfig.Cluster.self
            ? "cluster" : Value.self == Kubeconfig.User.self ? "user" : "context"
        value = try container.decodeIfPresent(Value.self, forKey: Key(key))
    }
}

extension Kubeconfig {
    /// Reads a file; `nil` if there is none.
    static func read(_ path: String) throws(ClusterAccessError) -> Kubeconfig? {
        let bytes: [UInt8]
        do {
            bytes = try CredentialFile.read(path)
        } catch {
            if !FileManager.default.fileExists(atPath: path) { return nil }
            throw ClusterAccessError(
                error.reason, remedy: "let this user read it, or name another file", file: path)
        }
        // A file that has nothing yet is what `kubectl config` makes on its way.
        if CredentialFile.line(bytes).isEmpty { return Kubeconfig() }
        do {
            return try YAMLDecoder().decode(Kubeconfig.self, from: Data(bytes))
        } catch let error as DecodingError {
            let (field, problem) = Self.place(of: error)
            throw ClusterAccessError(
                problem, remedy: "correct it; `kubectl config view` shows the whole file",
                file: path, field: field)
        } catch {
            throw ClusterAccessError(
                "it is no YAML", remedy: "correct it; `kubectl config view` names the line",
                file: path)
        }
    }

    private static func place(of error: DecodingError) -> (field: String?, problem: String) {
        func field(_ path: [any CodingKey]) -> String? {
            var text = ""
            for key in path {
                if let index = key.intValue {
                    text += "[\(index)]"
                } else {
                    text += (text.isEmpty ? "" : ".") + key.stringValue
                }
            }
            return text.isEmpty ? nil : text
        }
        switch error {
        case .keyNotFound(let key, let context):
            return (field(context.codingPath + [key]), "it is missing")
        case .valueNotFound(_, let context):
            return (field(context.codingPath), "it has no value")
        case .typeMismatch(_, let context):
            return (field(context.codingPath), "its value is of the wrong type")
        case .dataCorrupted(let context):
            guard let field = field(context.codingPath) else { return (nil, "it is no YAML") }
            return (field, "its value cannot be used")
        @unknown default:
            return (nil, "it cannot be read")
        }
    }
}
