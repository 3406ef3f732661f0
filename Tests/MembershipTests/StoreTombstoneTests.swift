import Membership
import NetworkTypes
import Testing

@Suite("Deleted entries")
struct StoreTombstoneTests {
    private typealias Cast = StoreCast

    /// Lets time pass for a store as its owner would: a look every five seconds.
    private func pass(_ seconds: ClosedRange<Int>, _ store: inout ReplicatedStore) {
        for second in stride(from: seconds.lowerBound, through: seconds.upperBound, by: 5) {
            store.expireTombstones(at: Instant(nanoseconds: Int64(second) * 1_000_000_000))
        }
    }

    @Test("A deletion is remembered for a minute, then forgotten, and the hash stays")
    func lifetime() throws {
        var here = Cast.store()
        _ = here.set([1], [1])
        _ = here.set([2], [2])
        pass(0...0, &here)
        _ = here.set([1], nil)
        let hash = here.hash
        pass(5...60, &here)
        #expect(here.count == 2)
        pass(65...75, &here)
        #expect(here.count == 1)
        #expect(here.hash == hash)
        #expect(here.entries(of: Cast.nodeA) == [[2]: [2]])
    }

    @Test("Who was away for longer loses what was deleted, and nothing else for a moment")
    func away() throws {
        var (here, there) = (Cast.store(), Cast.store(Cast.nodeB))
        _ = here.set((0..<500).map { Cast.change($0, [1]) })
        _ = there.catchUp(with: here)
        _ = here.set((0..<500).filter { $0 % 2 == 0 }.map { Cast.change($0, nil) })
        _ = here.set(Cast.key(1), [2])
        pass(0...100, &here)
        #expect(here.count == 250)
        var changes: [EntryChange] = []
        var rounds = 0
        while there.hash != here.hash, rounds < 1_000 {
            rounds += 1
            for delta in here.deltas(beyond: there.digest(), limit: 500) {
                for odd in stride(from: 1, to: 500, by: 2) {
                    #expect(there.value(Cast.key(odd), of: Cast.nodeA) != nil)
                }
                guard case .news(let news) = there.apply(delta) else {
                    Issue.record("a delta was not taken")
                    continue
                }
                changes += news
            }
        }
        #expect(rounds > 5, "the copy was rebuilt in pieces")
        #expect(there.entries(of: Cast.nodeA) == here.entries(of: Cast.nodeA))
        #expect(changes.filter { $0.value == nil }.count == 250)
        #expect(changes.filter { $0.value != nil } == [Cast.change(1, [2])])
    }

    @Test("Who saw the deletion goes on from there after it is forgotten")
    func present() throws {
        var (here, there) = (Cast.store(), Cast.store(Cast.nodeB))
        _ = here.set([1], [1])
        _ = here.set([1], nil)
        _ = there.catchUp(with: here)
        pass(0...100, &here)
        let delta = try here.said([2], [2])
        #expect(there.apply(delta) == .news([EntryChange(key: [2], value: [2])]))
        #expect(delta.entries.count == 1)
    }

    @Test("A key deleted and set again is an entry like any other")
    func again() throws {
        var (here, there) = (Cast.store(), Cast.store(Cast.nodeB))
        _ = here.set([1], [1])
        _ = here.set([1], nil)
        _ = here.set([1], [2])
        pass(0...100, &here)
        _ = there.catchUp(with: here)
        #expect(there.entries(of: Cast.nodeA) == [[1]: [2]])
        #expect(there.count == 1)
    }

    @Test("A copy that is being rebuilt goes on from where it is, whoever helps")
    func rebuiltByAnother() throws {
        var (here, helper, there) = (
            Cast.store(), Cast.store(Cast.nodeB), Cast.store(NodeID(bits: 1))
        )
        _ = here.set((0..<100).map { Cast.change($0, [1]) })
        _ = there.catchUp(with: here)
        _ = here.set((0..<50).map { Cast.change($0, nil) })
        pass(0...100, &here)
        _ = helper.catchUp(with: here)
        let first = try #require(here.deltas(beyond: there.digest(), limit: 300).first)
        #expect(first.from == 0)
        _ = there.apply(first)
        let second = try #require(helper.deltas(beyond: there.digest(), limit: .max).first)
        #expect(second.from == first.through)
        #expect(there.apply(first) == .stale, "a late duplicate sets nobody back")
        _ = there.apply(second)
        #expect(there.entries(of: Cast.nodeA) == here.entries(of: Cast.nodeA))
        #expect(there.hash == helper.hash && there.hash == here.hash)
    }

    @Test("A late delta cannot bring back what was deleted and forgotten since")
    func lateDelta() throws {
        var (here, there) = (Cast.store(), Cast.store(Cast.nodeB))
        _ = here.set((0..<100).map { Cast.change($0, [1]) })
        var late: [Delta] = []
        var rebuilding = Cast.store(NodeID(bits: 1))
        for _ in 0..<3 {
            let delta = try #require(
                here.deltas(beyond: rebuilding.digest(), limit: 300).first)
            late.append(delta)
            _ = rebuilding.apply(delta)
        }
        _ = here.set(Cast.key(25), nil)
        pass(0...100, &here)
        // Begun with what is known now; then the second and third of then arrive.
        _ = there.apply(try #require(here.deltas(beyond: there.digest(), limit: 300).first))
        #expect(late.contains { $0.entries.contains { $0.key == Cast.key(25) } })
        for delta in late { _ = there.apply(delta) }
        #expect(there.value(Cast.key(25), of: Cast.nodeA) == nil)
        _ = there.catchUp(with: here)
        #expect(there.entries(of: Cast.nodeA) == here.entries(of: Cast.nodeA))
        #expect(there.hash == here.hash)
    }
}
