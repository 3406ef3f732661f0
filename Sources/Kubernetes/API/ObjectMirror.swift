/// Which objects of one resource there are, and in which versions: what becomes of what a server
/// tells, so that nothing is told twice and nothing goes back in time.
///
/// - A version that is known already, or older than the known one, is dropped. So a watch that
///   repeats itself does no harm, and the answers to our own writes are taken in by the same rule:
///   the watch's echo of them is dropped.
/// - A deletion is remembered, so that a late event does not bring the object back.
/// - A list replaces what is known, our own writes aside that are younger than it. What differs and
/// is younger than everything seen before takes
///   effect at once; all else in it, and the deletion of what it lacks, when it is whole. A list
///   that never becomes whole takes back nothing.
///
/// Versions are compared as decimal numbers, which those of a Kubernetes API server are. Others are
/// only known to be equal or not; then the order in which they come is believed.
///
/// Bounds: an entry of a name and two numbers for each object; 1,024 remembered deletions, below
/// the oldest of which every unknown object counts as deleted; what of a list waits for its end is
/// bounded by the list.
public struct ObjectMirror: Sendable {
    /// What changed: the object, or `nil` when it is gone.
    public typealias Change = (ManifestObject.Reference, APIObject?)

    /// The kind of object.
    public let kind: String

    /// What is known of an object that exists.
    struct Entry: Hashable, Sendable {
        /// Its version; 0 when that is no number, and then ``ObjectMirror/opaqueVersions`` has it.
        var version: UInt64
        /// The list that had it last.
        var list: UInt32
    }

    var entries: [ObjectName: Entry] = [:]
    var opaqueVersions: [ObjectName: String] = [:]
    var deletions = RememberedDeletions()
    /// While a list is taken in: what it says and we know, or knew, something younger of.
    var held: [ObjectName: APIObject]?
    /// The number of the list that is, or was last, taken in.
    var list: UInt32 = 0
    /// The youngest version that the server has told of the whole resource.
    var mark: UInt64?

    /// Makes a mirror that knows nothing.
    public init(resource: APIResource) {
        kind = resource.kind
    }

    /// How many objects there are.
    public var count: Int { entries.count }
    /// How many deletions are remembered.
    public var rememberedDeletions: Int { deletions.count }
    /// Whether a list is being taken in.
    public var isReplacing: Bool { held != nil }
    /// The youngest version that the server has told of the whole resource; `nil` for none.
    public var resourceVersion: String? { mark.map { "\($0)" } }

    /// The version of an object; `nil` when there is none.
    public func version(of name: ObjectName) -> String? {
        guard let entry = entries[name] else { return nil }
        return entry.version == 0 ? opaqueVersions[name] : "\(entry.version)"
    }

    /// Takes objects that an earlier process knew, which the caller has already; without a change.
    public mutating func restore(_ objects: [APIObject]) {
        for object in objects {
            store(object.reference.name, object.resourceVersion, list: list)
            raiseMark(to: object.resourceVersion)
        }
    }

    /// Takes a line of a watch. Bookmarks and errors change nothing.
    public mutating func accept(_ event: WatchEvent) -> [Change] {
        switch event {
        case .changed(let object):
            if isReplacing { return list(object) }
            defer { raiseMark(to: object.resourceVersion) }
            return change(object)
        case .deleted(let reference, let version):
            defer { if !isReplacing { raiseMark(to: version) } }
            return delete(reference.name, at: version)
        case .bookmark(let version, _):
            if !isReplacing { raiseMark(to: version) }
            return []
        case .failed: return []
        }
    }

    /// Takes the objects of a page.
    public mutating func accept(_ page: ObjectPage) -> [Change] {
        page.objects.flatMap { isReplacing ? list($0) : change($0) }
    }

    /// Takes the object that the server answered to our own write.
    public mutating func accept(written object: APIObject) -> [Change] {
        change(object)
    }

    /// Takes the deletion that the server answered to our own request.
    public mutating func accept(deleted name: ObjectName, resourceVersion: String) -> [Change] {
        delete(name, at: resourceVersion)
    }

    // MARK: Single objects

    /// How a version stands to what is known.
    private enum Standing { case older, same, newer }

    private func standing(_ version: String, of name: ObjectName, _ entry: Entry) -> Standing {
        guard entry.version != 0, let number = ResourceVersion.number(version) else {
            return self.version(of: name) == version ? .same : .newer
        }
        return number < entry.version ? .older : number == entry.version ? .same : .newer
    }

    private mutating func store(_ name: ObjectName, _ version: String, list: UInt32) {
        let number = ResourceVersion.number(version) ?? 0
        entries[name] = Entry(version: number, list: list)
        if number == 0 {
            opaqueVersions[name] = version
        } else if !opaqueVersions.isEmpty {
            opaqueVersions[name] = nil
        }
    }

    private mutating func raiseMark(to version: String) {
        guard let number = ResourceVersion.number(version) else { return }
        mark = max(mark ?? 0, number)
    }

    private func change(of object: APIObject) -> Change {
        (reference(object.reference.name), object)
    }

    private func reference(_ name: ObjectName) -> ManifestObject.Reference {
        ManifestObject.Reference(kind: kind, name: name)
    }

    private mutating func change(_ object: APIObject) -> [Change] {
        let name = object.reference.name
        if let entry = entries[name] {
            guard standing(object.resourceVersion, of: name, entry) == .newer else { return [] }
        } else if deletions.cover(name, ResourceVersion.number(object.resourceVersion)) {
            return []
        }
        held?[name] = nil
        // A write of our own does not mean that the list has the object.
        store(name, object.resourceVersion, list: entries[name]?.list ?? list &- 1)
        return [change(of: object)]
    }

    private mutating func delete(_ name: ObjectName, at version: String) -> [Change] {
        let number = ResourceVersion.number(version)
        if let entry = entries[name], standing(version, of: name, entry) == .older { return [] }
        if let number { deletions.remember(name, at: number) }
        held?[name] = nil
        return remove(name)
    }

    private mutating func remove(_ name: ObjectName) -> [Change] {
        guard entries.removeValue(forKey: name) != nil else { return [] }
        if !opaqueVersions.isEmpty { opaqueVersions[name] = nil }
        return [(reference(name), nil)]
    }

    // MARK: Lists

    /// What comes from here on is a list.
    public mutating func beginReplacing() {
        list &+= 1
        held = [:]
    }

    /// An object of a list. Only what cannot be a step back takes effect before the list is whole.
    private mutating func list(_ object: APIObject) -> [Change] {
        let name = object.reference.name
        let number = ResourceVersion.number(object.resourceVersion)
        if let entry = entries[name] {
            entries[name]?.list = list
            switch standing(object.resourceVersion, of: name, entry) {
            case .same:
                held?[name] = nil
                return []
            case .older:
                held?[name] = object
                return []
            case .newer: break
            }
        } else {
            let isYoung = number.map { $0 > mark ?? 0 } ?? true
            guard isYoung, !deletions.cover(name, number) else {
                held?[name] = object
                return []
            }
        }
        held?[name] = nil
        store(name, object.resourceVersion, list: list)
        return [change(of: object)]
    }

    /// The list is whole, as of this version.
    public mutating func finishReplacing(at resourceVersion: String) -> [Change] {
        guard let held else { return [] }
        self.held = nil
        let end = ResourceVersion.number(resourceVersion) ?? 0
        // What is younger than the list comes from our own writes, and the list cannot know of it;
        // but when the server has gone back in time, its past is the truth.
        let youngest = end < mark ?? 0 ? .max : end
        var changes: [Change] = []
        for (name, object) in held.sorted(by: { $0.key < $1.key }) {
            let known = entries[name]?.version ?? deletions.version(of: name) ?? 0
            guard known <= youngest else { continue }
            store(name, object.resourceVersion, list: list)
            changes.append(change(of: object))
        }
        let missing = entries.filter { $0.value.list != list && $0.value.version <= youngest }
        for name in missing.keys.sorted() { changes += remove(name) }
        deletions.forget(upTo: end, youngerThan: youngest)
        mark = end == 0 ? nil : end
        return changes
    }

    /// The list will not become whole.
    public mutating func abandonReplacing() { held = nil }
}
