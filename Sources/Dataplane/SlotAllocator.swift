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

    /// A run of its own for `count` endpoints.
    mutating func allocate(_ count: Int, _ family: IPAddress.Family) -> Run {
        let capacity = Self.capacity(for: count)
        if let first = free[Kind(family: family, capacity: capacity)]?.popLast() {
            return Run(first: first, capacity: capacity)
        }
        var first = next[family] ?? 0
        // What is skipped goes to smaller runs. A multiple of the shard's size means: shard full.
        while first % Self.shardSize != 0, first % capacity != 0 { skip(&first, family) }
        if first % Self.shardSize == 0 {
            first = UInt32(shards.count) * Self.shardSize
            shards.append(family)
        }
        next[family] = first + capacity
        return Run(first: first, capacity: capacity)
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
