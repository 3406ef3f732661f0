/// Why a request to the API server did not bring what was asked for.
public enum APIFailure: Error, Sendable, Hashable {
    /// The server answered, and said no.
    case status(APIStatus)
    /// No connection, or it broke.
    case transport(String)
    /// No answer in time; the request may have been carried out all the same.
    case timeout(String)
    /// What identifies us could not be had: a token file, a certificate, an exec plugin.
    case credentials(String)
    /// The answer is not what the API documents.
    case malformed(String)

    /// The HTTP code, where the server answered.
    public var code: Int? {
        if case .status(let status) = self { status.code } else { nil }
    }

    /// The list or watch must begin anew: what it builds on has been compacted away.
    public var isExpired: Bool {
        guard case .status(let status) = self else { return false }
        return status.code == 410 || status.reason == "Expired" || status.reason == "Gone"
    }

    /// Somebody else has changed the object meanwhile.
    public var isConflict: Bool { code == 409 }
}
