import BFD
import Foundation
import NetworkTypes
import Testing

/// A packet from `Tests/Fixtures/bfd`: hexadecimal text, `#` starts a comment line.
struct Fixture: CustomTestStringConvertible, Sendable {
    let name: String
    let bytes: [UInt8]

    var testDescription: String { name }

    private static let folder = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Fixtures/bfd")

    init(_ name: String) throws {
        let text = try String(
            contentsOf: Self.folder.appending(path: name + ".hex"), encoding: .utf8)
        let digits = Array(
            text.split(separator: "\n").filter { !$0.hasPrefix("#") }.joined().utf8)
        self.name = name
        bytes = try stride(from: 0, to: digits.count, by: 2).map {
            try #require(UInt8(String(decoding: digits[$0..<$0 + 2], as: UTF8.self), radix: 16))
        }
    }

    static func all() throws -> [Fixture] {
        try FileManager.default.contentsOfDirectory(atPath: folder.path)
            .filter { $0.hasSuffix(".hex") }.sorted()
            .map { try Fixture(String($0.dropLast(4))) }
    }

    func packet() throws -> BFDPacket { try BFDPacket(decoding: bytes.span) }
}
