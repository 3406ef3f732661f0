import NetworkTypes

extension ReplicatedStore {
    /// Brings the copy of another member's entries forward. The copy changes by all of the delta or
    /// not at all.
    public mutating func apply(_ delta: Delta) -> Applied {
        guard delta.isWellFormed else { return .refused(.malformed) }
        if delta.node == own {
            noteOwn(generation: delta.generation, version: delta.through)
            return .stale
        }
        switch replicas[delta.node]?.relation(to: delta) {
        case nil: return begin(delta)
        case .stale: return .stale
        case .gap: return .gap
        case .next:
            if let refusal = refusal(of: delta, beside: replicas[delta.node]) {
                // Old deletions may be what is in the way.
                guard update(delta.node, { $0.forgetAllTombstones() }) ?? false,
                    self.refusal(of: delta, beside: replicas[delta.node]) == nil
                else { return .refused(refusal) }
            }
            return .news(update(delta.node) { $0.apply(delta) } ?? [])
        case .restart:
            if let refusal = refusal(of: delta, beside: nil) { return .refused(refusal) }
            return .news(update(delta.node) { $0.restart(for: delta) + $0.apply(delta) } ?? [])
        }
    }

    private mutating func begin(_ delta: Delta) -> Applied {
        guard delta.from == 0 else { return .gap }
        guard replicas.count < Self.maximumMembers else { return .refused(.tooManyMembers) }
        if let refusal = refusal(of: delta, beside: nil) { return .refused(refusal) }
        replicas[delta.node] = Replica(
            generation: delta.generation, floor: delta.floor, target: delta.target)
        return .news(update(delta.node) { $0.apply(delta) } ?? [])
    }

    /// Whether what the delta adds to the copy, or to none, exceeds a bound.
    private func refusal(of delta: Delta, beside replica: Replica?) -> StoreRefusal? {
        var (keys, bytes) = (0, 0)
        for entry in delta.entries where entry.version > replica?.version ?? 0 {
            bytes += entry.value?.count ?? 0
            if let replica, replica.knows(entry.key) { continue }
            keys += 1
            bytes += entry.key.count
        }
        if (replica?.ownCount ?? 0) + keys > Self.maximumEntries { return .tooManyEntries }
        let isFull =
            count + keys > Self.maximumTotalEntries || byteCount + bytes > Self.maximumTotalBytes
        return isFull ? .storeFull : nil
    }
}

// What two stores lack of each other.
extension ReplicatedStore {
    /// What we hold of the members from `first` through `last`, of all unless told otherwise. Too
    /// large for a datagram, the coder splits it into ranges that can be answered one by one.
    public func digest(
        from first: NodeID = NodeID(bits: 0), through last: NodeID = NodeID(bits: .max)
    ) -> Digest {
        var entries: [DigestEntry] = []
        for (node, replica) in replicas
        where node >= first && node <= last && replica.version > 0 {
            entries.append(replica.digestEntry(of: node))
        }
        entries.sort { $0.node < $1.node }
        return Digest(entries, first: first, last: last)
    }

    /// What they lack of that which we hold in their digest's range: of every member the oldest
    /// changes first, and of `bytes` each member its share, so that one with much to tell does not
    /// keep the others waiting. Exceeds `bytes` by one entry a member at most.
    public func deltas(beyond theirs: Digest, limit bytes: Int) -> [Delta] {
        var held: [NodeID: DigestEntry] = [:]
        for entry in theirs.entries { held[entry.node] = entry }
        let lacking =
            replicas.filter { node, replica in
                node >= theirs.first && node <= theirs.last && replica.isNews(for: held[node])
            }
            .sorted { $0.key < $1.key }
        var deltas: [Delta] = []
        var left = bytes
        for (index, (node, replica)) in lacking.enumerated() where left > 0 {
            // What those before did not need is shared by those after.
            let share = max(left / (lacking.count - index), 1)
            guard let delta = replica.delta(of: node, beyond: held[node], limit: share) else {
                continue
            }
            left -= delta.approximateLength
            deltas.append(delta)
        }
        return deltas
    }

    /// Whether they hold something that we lack. What they hold of ourselves does not count.
    public func isBehind(_ theirs: Digest) -> Bool {
        theirs.entries.contains { entry in
            guard entry.node != own else { return false }
            guard let replica = replicas[entry.node] else { return entry.version > 0 }
            return replica.isOlder(than: entry)
        }
    }

    /// Takes note of what a digest says about ourselves: see ``laterOwnGeneration``.
    public mutating func learn(from theirs: Digest) {
        guard let entry = theirs.entries.first(where: { $0.node == own }) else { return }
        noteOwn(generation: entry.generation, version: entry.version)
    }
}

extension Replica {
    func digestEntry(of node: NodeID) -> DigestEntry {
        DigestEntry(node: node, generation: generation, version: version, target: target)
    }

    /// Whether there is anything here that somebody lacks who holds `theirs`.
    func isNews(for theirs: DigestEntry?) -> Bool {
        guard let theirs, version > 0 else { return version > 0 }
        return (theirs.generation, theirs.version) < (generation, version)
    }

    func isOlder(than theirs: DigestEntry) -> Bool {
        (generation, version) < (theirs.generation, theirs.version)
    }
}

extension Delta {
    /// Whether it is as its description says: what a decoder lets through always is.
    var isWellFormed: Bool {
        guard from < through, floor <= max(from, target) else { return false }
        var previous = from
        for entry in entries {
            guard entry.version > previous, entry.isWithinBounds else { return false }
            previous = entry.version
        }
        return previous <= through
    }

    /// About how many bytes it takes on the wire.
    var approximateLength: Int {
        entries.reduce(32) { $0 + $1.approximateLength }
    }
}

extension Delta.Entry {
    var approximateLength: Int { key.count + (value?.count ?? 0) + 8 }
}
