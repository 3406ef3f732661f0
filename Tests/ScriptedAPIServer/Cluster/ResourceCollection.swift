/// What happened to an object, as a watch tells it.
struct ObjectChange: Sendable {
    var revision: Int
    /// `nil` when it was deleted.
    var object: StoredObject?
    /// `nil` when it was created.
    var previous: StoredObject?
    /// What a deletion shows: the last object with the version of the deletion.
    var deleted: StoredObject?
}

/// The objects of one resource with their recent past. Used under the lock of ``Cluster`` only.
final class ResourceCollection {
    let kind: ResourceKind
    private(set) var objects: [String: StoredObject] = [:]
    /// Keys in the order of lists.
    private(set) var keys: [String] = []
    /// Changes in the order of their revisions; older ones than ``oldestRevision`` are gone.
    private var history: [ObjectChange] = []
    private var firstInHistory = 0
    /// A watch may begin after this revision or a later one.
    private(set) var oldestRevision: Int
    var watchers: [Int: Watcher] = [:]
    private let historyLimit: Int

    init(kind: ResourceKind, revision: Int, historyLimit: Int) {
        self.kind = kind
        self.oldestRevision = revision
        self.historyLimit = historyLimit
    }

    /// The same objects under a kind that was defined anew. Open watches go on.
    func renewed(_ kind: ResourceKind, revision: Int) -> ResourceCollection {
        let collection = ResourceCollection(
            kind: kind, revision: oldestRevision, historyLimit: historyLimit)
        collection.objects = objects
        collection.keys = keys
        collection.history = history
        collection.firstInHistory = firstInHistory
        collection.watchers = watchers
        return collection
    }

    subscript(namespace: String, name: String) -> StoredObject? {
        objects[StoredObject.key(namespace: namespace, name: name)]
    }

    /// The index of the first key that is not before `key`.
    func position(of key: String) -> Int {
        var low = 0
        var high = keys.count
        while low < high {
            let middle = (low + high) / 2
            if keys[middle] < key { low = middle + 1 } else { high = middle }
        }
        return low
    }

    func record(_ change: ObjectChange) {
        if let object = change.object {
            if objects.updateValue(object, forKey: object.key) == nil {
                let key = object.key
                if let last = keys.last, last < key {
                    keys.append(key)
                } else {
                    keys.insert(key, at: position(of: key))
                }
            }
        } else if let previous = change.previous {
            objects[previous.key] = nil
            let index = position(of: previous.key)
            if index < keys.count, keys[index] == previous.key { keys.remove(at: index) }
        }
        history.append(change)
        if history.count - firstInHistory > historyLimit {
            oldestRevision = max(oldestRevision, history[firstInHistory].revision)
            firstInHistory += 1
        }
        if firstInHistory > historyLimit {
            history.removeFirst(firstInHistory)
            firstInHistory = 0
        }
    }

    /// Forgets what happened up to a revision.
    func compact(to revision: Int) {
        oldestRevision = max(oldestRevision, revision)
        history.removeAll { $0.revision <= oldestRevision }
        firstInHistory = 0
    }

    /// What happened after a revision; `nil` when that is forgotten.
    func changes(after revision: Int) -> ArraySlice<ObjectChange>? {
        guard revision >= oldestRevision else { return nil }
        var low = firstInHistory
        var high = history.count
        while low < high {
            let middle = (low + high) / 2
            if history[middle].revision <= revision { low = middle + 1 } else { high = middle }
        }
        return history[low...]
    }

    /// The objects in order from a key on, as they were at a revision; `nil` when that is
    /// forgotten.
    func objects(at revision: Int, from key: String = "") -> [StoredObject]? {
        guard let later = changes(after: revision) else { return nil }
        let current = keys[position(of: key)...]
        guard !later.isEmpty else { return current.compactMap { objects[$0] } }
        var before: [String: StoredObject?] = [:]
        for change in later.reversed() {
            guard let changed = change.object ?? change.previous else { continue }
            before[changed.key] = .some(change.previous)
        }
        var result = current.compactMap { before[$0] ?? objects[$0] }
        let present = Set(current)
        let returning = before.values.compactMap { $0 }
            .filter { $0.key >= key && !present.contains($0.key) }
        guard !returning.isEmpty else { return result }
        result += returning
        result.sort { $0.key < $1.key }
        return result
    }
}
