import FoundationEssentials
import Kubernetes

/// The text of `status.json`: conditions, pool figures and events as JSON with sorted keys. Nothing
/// depends on it, so it is not flushed to the disk, and a damaged one is simply written anew.
enum StatusFile {
    static let format = "martlet status"
    static let version = 1

    private struct Content: Codable {
        struct Event: Codable {
            var service: String
            var severity: ClusterEvent.Severity
            var reason: String
            var message: String
            var at: Date?
        }

        var format: String
        var version: Int
        var conditions: [String: [StatusCondition]]
        var pools: [String: PoolFigures]
        var events: [Event]
    }

    /// The text for a status.
    static func encode(_ status: ClusterStatus) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        encoder.dateEncodingStrategy = .iso8601
        let conditions = Dictionary(
            uniqueKeysWithValues: status.conditions.map { ($0.key.description, $0.value) })
        let events = status.events.map {
            Content.Event(
                service: $0.service.description, severity: $0.severity, reason: $0.reason,
                message: $0.message, at: $0.at)
        }
        return Array(
            try encoder.encode(
                Content(
                    format: format, version: version, conditions: conditions, pools: status.pools,
                    events: events)))
    }

    /// The status of a text.
    static func decode(_ bytes: [UInt8]) throws(AllocationFile.Failure) -> ClusterStatus {
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .iso8601
        let content: Content
        do {
            content = try decoder.decode(Content.self, from: Data(bytes))
        } catch {
            throw .damaged(JSONText.reason(error))
        }
        guard content.format == format else {
            throw .damaged("its format is \"\(content.format)\"")
        }
        guard content.version <= version else { throw .newer(version: content.version) }
        var status = ClusterStatus()
        for (text, conditions) in content.conditions {
            guard let name = JSONText.objectName(text) else {
                throw .damaged("\"\(text)\" is not namespace/name")
            }
            status.conditions[name] = conditions
        }
        status.pools = content.pools
        for event in content.events.suffix(ClusterStatus.eventLimit) {
            guard let name = JSONText.objectName(event.service) else {
                throw .damaged("\"\(event.service)\" is not namespace/name")
            }
            var told = ClusterEvent(
                service: name, severity: event.severity, reason: event.reason,
                message: event.message)
            told.at = event.at
            status.events.append(told)
        }
        return status
    }
}
