import Membership
import NetworkTypes
import Testing

@Suite("What two stores lack of each other")
struct StoreExchangeTests {
    private typealias Cast = StoreCast

    /// A store with entries of several members.
    private func store(
        of own: NodeID = NodeID(bits: .max), members: ClosedRange<UInt64>, entries: Int
    ) throws -> ReplicatedStore {
        var store = Cast.store(own)
        for bits in members {
            var member = Cast.store(NodeID(bits: bits))
            _ = store.apply(try member.said((0..<entries).map { Cast.change($0, [1]) }))
        }
        return store
    }

    @Test("Equal stores lack nothing; after one change one of them does")
    func oneChange() throws {
        var here = try store(members: 1...20, entries: 3)
        var there = try store(of: NodeID(bits: 99), members: 1...20, entries: 3)
        #expect(here.hash == there.hash)
        #expect(here.deltas(beyond: there.digest(), limit: .max).isEmpty)
        #expect(!here.isBehind(there.digest()))
        _ = here.set([1], [1])
        #expect(there.isBehind(here.digest()))
        #expect(!here.isBehind(there.digest()))
        let deltas = here.deltas(beyond: there.digest(), limit: .max)
        #expect(deltas.map(\.node) == [here.own])
        #expect(there.catchUp(with: here).count == 1)
        #expect(there.hash == here.hash)
    }

    @Test("A part of a digest says nothing about members outside its range")
    func range() throws {
        let here = try store(members: 1...20, entries: 1)
        let none = Digest([], first: NodeID(bits: 5), last: NodeID(bits: 7))
        #expect(
            here.deltas(beyond: none, limit: .max).map(\.node)
                == [NodeID(bits: 5), NodeID(bits: 6), NodeID(bits: 7)])
        let answer = here.digest(from: none.first, through: none.last)
        #expect(answer.entries.map(\.node) == (5...7).map { NodeID(bits: $0) })
        #expect((answer.first, answer.last) == (none.first, none.last))
        #expect(!here.isBehind(none))
    }

    @Test("Everything comes over in digests and deltas of one datagram each")
    func throughDatagrams() throws {
        let here = try store(members: 1...300, entries: 4)
        var there = Cast.store(NodeID(bits: .max))
        var rounds = 0
        while there.hash != here.hash, rounds < 100 {
            rounds += 1
            for payload in DatagramCoder.encode([.digest(there.digest(), wantsReply: false)]) {
                for case .digest(let part, _) in try decode(payload) {
                    for delta in here.deltas(beyond: part, limit: 4_000) {
                        for payload in DatagramCoder.encode([.delta(delta)]) {
                            for case .delta(let piece) in try decode(payload) {
                                _ = there.apply(piece)
                            }
                        }
                    }
                }
            }
        }
        #expect(there.hash == here.hash)
        #expect(there.count == 1_200)
        #expect(rounds < 20)
    }

    @Test("A limit is kept, the oldest changes come first, and no member waits for another")
    func limit() throws {
        var here = try store(members: 2...10, entries: 2)
        var large = Cast.store(NodeID(bits: 1))
        _ = here.apply(try large.said((0..<5_000).map { Cast.change($0, [1]) }))
        let deltas = here.deltas(beyond: Digest([]), limit: 2_000)
        #expect(deltas.map(\.node) == (1...10).map { NodeID(bits: $0) })
        #expect(DatagramCoder.encode(deltas.map { .delta($0) }).count <= 3)
        let first = try #require(deltas.first)
        #expect(first.from == 0 && first.through < 5_000)
        #expect(first.entries.map(\.version) == Array(1...first.through))
        var rounds = 0
        var there = Cast.store(NodeID(bits: .max))
        while there.hash != here.hash, rounds < 1_000 {
            rounds += 1
            for delta in here.deltas(beyond: there.digest(), limit: 2_000) {
                _ = there.apply(delta)
            }
        }
        #expect(there.entries(of: NodeID(bits: 1)).count == 5_000)
    }

    @Test("No room for a byte gives no delta, room for one gives one entry")
    func smallestLimit() throws {
        let here = try store(members: 1...3, entries: 3)
        #expect(here.deltas(beyond: Digest([]), limit: 0).isEmpty)
        #expect(here.deltas(beyond: Digest([]), limit: 1).map(\.entries.count) == [1])
    }
}
