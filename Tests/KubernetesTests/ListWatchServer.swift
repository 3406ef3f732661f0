import Kubernetes

/// The objects of one resource as an API server keeps them: a history of versions whose older part
/// may be compacted away.
struct ListWatchServer {
    struct Entry {
        var version: UInt64
        var name: String
        var isDeletion: Bool
    }

    private(set) var version: UInt64 = 10
    private(set) var log: [Entry] = []
    /// What happened up to this version cannot be told one by one any more.
    private(set) var compacted: UInt64 = 0

    @discardableResult
    mutating func write(_ name: String) -> APIObject {
        version += 1
        log.append(Entry(version: version, name: name, isDeletion: false))
        return Self.object(name, version)
    }

    mutating func delete(_ name: String) {
        guard state[name] != nil else { return }
        version += 1
        log.append(Entry(version: version, name: name, isDeletion: true))
    }

    /// Something happened to objects of other resources.
    mutating func passTime(_ versions: Int) { version += UInt64(versions) }

    mutating func compact(upTo version: UInt64) { compacted = max(compacted, version) }

    /// Names and versions of what exists.
    var state: [String: UInt64] { state(at: version) }

    func state(at version: UInt64) -> [String: UInt64] {
        var state: [String: UInt64] = [:]
        for entry in log where entry.version <= version {
            state[entry.name] = entry.isDeletion ? nil : entry.version
        }
        return state
    }

    static func reference(_ name: String) -> ManifestObject.Reference {
        ManifestObject.Reference(kind: "Service", name: ObjectName(namespace: "shop", name))
    }

    static func object(_ name: String, _ version: UInt64) -> APIObject {
        APIObject(reference: reference(name), resourceVersion: "\(version)", value: nil)
    }

    // MARK: Pages

    /// A page of the state as it was at a version. The token is that version and where to go on.
    func page(at version: UInt64, from start: Int, limit: Int) -> ObjectPage? {
        guard version > compacted || start == 0 else { return nil }
        let all = state(at: version).sorted { $0.key < $1.key }
        let end = min(start + limit, all.count)
        return ObjectPage(
            objects: all[min(start, end)..<end].map { Self.object($0.key, $0.value) },
            resourceVersion: "\(version)",
            continueToken: end < all.count ? "\(version):\(end)" : nil)
    }

    // MARK: Lines

    /// A line of a watch in a notation of our own: framing is what is tested, not JSON.
    static func line(_ entry: Entry) -> String {
        "\(entry.isDeletion ? "D" : "C") \(entry.name) \(entry.version)\n"
    }

    static func bookmark(_ version: UInt64, endsInitialEvents: Bool = false) -> String {
        "\(endsInitialEvents ? "E" : "B") - \(version)\n"
    }

    static func event(_ line: [UInt8]) throws(APIFailure) -> WatchEvent {
        let words = String(decoding: line, as: UTF8.self).split(separator: " ")
        guard words.count == 3, let version = UInt64(words[2]) else {
            throw .malformed("half a line")
        }
        let name = String(words[1])
        switch words[0] {
        case "C": return .changed(object(name, version))
        case "D": return .deleted(reference(name), resourceVersion: "\(version)")
        case "B": return .bookmark(resourceVersion: "\(version)", endsInitialEvents: false)
        case "E": return .bookmark(resourceVersion: "\(version)", endsInitialEvents: true)
        case "X":
            return .failed(APIStatus(code: 410, reason: "Expired", message: "too old"))
        default: throw .malformed("what is \(words[0])?")
        }
    }
}
