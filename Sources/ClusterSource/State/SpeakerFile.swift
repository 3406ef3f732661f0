import FoundationEssentials
import NetworkTypes

/// The text of `speakers/NODE.json`: a speaker's record as JSON with sorted keys.
enum SpeakerFile {
    static let format = "martlet speaker"
    static let version = 1

    private struct Content: Codable {
        struct Interface: Codable {
            var name: String
            var mac: String
            var prefixes: [String]
            var usable: Bool
        }

        var format: String
        var version: Int
        var node: String
        var interfaces: [Interface]
        var claims: [String: UInt64]
        var serving: Bool?
        var handOver: SpeakerRecord.HandOver?
        var addresses: [String]?
    }

    /// The text for a record.
    static func encode(_ record: SpeakerRecord) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        let interfaces = record.interfaces.map {
            Content.Interface(
                name: $0.name, mac: $0.mac.description, prefixes: $0.prefixes.map(\.description),
                usable: $0.isUsable)
        }
        let claims = Dictionary(
            uniqueKeysWithValues: record.claims.map { ($0.key.description, $0.value) })
        return Array(
            try encoder.encode(
                Content(
                    format: format, version: version, node: record.node, interfaces: interfaces,
                    claims: claims, serving: record.isServing, handOver: record.handOver,
                    addresses: record.addresses.map(\.description))))
    }

    /// The record of a text.
    static func decode(_ bytes: [UInt8]) throws(AllocationFile.Failure) -> SpeakerRecord {
        let content: Content
        do {
            content = try JSONDecoder().decode(Content.self, from: Data(bytes))
        } catch {
            throw .damaged(JSONText.reason(error))
        }
        guard content.format == format else {
            throw .damaged("its format is \"\(content.format)\"")
        }
        guard content.version <= version else { throw .newer(version: content.version) }
        var record = SpeakerRecord(
            node: content.node, isServing: content.serving ?? true,
            handOver: content.handOver,
            addresses: (content.addresses ?? []).compactMap { IPAddress($0) })
        for interface in content.interfaces {
            guard let mac = MACAddress(interface.mac) else {
                throw .damaged("\"\(interface.mac)\" is no link-layer address")
            }
            let prefixes = interface.prefixes.compactMap { Prefix($0) }
            guard prefixes.count == interface.prefixes.count else {
                throw .damaged("\(interface.name) has a prefix that is none")
            }
            record.interfaces.append(
                .init(
                    name: interface.name, mac: mac, prefixes: prefixes,
                    isUsable: interface.usable))
        }
        for (text, epoch) in content.claims {
            guard let address = IPAddress(text) else { throw .damaged("\"\(text)\" is no address") }
            record.claims[address] = epoch
        }
        return record
    }
}
