import NetworkTypes

/// The pools in force: their free space, the order they are tried in, and who holds an address.
struct PoolTable: Sendable {
    struct Entry: Sendable {
        let pool: AddressPool
        var spaces: PerFamily<PoolSpace>
    }

    /// Where an address belongs.
    enum Place: Equatable {
        /// In this pool, which gives it.
        case inside(Int)
        /// Within the ranges of this pool, which leaves it out.
        case avoided(Int)
        /// In no pool.
        case outside
    }

    private struct Claim {
        let range: AddressRange
        let pool: Int
    }

    /// By name; the index is what the rest of the allocator knows a pool by.
    var entries: [Entry] = []
    /// Unpinned pools that assign automatically, by name.
    private(set) var open: [Int] = []
    private var byName: [String: Int] = [:]
    private var claims: [Claim] = []

    init() {}

    /// Takes pools as configured, with every address free.
    ///
    /// Two pools of one name, or two that claim one address, are refused where the configuration
    /// is read. Should they come here all the same, the first pool of a name counts, and an
    /// address belongs to the range that starts lower: never to both.
    init(_ pools: [AddressPool]) {
        for pool in pools.sorted(by: { $0.name < $1.name }) where byName[pool.name] == nil {
            byName[pool.name] = entries.count
            if pool.autoAssign, !pool.isPinned { open.append(entries.count) }
            entries.append(Entry(pool: pool, spaces: PerFamily { PoolSpace(family: $0) }))
        }
        var wanted: [Claim] = []
        for (index, entry) in entries.enumerated() {
            wanted += entry.pool.ranges.map { Claim(range: $0, pool: index) }
        }
        wanted.sort { ($0.range.first, $0.pool) < ($1.range.first, $1.pool) }
        for claim in wanted {
            guard let range = unclaimed(claim.range) else { continue }
            claims.append(Claim(range: range, pool: claim.pool))
            let pool = entries[claim.pool].pool
            entries[claim.pool].spaces[range.family].add(range, of: pool)
        }
    }

    /// What is left of a range behind the last claim.
    private func unclaimed(_ range: AddressRange) -> AddressRange? {
        guard let last = claims.last?.range.last, last.family == range.family,
            last >= range.first
        else { return range }
        return last.advanced(by: 1).flatMap { AddressRange($0, range.last) }
    }

    /// The index of a pool.
    func index(of name: String) -> Int? { byName[name] }

    /// Where an address belongs.
    func place(of address: IPAddress) -> Place {
        var low = 0
        var high = claims.count
        while low < high {
            let middle = (low + high) / 2
            if claims[middle].range.last < address { low = middle + 1 } else { high = middle }
        }
        guard low < claims.count, claims[low].range.contains(address) else { return .outside }
        let pool = claims[low].pool
        return entries[pool].pool.avoids(address) ? .avoided(pool) : .inside(pool)
    }

    /// The pool that gives an address.
    func pool(of address: IPAddress) -> Int? {
        if case .inside(let index) = place(of: address) { index } else { nil }
    }

    /// The pools that are tried for a Service that asks for none, in ranks of equal standing:
    /// those pinned to it by priority (0 last), then the ones open to everybody. Within a rank
    /// they go by name.
    func ranks(for request: AllocationRequest) -> [[Int]] {
        guard !request.pinnedPools.isEmpty else { return [open] }
        var byPriority: [Int: [Int]] = [:]
        for name in request.pinnedPools {
            guard let index = byName[name] else { continue }
            let pool = entries[index].pool
            guard pool.isPinned, pool.autoAssign else { continue }
            byPriority[pool.priority == 0 ? .max : pool.priority, default: []].append(index)
        }
        return byPriority.sorted { $0.key < $1.key }.map { $0.value.sorted() } + [open]
    }

    /// The lowest free address of a family in a pool.
    mutating func lowestFree(_ family: IPAddress.Family, in index: Int) -> IPAddress? {
        let pool = entries[index].pool
        return entries[index].spaces[family].lowestFree(of: pool)
    }
}
