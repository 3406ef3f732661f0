import Hummingbird

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// What a request must be before a command sees it.
///
/// A command changes something, and nobody is asked for a password: so only those on this host may
/// give one, over a Unix socket or a loopback address, unless a flag lets everybody who reaches the
/// port. A browser on this host is not its user: it names the page that made it ask (`Origin`), and
/// is refused; a form cannot send JSON.
struct AdminCommandGate {
    /// The most bytes of a body.
    static let maximumBody = 64 << 10

    let address: AdminAddress
    let allowsRemote: Bool

    /// The reason for which the request is not let through, if any; before its body is read.
    func refusal(_ request: Request) -> AdminAnswer? {
        guard allowsRemote || address.isLocal else {
            return AdminAnswer(
                .forbidden, error: "commands are not taken at \(address)",
                remedy: "give them on the node, at its Unix socket or loopback address")
        }
        guard request.headers[.origin] == nil else {
            return AdminAnswer(
                .forbidden, error: "commands are not taken from web pages",
                remedy: "use the martlet command on the node")
        }
        let type = request.headers[.contentType]?.split(separator: ";").first ?? ""
        guard type.lowercased().filter({ $0 != " " }) == "application/json" else {
            return AdminAnswer(
                .wrongType, error: "the body of a command is JSON",
                remedy: "send the header Content-Type: application/json")
        }
        if let length = request.headers[.contentLength].flatMap({ Int($0) }),
            length > Self.maximumBody
        {
            return Self.tooLong
        }
        return nil
    }

    /// The body, `{}` when there is none; throws the answer when it is no JSON object.
    func body(of request: inout Request) async throws(Refused) -> [UInt8] {
        let bytes: [UInt8]
        do {
            let buffer = try await request.collectBody(upTo: Self.maximumBody)
            bytes = Array(buffer.readableBytesView)
        } catch {
            throw Refused(answer: Self.tooLong)
        }
        if bytes.isEmpty { return Array("{}".utf8) }
        do {
            _ = try JSONDecoder().decode(ObjectShape.self, from: Data(bytes))
        } catch {
            throw Refused(
                answer: AdminAnswer(
                    .malformed, error: "the body is not a JSON object",
                    remedy: #"send {"name": value, …}, or nothing"#))
        }
        return bytes
    }

    /// Carries the answer to a request that is not let through.
    struct Refused: Error {
        let answer: AdminAnswer
    }

    private static let tooLong = AdminAnswer(
        .tooLong, error: "the body is longer than \(maximumBody) bytes",
        remedy: "split the command")

    /// Decodes from any JSON object and from nothing else.
    private struct ObjectShape: Decodable {
        private struct Key: CodingKey {
            let stringValue: String
            var intValue: Int? { nil }
            init(stringValue: String) { self.stringValue = stringValue }
            init?(intValue: Int) { nil }
        }

        init(from decoder: any Decoder) throws {
            _ = try decoder.container(keyedBy: Key.self)
        }
    }
}

extension AdminAddress {
    /// Whether only programs on this host can reach it.
    var isLocal: Bool {
        switch self {
        case .unix: true
        case .tcp(let host, _): Self.isLoopback(host)
        }
    }

    /// True for `localhost`, `::1` and dotted quads of 127/8; a name that only resolves to one is
    /// not trusted to stay with it.
    private static func isLoopback(_ host: String) -> Bool {
        if host == "localhost" || host == "::1" { return true }
        let octets = host.split(separator: ".", omittingEmptySubsequences: false)
        return octets.count == 4 && octets[0] == "127" && octets.allSatisfy { UInt8($0) != nil }
    }
}
