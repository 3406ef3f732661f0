/// Why objects of a resource cannot be followed at present, and the way out.
public struct APITrouble: Hashable, Sendable {
    /// The resource.
    public var resource: APIResource
    /// The namespace; `nil` for all.
    public var namespace: String?
    /// What was not possible: `list` or `watch`.
    public var verb: String
    /// Why.
    public var failure: APIFailure

    /// Makes a trouble.
    public init(resource: APIResource, namespace: String?, verb: String, failure: APIFailure) {
        self.resource = resource
        self.namespace = namespace
        self.verb = verb
        self.failure = failure
    }

    /// The same for people: what does not work, and what they can do. What was last known of these
    /// objects goes on working, so it is a warning.
    public var problem: Problem {
        Problem(.warning, object: "\(resource)", rule: rule, remedy: remedy)
    }

    private var rule: String {
        "cannot \(verb) \(resource)\(place): \(reason)"
    }

    private var place: String { namespace.map { " in namespace \($0)" } ?? "" }

    private var reason: String {
        switch failure {
        case .status(let status):
            let name = status.reason.isEmpty ? "" : " \(status.reason)"
            let text = status.message.isEmpty ? "" : ": \(status.message)"
            return "the API server answers \(status.code)\(name)\(text)"
        case .transport(let text): return "no connection to the API server: \(text)"
        case .timeout(let text): return "the API server does not answer: \(text)"
        case .credentials(let text): return "we cannot say who we are: \(text)"
        case .malformed(let text): return "the answer of the API server is not usable: \(text)"
        }
    }

    private var remedy: String {
        switch failure {
        case .credentials:
            return "look at the token, certificate or exec plugin of the kubeconfig"
        case .transport, .timeout:
            return "\(meanwhile); look at the API server and the network to it"
        case .malformed:
            return "\(meanwhile); look for a proxy that cuts or changes answers"
        case .status(let status): return remedy(for: status.code)
        }
    }

    private func remedy(for code: Int) -> String {
        switch code {
        case 401: "look at the token or certificate, and whether the ServiceAccount exists"
        case 403:
            "grant the verbs list and watch on \(resource)\(place) to this ServiceAccount, as the "
                + "roles in deploy/kubernetes do"
        case 404, 405:
            resource.group == "metallb.io"
                ? "install the CustomResourceDefinitions of deploy/kubernetes"
                : "the server must serve \(resource.apiVersion) \(resource.kind)"
        case 429: "\(meanwhile); the API server asks for patience: give it priority or resources"
        default: "\(meanwhile); look at the log of the API server"
        }
    }

    private var meanwhile: String { "what was last known goes on working" }
}
