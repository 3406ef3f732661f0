import BGP
import Foundation
import Testing

/// A record of `Tests/Fixtures/bgp-malformed.hex`, whose head says what the fields mean.
struct WireMalformedCase: CustomTestStringConvertible, Sendable {
    let name: String
    let rule: String
    let session: String
    let attribute: UInt8?
    let outcome: String
    let bytes: [UInt8]

    var testDescription: String { name }

    static func all() throws -> [WireMalformedCase] {
        let file = WireFixture.folder.appending(path: "bgp-malformed.hex")
        return try String(contentsOf: file, encoding: .utf8).components(separatedBy: "\n\n")
            .filter { !$0.hasPrefix("#") }.map(Self.init)
    }

    private init(_ record: String) throws {
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
        name = try #require(fields["name"])
        rule = try #require(fields["rule"])
        session = fields["session"] ?? ""
        attribute = fields["attribute"].flatMap { UInt8($0) }
        outcome = try #require(fields["outcome"])
        bytes = try WireFixture.bytes(digits)
    }

    var context: DecodingContext {
        let roles: [String: PeerRole] = [
            "role provider": .provider, "role rs": .routeServer, "role peer": .peer,
            "role customer": .customer,
        ]
        return DecodingContext(
            hasFourOctetAS: session != "two-octet", families: [.ipv4, .ipv6],
            isInternal: session == "internal", role: roles[session], remoteAS: 64496)
    }

    /// What the receiver is to say when the session ends, `nil` when it does not end.
    var notification: NotificationMessage? {
        get throws {
            let words = outcome.split(separator: " ")
            guard words[0] == "reset" else { return nil }
            let codes = words[1].split(separator: "/").compactMap { UInt8($0) }
            try #require(codes.count == 2)
            return NotificationMessage(
                code: codes[0], subcode: codes[1],
                data: try WireFixture.bytes(words.count > 2 ? String(words[2]) : ""))
        }
    }
}
