import Kubernetes

extension APIFailure {
    /// What went wrong, in words.
    package var explanation: String {
        switch self {
        case .status(let status):
            status.message.isEmpty
                ? "the server answered \(status.code) \(status.reason)"
                : "the server answered \(status.code): \(status.message)"
        case .transport(let text), .timeout(let text), .credentials(let text): text
        case .malformed(let text): "an answer that is none: \(text)"
        }
    }
}
