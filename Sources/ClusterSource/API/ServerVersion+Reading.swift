import FoundationEssentials
import Kubernetes

extension ServerVersion {
    private struct Body: Decodable {
        var major: String
        var minor: String
        var gitVersion: String
    }

    /// Reads what `/version` answers. Some providers write `27+` for a minor version.
    init(_ json: [UInt8]) throws(APIFailure) {
        let body: Body
        do {
            body = try JSONDecoder().decode(Body.self, from: Data(json))
        } catch {
            throw .malformed("/version: \(JSONText.reason(error)); is that the API server?")
        }
        guard let major = Int(body.major.prefix(while: \.isNumber)),
            let minor = Int(body.minor.prefix(while: \.isNumber))
        else { throw .malformed("/version: \(body.major).\(body.minor) is no version") }
        self.init(major: major, minor: minor, gitVersion: body.gitVersion)
    }
}
