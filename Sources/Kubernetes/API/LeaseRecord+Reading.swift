extension LeaseRecord {
    /// Reads a Lease as a server gave it.
    public init(json: [UInt8]) throws(APIFailure) {
        do throws(JSONFailure) {
            self = try Self.read(try JSONDocument.node(json)).record
        } catch {
            throw .malformed("a Lease: \(error)")
        }
    }

    /// Reads a list of Leases, by name. One that cannot be read is left out.
    public static func list(json: [UInt8]) throws(APIFailure) -> [String: LeaseRecord] {
        do throws(JSONFailure) {
            guard let list = Fields(try JSONDocument.node(json)) else {
                throw JSONFailure(reason: .unexpectedType("a list"), offset: 0)
            }
            var records: [String: LeaseRecord] = [:]
            for item in list.list("items") {
                do throws(JSONFailure) {
                    let (name, record) = try read(item)
                    records[name] = record
                } catch {
                    // Like one that was never read: who waits for it goes on waiting.
                    continue
                }
            }
            return records
        } catch {
            throw .malformed("a list of Leases: \(error)")
        }
    }

    private static func read(
        _ node: DocumentNode
    ) throws(JSONFailure) -> (name: String, record: LeaseRecord) {
        guard let lease = Fields(node), let metadata = lease.fields("metadata"),
            let version = metadata["resourceVersion"], let name = metadata["name"]
        else { throw JSONFailure(reason: .unexpectedType("a Lease"), offset: 0) }
        let spec = lease.fields("spec")
        let record = LeaseRecord(
            holder: spec?["holderIdentity"] ?? "",
            durationSeconds: spec?["leaseDurationSeconds"].flatMap { Int($0) } ?? 0,
            acquireTime: spec?["acquireTime"], renewTime: spec?["renewTime"],
            transitions: max(0, spec?["leaseTransitions"].flatMap { Int($0) } ?? 0),
            resourceVersion: version)
        return (name, record)
    }
}

extension LeaseRecord {
    /// What a line of a watch of one Lease says.
    public enum Notice: Equatable, Sendable {
        /// The Lease is this now.
        case stored(LeaseRecord)
        /// The Lease was deleted, and this is how it was. Its holder may not know yet: it is not
        /// as if it had been released.
        case deleted(LeaseRecord)
    }

    /// Reads a line of a watch of one Lease; `nil` for a line that does not show the Lease as it
    /// is: a bookmark, an error.
    public static func notice(watchLine: [UInt8]) throws(APIFailure) -> Notice? {
        do throws(JSONFailure) {
            guard let line = Fields(try JSONDocument.node(watchLine)), let type = line["type"],
                ["ADDED", "MODIFIED", "DELETED"].contains(type), let object = line.node("object")
            else { return nil }
            let record = try read(object).record
            return type == "DELETED" ? .deleted(record) : .stored(record)
        } catch {
            throw .malformed("a watch of a Lease: \(error)")
        }
    }
}
