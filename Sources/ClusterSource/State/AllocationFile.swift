import FoundationEssentials
import Kubernetes
import NetworkTypes

/// The text of `allocations.json`: JSON, one line for a Service, in order of name.
///
/// ```json
/// {
///   "format": "martlet allocations",
///   "version": 1,
///   "generation": 7,
///   "writer": "node-a, process 4711",
///   "services": {
///     "default/web": {"addresses": ["192.0.2.10"], "pool": "lan", "since": "2030-01-31T12:00:00Z"}
///   }
/// }
/// ```
///
/// Fields that a reader does not know are passed over; a change that it must know raises `version`.
enum AllocationFile {
    static let format = "martlet allocations"
    static let version = 1

    /// Why a text is not used.
    enum Failure: Error, Equatable {
        /// Not what we write, or no longer.
        case damaged(String)
        /// Written by a later Martlet; not to be overwritten.
        case newer(version: Int)
    }

    private struct Header: Decodable {
        var format: String
        var version: Int
    }

    private struct Content: Decodable {
        struct Record: Decodable {
            var addresses: [String]
            var pool: String
            var since: String?
            var reservedUntil: String?
        }

        var generation: UInt64
        var services: [String: Record]
    }

    /// The text for the allocations of a table.
    static func encode(_ table: StateTable, writer: String) -> [UInt8] {
        var text = JSONText()
        text.raw("{\n  \"format\": \"\(format)\",\n  \"version\": \(version),\n")
        text.raw("  \"generation\": \(table.generation),\n  \"writer\": ")
        text.string(writer)
        text.raw(",\n  \"services\": {")
        var separator = "\n    "
        for (name, allocation) in table.allocations.sorted(by: { $0.key < $1.key }) {
            text.raw(separator)
            text.string(name.description)
            text.raw(": ")
            append(allocation, to: &text)
            separator = ",\n    "
        }
        text.raw(table.allocations.isEmpty ? "}\n}\n" : "\n  }\n}\n")
        return text.bytes
    }

    private static func append(_ allocation: ServiceAllocation, to text: inout JSONText) {
        text.raw("{\"addresses\": [")
        for (index, address) in allocation.addresses.enumerated() {
            if index > 0 { text.raw(", ") }
            text.string(address.description)
        }
        text.raw("], \"pool\": ")
        text.string(allocation.pool)
        if let since = allocation.since {
            text.raw(", \"since\": ")
            text.date(since)
        }
        if let until = allocation.reservedUntil {
            text.raw(", \"reservedUntil\": ")
            text.date(until)
        }
        text.raw("}")
    }

    /// The generation and the allocations of a text.
    static func decode(
        _ bytes: [UInt8]
    ) throws(Failure) -> (generation: UInt64, allocations: [ObjectName: ServiceAllocation]) {
        let content: Content
        do {
            let data = Data(bytes)
            let header = try JSONDecoder().decode(Header.self, from: data)
            guard header.format == format else {
                throw Failure.damaged("its format is \"\(header.format)\"")
            }
            guard header.version <= version else { throw Failure.newer(version: header.version) }
            content = try JSONDecoder().decode(Content.self, from: data)
        } catch let failure as Failure {
            throw failure
        } catch {
            throw .damaged(JSONText.reason(error))
        }
        guard content.services.count <= StateTable.allocationLimit else {
            throw .damaged("more than \(StateTable.allocationLimit) Services")
        }
        var allocations: [ObjectName: ServiceAllocation] = [:]
        allocations.reserveCapacity(content.services.count)
        for (name, record) in content.services {
            let (name, allocation) = try read(record, of: name)
            allocations[name] = allocation
        }
        return (content.generation, allocations)
    }

    private static func read(
        _ record: Content.Record, of text: String
    ) throws(Failure) -> (ObjectName, ServiceAllocation) {
        guard let name = JSONText.objectName(text) else {
            throw .damaged("\"\(text)\" is not namespace/name")
        }
        var addresses: [IPAddress] = []
        for text in record.addresses {
            guard let address = IPAddress(text) else {
                throw .damaged("\(name): \"\(text)\" is no address")
            }
            guard !addresses.contains(where: { $0.family == address.family }) else {
                throw .damaged("\(name): more than one address of a family")
            }
            addresses.append(address)
        }
        var allocation = ServiceAllocation(addresses: addresses, pool: record.pool)
        do {
            allocation.since = try record.since.map { try Date($0, strategy: .iso8601) }
            allocation.reservedUntil = try record.reservedUntil.map {
                try Date($0, strategy: .iso8601)
            }
        } catch {
            throw .damaged("\(name): a time is not like 2030-01-31T12:00:00Z")
        }
        return (name, allocation)
    }
}
