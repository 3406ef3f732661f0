import Membership
import NetworkTypes
import Testing

/// Short writing for the tests of the store.
enum StoreCast {
    static let nodeA = NodeID(name: "node-a")
    static let nodeB = NodeID(name: "node-b")

    static func store(_ node: NodeID = nodeA, generation: UInt64 = 1) -> ReplicatedStore {
        ReplicatedStore(own: node, generation: generation)
    }

    static func key(_ number: Int) -> [UInt8] { Array("key/\(number)".utf8) }

    static func change(_ number: Int, _ value: [UInt8]?) -> EntryChange {
        EntryChange(key: key(number), value: value)
    }
}

extension ReplicatedStore {
    /// Sets entries, and returns what it gives to say.
    mutating func said(_ changes: [EntryChange]) throws -> Delta {
        let delta = set(changes)
        return try #require(delta)
    }

    mutating func said(_ key: [UInt8], _ value: [UInt8]?) throws -> Delta {
        try said([EntryChange(key: key, value: value)])
    }

    /// Takes from another store all that is lacking, in one exchange of digests.
    mutating func catchUp(with other: ReplicatedStore) -> [Applied] {
        other.deltas(beyond: digest(), limit: .max).map { apply($0) }
    }
}

@Suite("Entries of all members")
struct StoreTests {
    private typealias Cast = StoreCast

    @Test("An entry set is read by who is told, and both hashes agree")
    func told() throws {
        var (here, there) = (Cast.store(), Cast.store(Cast.nodeB))
        let delta = try here.said([1], [10])
        #expect(there.apply(delta) == .news([EntryChange(key: [1], value: [10])]))
        #expect(there.entries(of: Cast.nodeA) == [[1]: [10]])
        #expect(there.value([1], of: Cast.nodeA) == [10])
        #expect(there.hash == here.hash)
        #expect(there.members == [Cast.nodeA])
    }

    @Test("An entry set to what it is says nothing; an empty value is a value")
    func unchanged() throws {
        var here = Cast.store()
        #expect(here.set([1], nil) == nil)
        #expect(here.set([1], []) != nil)
        #expect(here.set([1], []) == nil)
        #expect(here.entries(of: Cast.nodeA) == [[1]: []])
        #expect(here.set([1], nil) != nil)
        #expect(here.set([1], nil) == nil)
        #expect(here.entries(of: Cast.nodeA).isEmpty)
    }

    @Test("What comes twice is stale, what comes too early is a gap, what overlaps is taken once")
    func order() throws {
        var (here, there) = (Cast.store(), Cast.store(Cast.nodeB))
        let first = try here.said([1], [1])
        let second = try here.said([2], [2])
        #expect(there.apply(second) == .gap)
        #expect(there.entries(of: Cast.nodeA).isEmpty)
        #expect(there.apply(first) != .gap)
        #expect(there.apply(first) == .stale)
        var both = second
        both.from = 0
        both.entries = first.entries + second.entries
        #expect(there.apply(both) == .news([EntryChange(key: [2], value: [2])]))
        #expect(there.hash == here.hash)
    }

    @Test("A deletion reaches who held the entry, and tells who did not nothing")
    func deletion() throws {
        var (here, there, late) = (Cast.store(), Cast.store(Cast.nodeB), Cast.store(Cast.nodeB))
        _ = there.apply(try here.said([1], [1]))
        #expect(
            there.apply(try here.said([1], nil))
                == .news([EntryChange(key: [1], value: nil)]))
        #expect(there.entries(of: Cast.nodeA).isEmpty)
        #expect(late.catchUp(with: here) == [.news([])])
        #expect(late.hash == here.hash)
    }

    @Test("What a later boot publishes first replaces the earlier boot's entries as a whole")
    func laterGeneration() throws {
        var there = Cast.store(Cast.nodeB)
        var before = Cast.store(generation: 1)
        _ = there.apply(try before.said([Cast.change(1, [1]), Cast.change(2, [2])]))
        var after = Cast.store(generation: 2)
        let delta = try after.said([Cast.change(2, [3]), Cast.change(3, [3])])
        #expect(
            there.apply(delta)
                == .news([Cast.change(2, [3]), Cast.change(3, [3]), Cast.change(1, nil)]))
        #expect(there.entries(of: Cast.nodeA) == after.entries(of: Cast.nodeA))
        #expect(there.hash == after.hash)
    }

    @Test("While a later boot's first entries come in pieces, none of the earlier boot's is lost")
    func piecemeal() throws {
        var there = Cast.store(Cast.nodeB)
        var before = Cast.store(generation: 1)
        _ = there.apply(try before.said((0..<1_000).map { Cast.change($0, [1]) }))
        var after = Cast.store(generation: 2)
        let delta = try after.said((1..<1_000).map { Cast.change($0, [1]) })
        var changes: [EntryChange] = []
        var pieces = 0
        for payload in DatagramCoder.encode([.delta(delta)]) {
            for case .delta(let piece) in try decode(payload) {
                #expect(there.entries(of: Cast.nodeA).count == 1_000)
                guard case .news(let news) = there.apply(piece) else {
                    Issue.record("a piece was not taken")
                    continue
                }
                pieces += 1
                changes += news
            }
        }
        #expect(pieces > 10)
        #expect(changes == [Cast.change(0, nil)], "only what is really gone is told")
        #expect(there.entries(of: Cast.nodeA) == after.entries(of: Cast.nodeA))
        #expect(there.count == 999)
    }

    @Test("An earlier boot's entries are stale, and a later one's middle is a gap")
    func otherGenerations() throws {
        var there = Cast.store(Cast.nodeB)
        var before = Cast.store(generation: 1)
        var after = Cast.store(generation: 2)
        let old = try before.said([1], [1])
        let first = try after.said([2], [2])
        let second = try after.said([3], [3])
        _ = there.apply(old)
        #expect(there.apply(second) == .gap)
        #expect(there.entries(of: Cast.nodeA) == [[1]: [1]])
        _ = there.apply(first)
        #expect(there.apply(old) == .stale)
        #expect(there.entries(of: Cast.nodeA) == [[2]: [2]])
    }

    @Test("Nobody tells us what our own entries are")
    func own() throws {
        var before = Cast.store(generation: 1)
        var here = Cast.store(generation: 2)
        let old = try before.said([1], [1])
        #expect(here.apply(old) == .stale)
        _ = here.set([2], [2])
        #expect(here.apply(old) == .stale)
        #expect(here.entries(of: Cast.nodeA) == [[2]: [2]])
        #expect(here.laterOwnGeneration == nil)
        #expect(!here.isBehind(before.digest()))
    }

    @Test("A boot that the clock put before an earlier one learns of it and rises above")
    func clockSetBack() throws {
        var there = Cast.store(Cast.nodeB)
        var before = Cast.store(generation: 9)
        _ = there.apply(try before.said([1], [1]))
        var here = Cast.store(generation: 5)
        #expect(there.apply(try here.said([2], [2])) == .stale)
        here.learn(from: there.digest())
        #expect(here.laterOwnGeneration == 9)
        #expect(here.beginGeneration(8) != nil)
        #expect(here.laterOwnGeneration == 9, "not high enough")
        let begun = here.beginGeneration(10)
        let delta = try #require(begun)
        #expect(here.laterOwnGeneration == nil)
        #expect(here.generation == 10)
        #expect(
            there.apply(delta) == .news([.init(key: [2], value: [2]), .init(key: [1], value: nil)]))
        #expect(there.hash == here.hash)
    }

    @Test("A member that has said nothing since its start leaves the boot before it standing")
    func silentStart() throws {
        var there = Cast.store(Cast.nodeB)
        var before = Cast.store(generation: 1)
        _ = there.apply(try before.said([1], [1]))
        let after = Cast.store(generation: 2)
        #expect(after.digest().entries.isEmpty)
        #expect(after.hash == 0)
        #expect(there.catchUp(with: after).isEmpty)
        #expect(there.entries(of: Cast.nodeA) == [[1]: [1]])
    }

    @Test("A member forgotten leaves nothing behind, and can be learned again")
    func forgotten() throws {
        var (here, there) = (Cast.store(), Cast.store(Cast.nodeB))
        _ = here.set([1], [1])
        _ = there.catchUp(with: here)
        there.forget(Cast.nodeA)
        there.forget(Cast.nodeB)
        #expect((there.hash, there.count, there.byteCount) == (0, 0, 0))
        #expect(there.entries(of: Cast.nodeA).isEmpty)
        #expect(there.isBehind(here.digest()))
        _ = there.catchUp(with: here)
        #expect(there.hash == here.hash)
        #expect(there.set([1], [1]) != nil, "of ourselves nothing can be forgotten")
    }

    @Test("The hash is part of the format and never changes")
    func frozenHash() {
        var here = Cast.store(generation: 9)
        _ = here.set([1], [1])
        #expect(here.hash == 0xaf32_f4c0_8270_ddeb)
    }
}
