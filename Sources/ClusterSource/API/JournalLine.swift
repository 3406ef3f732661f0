import Kubernetes

/// One line of a journal.
///
/// ```
///   checksum p Kind namespace/name {"…":…}    the object is this now
///   checksum d Kind namespace/name            it is gone
///   checksum v path version                   the collection has this version
///   checksum t nanoseconds                    all of it was so at this time since 1970
/// ```
///
/// The checksum is of what comes after it, in 16 hexadecimal digits. It tells damage from data;
/// it is no protection against people who write the file.
enum JournalLine {
    case put(key: ArraySlice<UInt8>, json: ArraySlice<UInt8>)
    case gone(key: ArraySlice<UInt8>)
    case version(path: String, String)
    case confirmed(WallTime)

    /// Appends a line for an object, or for one that is gone. Nothing is appended for a text that
    /// is no line, which no decoder gives.
    static func append(
        _ reference: ManifestObject.Reference, _ json: [UInt8]?, to bytes: inout [UInt8]
    ) {
        if let json, json.contains(UInt8(ascii: "\n")) { return }
        append(to: &bytes) { line in
            line.append(contentsOf: (json == nil ? "d " : "p ").utf8)
            line.append(contentsOf: reference.description.utf8)
            guard let json else { return }
            line.append(UInt8(ascii: " "))
            line.append(contentsOf: json)
        }
    }

    /// Appends the version of a collection.
    static func append(version: String, of path: String, to bytes: inout [UInt8]) {
        append(to: &bytes) { $0.append(contentsOf: "v \(path) \(version)".utf8) }
    }

    /// Appends the time of which all is known to have been so.
    static func append(_ time: WallTime, to bytes: inout [UInt8]) {
        append(to: &bytes) { $0.append(contentsOf: "t \(time.nanosecondsSince1970)".utf8) }
    }

    private static let checksumLength = 16

    private static func append(to bytes: inout [UInt8], _ fill: (inout [UInt8]) -> Void) {
        let start = bytes.count
        bytes.append(contentsOf: String(repeating: "0", count: checksumLength).utf8)
        bytes.append(UInt8(ascii: " "))
        let content = bytes.count
        fill(&bytes)
        bytes.replaceSubrange(start..<start + checksumLength, with: checksum(bytes[content...]))
        bytes.append(UInt8(ascii: "\n"))
    }

    /// FNV-1a of 64 bits, as text.
    private static func checksum(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        let digits = Array("0123456789abcdef".utf8)
        return (0..<checksumLength).map { digits[Int(hash >> (60 - 4 * UInt64($0)) & 0xf)] }
    }

    /// What a line without its end says; `nil` when it is damaged.
    init?(_ line: ArraySlice<UInt8>) {
        let content = line.dropFirst(Self.checksumLength + 1)
        guard line.count > Self.checksumLength + 2,
            line.prefix(Self.checksumLength).elementsEqual(Self.checksum(content))
        else { return nil }
        let rest = content.dropFirst(2)
        switch content.first {
        case UInt8(ascii: "p"):
            guard let kindEnd = rest.firstIndex(of: Self.space) else { return nil }
            let afterKind = rest[(kindEnd + 1)...]
            guard let nameEnd = afterKind.firstIndex(of: Self.space) else { return nil }
            self = .put(key: rest[..<nameEnd], json: rest[(nameEnd + 1)...])
        case UInt8(ascii: "d"): self = .gone(key: rest)
        case UInt8(ascii: "v"):
            guard let space = rest.lastIndex(of: Self.space) else { return nil }
            self = .version(
                path: String(decoding: rest[..<space], as: UTF8.self),
                String(decoding: rest[(space + 1)...], as: UTF8.self))
        case UInt8(ascii: "t"):
            guard let time = UInt64(String(decoding: rest, as: UTF8.self)) else { return nil }
            self = .confirmed(WallTime(nanosecondsSince1970: time))
        default: return nil
        }
    }

    private static let space = UInt8(ascii: " ")

    /// The kind in a key.
    static func kind(of key: ArraySlice<UInt8>) -> String {
        String(decoding: key.prefix { $0 != space }, as: UTF8.self)
    }
}

/// Changes that wait to be written: the last one of each object.
struct JournalBatch: Sendable {
    private(set) var objects: [ManifestObject.Reference: [UInt8]?] = [:]
    var versions: [String: String] = [:]
    var confirmed: WallTime?
    var isClosing = false
    /// About how many bytes they are.
    private(set) var size = 0

    init(isClosing: Bool = false) { self.isClosing = isClosing }

    var isEmpty: Bool { objects.isEmpty && versions.isEmpty && confirmed == nil }

    mutating func put(_ reference: ManifestObject.Reference, _ text: [UInt8]) {
        set(reference, text)
    }

    mutating func remove(_ reference: ManifestObject.Reference) { set(reference, nil) }

    private mutating func set(_ reference: ManifestObject.Reference, _ text: [UInt8]?) {
        let overhead = 128
        if let old = objects.updateValue(text, forKey: reference) {
            size -= overhead + (old?.count ?? 0)
        }
        size += overhead + (text?.count ?? 0)
    }

    /// Takes in what came later.
    mutating func merge(_ later: JournalBatch) {
        if isEmpty {
            let wasClosing = isClosing
            self = later
            isClosing = isClosing || wasClosing
            return
        }
        for (reference, text) in later.objects { set(reference, text) }
        versions.merge(later.versions) { $1 }
        confirmed = later.confirmed ?? confirmed
        isClosing = isClosing || later.isClosing
    }

    /// The lines: objects first, so that a version is never there without what it stands for.
    var lines: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(size + 64)
        for (reference, text) in objects { JournalLine.append(reference, text, to: &bytes) }
        for (path, version) in versions {
            JournalLine.append(version: version, of: path, to: &bytes)
        }
        if let confirmed { JournalLine.append(confirmed, to: &bytes) }
        return bytes
    }
}
