import BGP
import Foundation
import NetworkTypes
import Testing

/// A message from `Tests/Fixtures/bgp`: hexadecimal text, `#` starts a comment line.
struct WireFixture: CustomTestStringConvertible, Sendable {
    let name: String
    let bytes: [UInt8]

    var testDescription: String { name }

    static let folder = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Fixtures")

    init(_ name: String) throws {
        let text = try String(
            contentsOf: Self.folder.appending(path: "bgp/\(name).hex"), encoding: .utf8)
        self.name = name
        bytes = try Self.bytes(text.split(separator: "\n").filter { !$0.hasPrefix("#") }.joined())
    }

    static func bytes(_ digits: String) throws -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = digits[...]
        while !rest.isEmpty {
            bytes.append(try #require(UInt8(rest.prefix(2), radix: 16)))
            rest = rest.dropFirst(2)
        }
        return bytes
    }

    static func all() throws -> [WireFixture] {
        try FileManager.default.contentsOfDirectory(atPath: folder.appending(path: "bgp").path())
            .filter { $0.hasSuffix(".hex") }.sorted()
            .map { try WireFixture(String($0.dropLast(4))) }
    }

    /// What the sessions of the fixtures have agreed on.
    var context: DecodingContext { Self.context(name) }

    static func context(_ name: String) -> DecodingContext {
        var context = DecodingContext(
            hasFourOctetAS: name != "update-two-octet", families: [.ipv4, .ipv6],
            isInternal: name == "update-all-attributes", remoteAS: 64496)
        if name == "update-extended-next-hop" { context.extendedNextHop = [.ipv4] }
        return context
    }
}

/// Decodes a message that is an array.
func decode(
    _ bytes: [UInt8], _ context: DecodingContext = DecodingContext()
) throws(MessageFault) -> BGPMessage? {
    try BGPMessage(decoding: bytes.span, context: context)
}

/// Decodes an UPDATE that is an array.
func decodeUpdate(_ bytes: [UInt8], _ context: DecodingContext) throws -> UpdateMessage {
    guard case .update(let message) = try decode(bytes, context) else {
        throw MessageFault(
            notification: NotificationMessage(code: 0, subcode: 0), rule: "this is no UPDATE")
    }
    return message
}

/// A prefix of the tests.
func prefix(_ text: String) throws -> Prefix { try #require(Prefix(text)) }

/// An address of the tests.
func address(_ text: String) throws -> IPAddress { try #require(IPAddress(text)) }
