import Foundation
import Membership
import Testing

/// A payload from `Tests/Fixtures/membership`: hexadecimal text, `#` starts a comment line.
struct WireFixture: CustomTestStringConvertible, Sendable {
    let name: String
    let bytes: [UInt8]

    var testDescription: String { name }

    private static let folder = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Fixtures/membership")

    init(_ name: String) throws {
        let text = try String(
            contentsOf: Self.folder.appending(path: name + ".hex"), encoding: .utf8)
        let digits = text.split(separator: "\n").filter { !$0.hasPrefix("#") }.joined()
        var bytes: [UInt8] = []
        var rest = digits[...]
        while !rest.isEmpty {
            bytes.append(try #require(UInt8(rest.prefix(2), radix: 16)))
            rest = rest.dropFirst(2)
        }
        self.name = name
        self.bytes = bytes
    }

    static func all() throws -> [WireFixture] {
        try FileManager.default.contentsOfDirectory(atPath: folder.path())
            .filter { $0.hasSuffix(".hex") }.sorted()
            .map { try WireFixture(String($0.dropLast(4))) }
    }
}

/// Decodes a payload that is an array.
func decode(_ payload: [UInt8]) throws(DatagramError) -> [Message] {
    let bytes = payload.span
    return try DatagramCoder.decode(bytes)
}
