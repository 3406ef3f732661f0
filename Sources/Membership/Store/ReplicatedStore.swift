public import NetworkTypes

/// Entries that every member owns some of and holds all of: Scuttlebutt reconciliation (van Renesse
/// et al., "Efficient Reconciliation and Flow Control for Anti-Entropy Protocols", 2008).
///
/// Only its owner changes an entry; every change takes the next number of the owner's one counter,
/// its version, under the owner's boot, its generation. So (member, generation, version) says all
/// about a copy, a digest of a few bytes a member shows what two stores lack of each other, and a
/// delta brings a copy from one version to a later one. Deltas may come late, twice, or in any
/// order: what does not follow is a gap, and the next digest fills it.
///
/// A deletion is an entry too, a tombstone. After ``tombstoneLifetime`` it is forgotten under the
/// copy's *floor*: who had not even come that far starts again from nothing, and keeps what it has
/// until the new copy is whole. The same carries a member over its restart: what its new boot
/// publishes first, in one ``set(_:)``, replaces the boot before at once or not at all.
///
/// Bounds: the constants below. What would exceed them is refused, never cut.
public struct ReplicatedStore: Sendable {
    /// How many members can have entries, ourselves included.
    public static let maximumMembers = 4_096
    /// How many entries a member can own, tombstones included.
    public static let maximumEntries = 65_536
    /// How many entries all members together can own.
    public static let maximumTotalEntries = 262_144
    /// How many bytes their keys and values can have together.
    public static let maximumTotalBytes = 64 << 20
    /// How long a deletion is remembered at least; up to ten seconds more.
    public static let tombstoneLifetime = Duration.seconds(60)

    /// Ourselves.
    public let own: NodeID
    /// The XOR of what every copy adds to it: two stores with equal hashes hold the same.
    public private(set) var hash: UInt64 = 0
    /// A generation of ours that others still hold entries of, and that ours does not replace: the
    /// clock must have been set back. ``beginGeneration(_:)`` with a greater one is due, greater by
    /// a random step: two boots that learned of the same one must not begin the same.
    public private(set) var laterOwnGeneration: UInt64?
    /// How many entries are held of all members, deleted ones included.
    public private(set) var count = 0
    /// How many bytes their keys and values have.
    public private(set) var byteCount = 0

    var replicas: [NodeID: Replica] = [:]

    /// Makes a store without entries. `generation` must be greater than that of the boot before.
    public init(own: NodeID, generation: UInt64) {
        self.own = own
        replicas[own] = Replica(generation: generation)
    }

    /// Our generation.
    public var generation: UInt64 { replicas[own]?.generation ?? 0 }

    /// The members of which entries are held, in no order.
    public var members: [NodeID] { replicas.filter { $0.value.version > 0 }.map(\.key) }

    /// The entries of a member as far as they are known here.
    public func entries(of node: NodeID) -> [[UInt8]: [UInt8]] {
        var entries: [[UInt8]: [UInt8]] = [:]
        replicas[node]?.forEach { entries[$0] = $1 }
        return entries
    }

    /// One entry of a member.
    public func value(_ key: [UInt8], of node: NodeID) -> [UInt8]? { replicas[node]?.value(key) }

    /// Changes a copy and keeps the sums right. Nobody may hold on to the copy meanwhile, lest all
    /// of it be duplicated.
    @discardableResult
    mutating func update<Result>(
        _ node: NodeID, _ body: (inout Replica) -> Result
    ) -> Result? {
        guard let index = replicas.index(forKey: node) else { return nil }
        deduct(replicas.values[index], of: node)
        let result = body(&replicas.values[index])
        let replica = replicas.values[index]
        hash ^= replica.hash(of: node)
        count += replica.count
        byteCount += replica.byteCount
        return result
    }

    private mutating func deduct(_ replica: Replica, of node: NodeID) {
        hash ^= replica.hash(of: node)
        count -= replica.count
        byteCount -= replica.byteCount
    }

    /// Forgets all that is held of a member. Of ourselves nothing can be forgotten.
    public mutating func forget(_ node: NodeID) {
        guard node != own, let replica = replicas.removeValue(forKey: node) else { return }
        deduct(replica, of: node)
    }

    /// Forgets deletions that are ``tombstoneLifetime`` old. To be called every few seconds; the
    /// hash stays as it is.
    public mutating func expireTombstones(at now: Instant) {
        for node in Array(replicas.keys) { update(node) { $0.expireTombstones(at: now) } }
    }

    /// Takes note of a generation of ours that somebody else has heard of.
    mutating func noteOwn(generation: UInt64, version: UInt64) {
        // Above the highest number there is none to begin; no clock gives it.
        guard let replica = replicas[own], generation < .max else { return }
        // What we did not say under our own generation, somebody of our name did before.
        let isLater =
            generation > replica.generation
            || generation == replica.generation && version > replica.version
        if isLater { laterOwnGeneration = max(generation, laterOwnGeneration ?? 0) }
    }
}

// Our own entries.
extension ReplicatedStore {
    /// Why ``set(_:_:)`` would not take the entry; `nil`: it would.
    public func refusal(of key: [UInt8], _ value: [UInt8]?) -> StoreRefusal? {
        let entry = Delta.Entry(key: key, value: value, version: 1)
        guard entry.isWithinBounds else { return .malformed }
        guard let replica = replicas[own] else { return nil }
        let isNew = !replica.knows(key)
        if isNew, replica.ownCount >= Self.maximumEntries { return .tooManyEntries }
        if isNew, count >= Self.maximumTotalEntries { return .storeFull }
        let growth =
            (isNew ? key.count : 0) + (value?.count ?? 0) - (replica.value(key)?.count ?? 0)
        return growth > 0 && byteCount + growth > Self.maximumTotalBytes ? .storeFull : nil
    }

    /// Sets an entry of ours, or deletes it; returns what to tell the others. `nil` when it was so
    /// already, or is refused: see ``refusal(of:_:)``.
    public mutating func set(_ key: [UInt8], _ value: [UInt8]?) -> Delta? {
        set([EntryChange(key: key, value: value)])
    }

    /// Sets many entries of ours in one delta, which may be larger than a datagram. What is refused
    /// is left out. A boot's first call is taken by the others as a whole.
    public mutating func set(_ changes: [EntryChange]) -> Delta? {
        guard let before = replicas[own]?.version else { return nil }
        var entries: [Delta.Entry] = []
        for change in changes {
            if refusal(of: change.key, change.value) != nil {
                update(own) { $0.forgetAllTombstones() }
                guard refusal(of: change.key, change.value) == nil else { continue }
            }
            if let entry = update(own, { $0.set(change) }) ?? nil { entries.append(entry) }
        }
        guard let last = entries.last else { return nil }
        // What a boot says first counts as a whole; until then the boot before it stands. All
        // deletions since `before` are told here, whatever has been forgotten meanwhile.
        return Delta(
            node: own, generation: generation, from: before, through: last.version,
            floor: min(before, replicas[own]?.floor ?? 0), target: before == 0 ? last.version : 0,
            entries: entries)
    }

    /// Publishes all our entries again under a greater generation; returns what to tell the others,
    /// `nil` when there is no entry or the generation is not greater.
    public mutating func beginGeneration(_ generation: UInt64) -> Delta? {
        guard generation > self.generation else { return nil }
        update(own) { $0 = $0.renumbered(generation: generation) }
        if let later = laterOwnGeneration, later < generation { laterOwnGeneration = nil }
        return replicas[own]?.delta(of: own, beyond: nil, limit: .max)
    }
}
