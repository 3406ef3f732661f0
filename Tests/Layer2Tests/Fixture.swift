import Foundation
import Layer2
import NetworkTypes
import Testing

/// A frame from `Tests/Fixtures/layer2`: hexadecimal text, `#` starts a comment line.
struct Fixture: CustomTestStringConvertible, Sendable {
    let name: String
    let bytes: [UInt8]

    var testDescription: String { name }

    static let folder = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Fixtures/layer2")

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

    static func all() throws -> [Fixture] {
        try FileManager.default.contentsOfDirectory(atPath: folder.path())
            .filter { $0.hasSuffix(".hex") }.sorted()
            .map { try Fixture(String($0.dropLast(4))) }
    }
}

/// The cast of the fixtures and of the tests.
enum Cast {
    static let speaker = MACAddress(bits: 0x0200_5e10_0001)
    static let client = MACAddress(bits: 0x0200_5e10_0099)
    static let stranger = MACAddress(bits: 0x0200_5e10_0066)
    static let peer = MACAddress(bits: 0x0200_5e10_0002)

    /// The same story once for each family.
    static let families: [IPAddress.Family] = [.ipv4, .ipv6]

    static func address(_ family: IPAddress.Family, _ number: UInt32 = 0x10) -> IPAddress {
        switch family {
        case .ipv4: IPAddress(ipv4: number == 0x10 ? 0xc000_020a : 0xc612_0000 + number)
        case .ipv6: IPAddress(family: .ipv6, bits: 0x2001_0db8 << 96 | UInt128(number))
        }
    }

    static func clientAddress(_ family: IPAddress.Family) -> IPAddress {
        family == .ipv4
            ? IPAddress(ipv4: 0xc000_0263)
            : IPAddress(family: .ipv6, bits: 0x2001_0db8 << 96 | 0x99)
    }
}
