import NetworkTypes

/// A copy of one member's entries, or the original.
///
/// A copy that begins from 0 (the member has started again, or we were away for so long that
/// deletions have been forgotten) is whole when `version` has reached `target`, which is what the
/// one who began it knew. Until then the new log is being filled beside the previous one, which
/// goes on counting for every key that the new one does not know; what is left of it in the end was
/// deleted. So a copy never seems to lose entries only because the new ones come in several
/// datagrams.
///
/// Why it holds: an entry of the log was not deleted as far as `target` (while the copy is not
/// whole) or `version` (when it is). Who goes on with the copy knows more than that and has
/// forgotten no deletion since, or else begins again: see ``relation(to:)`` and
/// ``delta(of:beyond:limit:)``, the two halves of this rule.
struct Replica: Sendable {
    /// The member's boot.
    private(set) var generation: UInt64
    /// Everything up to this version is in `log`.
    private(set) var version: UInt64 = 0
    /// Deletions up to this version may be missing in `log`.
    private(set) var floor: UInt64
    /// See ``Delta/target``; 0 when the copy is whole.
    private(set) var target: UInt64
    private var log = EntryLog()
    private var previous: EntryLog?
    /// Up to which version the copy had come when; older tombstones first. At most 13 of them.
    private var marks: [(version: UInt64, at: Instant)] = []

    init(generation: UInt64, floor: UInt64 = 0, target: UInt64 = 0) {
        self.generation = generation
        self.floor = floor
        self.target = target
    }

    private var isWhole: Bool { version >= target }

    /// How many entries are held, the previous ones and deleted ones included.
    var count: Int { log.count + (previous?.count ?? 0) }

    /// The bytes of keys and values.
    var byteCount: Int { log.byteCount + (previous?.byteCount ?? 0) }

    /// How many keys of this boot are known.
    var ownCount: Int { log.count }

    /// The copy's share of the store's hash, none before the first version. Hashes go over the
    /// wire, so this is frozen.
    func hash(of node: NodeID) -> UInt64 {
        version == 0 ? 0 : (node.bits &+ (generation.mixed &+ version).mixed).mixed
    }

    func value(_ key: [UInt8]) -> [UInt8]? {
        guard let previous, !log.knows(key) else { return log.value(key) }
        return previous.value(key)
    }

    func forEach(_ body: (_ key: [UInt8], _ value: [UInt8]) -> Void) {
        log.forEach { entry in
            if let value = entry.value { body(entry.key, value) }
            return true
        }
        previous?.forEach { entry in
            if let value = entry.value, !log.knows(entry.key) { body(entry.key, value) }
            return true
        }
    }

    /// Whether this boot's log knows the key, be it as deleted.
    func knows(_ key: [UInt8]) -> Bool { log.knows(key) }
}

// The original.
extension Replica {
    /// Sets an entry; `nil` when it was so already.
    mutating func set(_ change: EntryChange) -> Delta.Entry? {
        guard log.value(change.key) != change.value else { return nil }
        version += 1
        log.put(change.key, change.value, version: version)
        return Delta.Entry(key: change.key, value: change.value, version: version)
    }

    /// The same entries under another generation.
    func renumbered(generation: UInt64) -> Replica {
        var renumbered = Replica(generation: generation)
        log.forEach { entry in
            guard let value = entry.value else { return true }
            renumbered.version += 1
            renumbered.log.put(entry.key, value, version: renumbered.version)
            return true
        }
        return renumbered
    }
}

// The copy.
extension Replica {
    /// How a delta relates to a copy.
    enum Relation { case next, restart, stale, gap }

    func relation(to delta: Delta) -> Relation {
        if delta.generation < generation { return .stale }
        let isUseless =
            delta.generation > generation || delta.floor > (isWhole ? version : target)
        if isUseless { return delta.from == 0 ? .restart : .gap }
        if delta.through <= version { return .stale }
        // Who did not aim where we aim may not know what has been deleted before.
        guard isWhole || delta.target == target else { return .gap }
        return delta.from <= version ? .next : .gap
    }

    /// Begins anew beside what is there; returns the keys that this costs.
    mutating func restart(for delta: Delta) -> [EntryChange] {
        var lost: [EntryChange] = []
        if let previous, previous.count + log.count > ReplicatedStore.maximumEntries {
            lost = dropPrevious()
        }
        if previous != nil {
            previous = merged()
        } else if log.count > 0 {
            previous = log
        }
        log = EntryLog()
        marks = []
        generation = delta.generation
        version = 0
        floor = delta.floor
        target = delta.target
        return lost
    }

    /// What counts of the log and the previous one, as one log; its versions mean nothing.
    private func merged() -> EntryLog {
        var merged = EntryLog()
        forEach { merged.put($0, $1, version: merged.lastVersion + 1) }
        return merged
    }

    /// Puts in a delta that comes next; returns what reads differently now.
    mutating func apply(_ delta: Delta) -> [EntryChange] {
        var changes: [EntryChange] = []
        for entry in delta.entries where entry.version > version {
            if value(entry.key) != entry.value {
                changes.append(EntryChange(key: entry.key, value: entry.value))
            }
            log.put(entry.key, entry.value, version: entry.version)
        }
        version = delta.through
        if target > 0 { floor = max(floor, delta.floor) }
        guard isWhole else { return changes }
        target = 0
        return changes + dropPrevious()
    }

    private mutating func dropPrevious() -> [EntryChange] {
        guard let old = previous else { return [] }
        previous = nil
        var removed: [EntryChange] = []
        old.forEach { entry in
            if entry.value != nil, !log.knows(entry.key) {
                removed.append(EntryChange(key: entry.key, value: nil))
            }
            return true
        }
        return removed
    }

    /// What somebody lacks who holds `theirs`, oldest first: about `limit` bytes, but one entry at
    /// least. `nil`: nothing.
    func delta(of node: NodeID, beyond theirs: DigestEntry?, limit: Int) -> Delta? {
        guard version > 0, isNews(for: theirs) else { return nil }
        var delta = Delta(
            node: node, generation: generation, from: 0, through: version, floor: floor,
            target: max(version, target), entries: [])
        if let theirs, theirs.generation == generation {
            let reach = max(theirs.version, theirs.target)
            if floor <= reach {
                delta.from = theirs.version
                delta.target = theirs.target
                // One that is not whole cannot be helped by who knows less.
                if theirs.target > max(version, target) { return nil }
            }
        }
        let from = delta.from
        var bytes = 0
        log.forEach(after: from) { entry in
            guard bytes < limit else {
                delta.through = delta.entries.last?.version ?? version
                return false
            }
            bytes += entry.approximateLength
            delta.entries.append(entry)
            return true
        }
        return delta
    }
}

// Deleted entries.
extension Replica {
    /// How far apart the marks are by which the age of tombstones is told.
    static let markInterval = Duration.seconds(5)

    /// Forgets what was deleted ``ReplicatedStore/tombstoneLifetime`` ago or longer.
    mutating func expireTombstones(at now: Instant) {
        // A copy that is being rebuilt needs them, to hide what the previous one says.
        guard previous == nil, isWhole else { return }
        guard log.tombstones > 0 else {
            marks = []
            return
        }
        let oldest = now - ReplicatedStore.tombstoneLifetime
        if let expired = marks.last(where: { $0.at <= oldest }) {
            marks.removeAll { $0.at <= oldest }
            forgetTombstones(through: expired.version)
        }
        let last = marks.last
        if let last, last.version == version || now - last.at < Self.markInterval { return }
        marks.append((version, now))
    }

    /// Forgets all tombstones at once, to make room; false when there is none to forget.
    mutating func forgetAllTombstones() -> Bool {
        guard previous == nil, isWhole, log.tombstones > 0 else { return false }
        marks = []
        forgetTombstones(through: version)
        return true
    }

    private mutating func forgetTombstones(through version: UInt64) {
        if let forgotten = log.forgetTombstones(through: version) {
            floor = max(floor, forgotten)
        }
    }
}
