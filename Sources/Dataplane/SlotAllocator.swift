import NetworkTypes

/// Gives out runs of slots in the endpoint maps.
///
/// A run's capacity is a power of two, so that a Service that gains or loses an endpoint mostly
/// keeps its run, and freed runs fit others. At most half of a run is unused.
///
/// Slots are kept in shards, each a map of its own for one family. With one map for all of them,
/// installing n rules would cost the kernel n²: it walks a map's elements for each rule that begins
/// to use it. With one map a Service it would be the same: it walks a list to find a map by name.
struct SlotAllocator: Sendable {
    struct Run: Hashable, Sendable {
        let first: UInt32
        let capacity: UInt32
    }

    private struct Kind: Hashable {
        let family: IPAddress.Family
        let capacity: UInt32
    }

    /// How many slots a shard has: at least the largest run.
    static let shardSize: UInt32 = 1024

    /// The family of each shard, by its number. Shards only come; their count is bounded by the
    /// number of Service ports, and an unused one costs the kernel an empty map.
    private(set) var shards: [IPAddress.Family] = []
    private var next: [IPAddress.Family: UInt32] = [:]
    private var free: [Kind: [UInt32]] = [:]
    /// Runs that chains of a former run of the program have, until these ask for them.
    private var reserved: [String: Run] = [:]

    /// Nothing is given out yet.
    init() {}

    /// Keeps for each chain the run that it had, where the runs fit together; what is between them
    /// is free.
    init(adopting adoption: Ruleset.Adoption) {
        shards = adoption.shards
        let end = UInt32(shards.count) * Self.shardSize
        var first: UInt32 = 0
        for (chain, slots) in adoption.runs.sorted(by: {
            ($0.value.lowerBound, $0.key) < ($1.value.lowerBound, $1.key)
        }) {
            guard !slots.isEmpty, slots.count <= Int(Self.shardSize) else { continue }
            let run = Run(first: slots.lowerBound, capacity: Self.capacity(for: slots.count))
            guard run.first >= first, run.first < end, run.first % run.capacity == 0 else {
                continue
            }
            vacate(from: first, to: run.first)
            reserved[chain] = run
            first = run.first + run.capacity
        }
        vacate(from: first, to: end)
    }

    /// Makes runs, as large as can be, of what lies between.
    private mutating func vacate(from first: UInt32, to end: UInt32) {
        var slot = first
        while slot < end {
            let alignment = min(slot.trailingZeroBitCount, Self.shardSize.trailingZeroBitCount)
            var capacity: UInt32 = 1 << UInt32(alignment)
            while slot + capacity > end { capacity /= 2 }
            release(Run(first: slot, capacity: capacity), family(of: slot))
            slot += capacity
        }
    }

    private func family(of slot: UInt32) -> IPAddress.Family {
        shards[Int(slot / Self.shardSize)]
    }

    /// Gives up the runs that were kept for chains that did not ask for them.
    mutating func releaseReserved() {
        for run in reserved.values { release(run, family(of: run.first)) }
        reserved = [:]
    }

    /// The map that a slot is in.
    static func set(_ family: IPAddress.Family, _ slot: UInt32) -> NamedSet {
        .endpoints(family, shard: slot / shardSize)
    }

    /// The capacity that a run for `count` endpoints has.
    static func capacity(for count: Int) -> UInt32 {
        var capacity: UInt32 = 1
        while Int(capacity) < count { capacity *= 2 }
        precondition(capacity <= shardSize, "more endpoints than were to be admitted")
        return capacity
    }

    /// A run of its own for `count` endpoints: the one that is kept for the chain, if it fits.
    mutating func allocate(
        _ count: Int, _ family: IPAddress.Family, for chain: String = ""
    ) -> Run {
        let capacity = Self.capacity(for: count)
        if let kept = reserved.removeValue(forKey: chain) {
            if kept.capacity == capacity, self.family(of: kept.first) == family { return kept }
            release(kept, self.family(of: kept.first))
        }
        if let first = free[Kind(family: family, capacity: capacity)]?.popLast() {
            return Run(first: first, capacity: capacity)
        }
        var first = next[family] ?? 0
        // What is skipped goes to smaller runs. A multiple of the shard's size means: shard full.
        while first % Self.shardSize != 0, first % capacity != 0 { skip(&first, family) }
        if first % Self.shardSize == 0 {
            next[family] = first
            if let run = split(capacity, family) { return run }
            first = UInt32(shards.count) * Self.shardSize
            shards.append(family)
        }
        next[family] = first + capacity
        return Run(first: first, capacity: capacity)
    }

    /// The beginning of the smallest free run that is larger; what is left of it stays free.
    private mutating func split(_ capacity: UInt32, _ family: IPAddress.Family) -> Run? {
        var larger = capacity * 2
        while larger <= Self.shardSize {
            if let first = free[Kind(family: family, capacity: larger)]?.popLast() {
                vacate(from: first + capacity, to: first + larger)
                return Run(first: first, capacity: capacity)
            }
            larger *= 2
        }
        return nil
    }

    private mutating func skip(_ slot: inout UInt32, _ family: IPAddress.Family) {
        let capacity: UInt32 = 1 << UInt32(slot.trailingZeroBitCount)
        release(Run(first: slot, capacity: capacity), family)
        slot += capacity
    }

    /// Takes a run back.
    mutating func release(_ run: Run, _ family: IPAddress.Family) {
        free[Kind(family: family, capacity: run.capacity), default: []].append(run.first)
    }
}
