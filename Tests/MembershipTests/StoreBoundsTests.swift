import Membership
import NetworkTypes
import Testing

@Suite("Bounds of the store")
struct StoreBoundsTests {
    private typealias Cast = StoreCast

    private func delta(_ node: NodeID, _ entries: [Delta.Entry]) -> Delta {
        Delta(
            node: node, generation: 1, from: 0, through: entries.last?.version ?? 1,
            entries: entries)
    }

    /// Entries with keys of four bytes.
    private func entries(_ count: Int, value: [UInt8] = []) -> [Delta.Entry] {
        (1...count).map { number in
            let key = (0..<4).map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) }
            return Delta.Entry(key: key, value: value, version: UInt64(number))
        }
    }

    @Test("Keys and values beyond their length are refused, ours and others'")
    func lengths() {
        var store = Cast.store()
        let (key, value) = ([UInt8](repeating: 1, count: 65), [UInt8](repeating: 1, count: 1_025))
        for (key, value) in [(key, [1]), ([1], value), ([], [1])] {
            #expect(store.refusal(of: key, value) == .malformed)
            #expect(store.set(key, value) == nil)
            let delta = delta(Cast.nodeB, [.init(key: key, value: value, version: 1)])
            #expect(store.apply(delta) == .refused(.malformed))
        }
        #expect(store.set(Array(key.dropLast()), Array(value.dropLast())) != nil)
        #expect(store.count == 1)
    }

    @Test(
        "Versions that contradict each other are refused",
        arguments: [
            (0, 0, []), (2, 1, []), (0, 5, [3, 3]), (0, 5, [3, 2]), (0, 5, [6]), (3, 5, [3]),
            (0, 5, [0]),
        ] as [(UInt64, UInt64, [UInt64])])
    func versions(from: UInt64, through: UInt64, versions: [UInt64]) {
        var store = Cast.store()
        let delta = Delta(
            node: Cast.nodeB, generation: 1, from: from, through: through,
            entries: versions.map { .init(key: [1], value: [1], version: $0) })
        #expect(store.apply(delta) == .refused(.malformed))
        #expect(store.members.isEmpty)
    }

    @Test("A member owns 65,536 entries and no more; deletions give way to new ones")
    func entriesOfAMember() {
        var store = Cast.store()
        let all = entries(ReplicatedStore.maximumEntries).map {
            EntryChange(key: $0.key, value: $0.value)
        }
        #expect(store.set(all)?.entries.count == ReplicatedStore.maximumEntries)
        #expect(store.refusal(of: [1], [1]) == .tooManyEntries)
        #expect(store.set([1], [1]) == nil)
        #expect(store.set(all[7].key, [1]) != nil, "what is there can still change")
        #expect(store.set(all[7].key, nil) != nil)
        #expect(store.set([1], [1]) != nil)
        #expect(store.count == ReplicatedStore.maximumEntries)
        var there = Cast.store(Cast.nodeB)
        #expect(there.catchUp(with: store).count == 1)
        #expect(there.hash == store.hash)
    }

    @Test("All members own 262,144 entries and no more, and what is refused changes nothing")
    func entriesOfAll() {
        var store = Cast.store(NodeID(bits: 99))
        let many = entries(ReplicatedStore.maximumEntries)
        let tooMany = entries(ReplicatedStore.maximumEntries + 1)
        #expect(store.apply(delta(NodeID(bits: 1), tooMany)) == .refused(.tooManyEntries))
        for bits in 1...UInt64(4) {
            #expect(store.apply(delta(NodeID(bits: bits), many)) != .refused(.storeFull))
        }
        #expect(store.count == ReplicatedStore.maximumTotalEntries)
        let hash = store.hash
        #expect(store.apply(delta(NodeID(bits: 5), entries(1))) == .refused(.storeFull))
        #expect(store.set([1], [1]) == nil)
        #expect(store.hash == hash)
        store.forget(NodeID(bits: 1))
        #expect(store.apply(delta(NodeID(bits: 5), entries(1))) != .refused(.storeFull))
        #expect(store.count == ReplicatedStore.maximumTotalEntries - 65_535)
    }

    @Test("All entries together have 64 MiB and no more")
    func bytesOfAll() {
        var store = Cast.store(NodeID(bits: 99))
        let value = [UInt8](repeating: 7, count: Delta.Entry.maximumValue)
        #expect(
            store.apply(delta(NodeID(bits: 1), entries(65_536, value: value)))
                == .refused(.storeFull))
        #expect(
            store.apply(delta(NodeID(bits: 1), entries(65_000, value: value)))
                != .refused(.storeFull))
        #expect(store.byteCount == 65_000 * 1_028)
        #expect(store.refusal(of: [1], value) == nil)
    }

    @Test("There are 4,096 members with entries and no more")
    func members() {
        var store = Cast.store(NodeID(bits: 0))
        for bits in 1...UInt64(4_095) { _ = store.apply(delta(NodeID(bits: bits), entries(1))) }
        #expect(store.members.count == 4_095)
        #expect(
            store.apply(delta(NodeID(bits: 9_999), entries(1))) == .refused(.tooManyMembers))
        store.forget(NodeID(bits: 7))
        #expect(
            store.apply(delta(NodeID(bits: 9_999), entries(1)))
                == .news([.init(key: [1, 0, 0, 0], value: [])]))
    }

    @Test("A member that restarts again and again in the middle of its beginning takes no room")
    func restarts() {
        var store = Cast.store(NodeID(bits: 99))
        for generation in 1...UInt64(24) {
            // Other keys each time, and the end of the beginning never comes.
            let entries = (1...3_000).map { number in
                Delta.Entry(
                    key: Cast.key(Int(generation) * 3_000 + number), value: [1],
                    version: UInt64(number))
            }
            _ = store.apply(
                Delta(
                    node: Cast.nodeB, generation: generation, from: 0, through: 3_000,
                    target: .max, entries: entries))
        }
        #expect(store.count <= ReplicatedStore.maximumEntries + 3_000)
        let last = Delta(
            node: Cast.nodeB, generation: 25, from: 0, through: 1, target: 1,
            entries: [.init(key: [1], value: [1], version: 1)])
        _ = store.apply(last)
        #expect(store.entries(of: Cast.nodeB) == [[1]: [1]])
        #expect(store.count == 1)
    }

    @Test("The highest versions and generations are numbers like any other")
    func highestNumbers() {
        var store = Cast.store(NodeID(bits: 99))
        let entry = Delta.Entry(key: [1], value: [1], version: .max)
        for generation in [UInt64.max - 2, .max - 1, .max] {
            let delta = Delta(
                node: Cast.nodeB, generation: generation, from: 0, through: .max, target: .max,
                entries: [entry])
            #expect(
                store.apply(delta)
                    == .news(generation == .max - 2 ? [.init(key: [1], value: [1])] : []))
            var ours = delta
            ours.node = store.own
            #expect(store.apply(ours) == .stale)
        }
        #expect(
            store.laterOwnGeneration == UInt64.max - 1, "above the highest there is none to begin")
    }
}
