import Foundation

/// A record of `Tests/Fixtures/bgp-malformed.hex`, whose head says what the fields mean.
struct BGPMalformedCase: Sendable, CustomStringConvertible {
    let name: String
    let rule: String
    let session: String
    let outcome: String
    let bytes: [UInt8]

    var description: String { "\(name) (\(rule))" }

    /// What the receiver says when the session ends, as in the message; `nil` when it does not end.
    var notification: [UInt8]? {
        let words = outcome.split(separator: " ")
        guard words[0] == "reset", words.count > 1 else { return nil }
        let codes = words[1].split(separator: "/").compactMap { UInt8($0) }
        return codes + (words.count > 2 ? [UInt8](hex: words[2]) ?? [] : [])
    }

    static func all() throws -> [Self] {
        let file = Fixture.folder.deletingLastPathComponent()
            .appending(path: "bgp-malformed.hex")
        return try String(contentsOf: file, encoding: .utf8).components(separatedBy: "\n\n")
            .filter { !$0.hasPrefix("#") }.compactMap(Self.init)
    }

    private init?(_ record: String) {
        var fields: [String: String] = [:]
        var digits = ""
        for line in record.split(separator: "\n") {
            if let colon = line.firstIndex(of: ":") {
                fields[String(line[..<colon])] = line[line.index(after: colon)...]
                    .trimmingCharacters(in: .whitespaces)
            } else {
                digits += line
            }
        }
        guard let name = fields["name"], let rule = fields["rule"],
            let outcome = fields["outcome"], let bytes = [UInt8](hex: digits)
        else { return nil }
        self.name = name
        self.rule = rule
        self.outcome = outcome
        self.bytes = bytes
        session = fields["session"] ?? "external"
    }
}
