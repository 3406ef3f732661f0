import NetworkTypes
import Testing

@testable import SealedDatagrams

@Suite struct SealedChannelTests {
    @Test("a first contact costs one round trip, and then both directions are open")
    func firstContact() {
        let (a, b) = (Party(1, seed: 1), Party(2, seed: 2))
        #expect(a.send([7], to: b) == 3)
        #expect(b.heard == [[7]])
        #expect(b.send([8], to: a) == 1)
        #expect(a.heard == [[8]])
        #expect(a.send([9], to: b) == 1)
        #expect(b.heard == [[7], [9]])
        #expect(a.channel.counters.resent == 1)
        #expect(a.channel.counters.dropped.isEmpty && b.channel.counters.dropped.isEmpty)
        #expect(b.takeNewTroubles().isEmpty)
    }

    @Test("two that speak first at the same moment both get through")
    func crossing() {
        let (a, b) = (Party(1, seed: 1), Party(2, seed: 2))
        let (first, second) = (a.seal([1], to: b), b.seal([2], to: a))
        let answer = b.open(first, from: a)
        let counter = a.open(second, from: b)
        let again = a.open(answer ?? [], from: b)
        let more = b.open(counter ?? [], from: a)
        b.open(again ?? [], from: a)
        a.open(more ?? [], from: b)
        #expect(b.heard == [[1]])
        #expect(a.heard == [[2]])
    }

    @Test("every size of payload goes through up to the limit, and one byte more is refused")
    func sizes() {
        let (a, b) = (Party(1, seed: 1), Party(2, seed: 2))
        for count in [0, 1, 15, 16, 17, 1_199, 1_200] {
            a.send([UInt8](repeating: 5, count: count), to: b)
        }
        #expect(b.heard.map(\.count) == [0, 1, 15, 16, 17, 1_199, 1_200])
        let tooLong = a.channel.seal([UInt8](repeating: 5, count: 1_201), to: b.address)
        #expect(tooLong == nil)
        #expect(a.channel.counters.refused == 1)
        #expect(SealedChannel.maximumDatagram <= 1_300)
    }

    @Test("a datagram that comes again is dropped and told once")
    func replay() {
        let (a, b) = (Party(1, seed: 1), Party(2, seed: 2))
        a.send([1], to: b)
        let datagram = a.seal([2], to: b)
        for _ in 0..<3 { b.open(datagram, from: a) }
        #expect(b.heard == [[1], [2]])
        #expect(b.channel.counters.dropped == [.replayed: 2])
        let troubles = b.takeNewTroubles()
        #expect(troubles == [SealedTrouble(reason: .replayed, source: a.address.address)])
        #expect(b.takeNewTroubles().isEmpty)
    }

    @Test("datagrams out of order are taken within the window and not beyond it")
    func reordering() {
        let (a, b) = (Party(1, seed: 1), Party(2, seed: 2))
        a.send([1], to: b)
        let datagrams = (0..<1_025).map { a.seal([UInt8(truncatingIfNeeded: $0)], to: b) }
        for datagram in datagrams.reversed() { b.open(datagram, from: a) }
        #expect(b.heard.count == 1 + 1_024)
        #expect(b.channel.counters.dropped == [.replayed: 1])
    }

    @Test(
        "a receiver that starts again takes nothing from before, and is reached in one round trip")
    func receiverRestarts() {
        let (a, b) = (Party(1, seed: 1), Party(2, seed: 2))
        a.send([1], to: b)
        let before = a.seal([2], to: b)
        let restarted = Party(2, seed: 3)
        let answer = restarted.open(before, from: a)
        #expect(restarted.heard.isEmpty)
        #expect(answer != nil)
        a.open(answer ?? [], from: restarted)
        #expect(a.last == .settled)
        #expect(a.send([3], to: restarted) == 1)
        #expect(restarted.heard == [[3]])
        restarted.open(before, from: a)
        #expect(restarted.heard == [[3]])
    }

    @Test("once a sender has started again, what its former start sent is stale")
    func senderRestarts() {
        let (a, b) = (Party(1, seed: 1), Party(2, seed: 2))
        a.send([1], to: b)
        let before = a.seal([2], to: b)
        let restarted = Party(1, seed: 3)
        #expect(restarted.send([3], to: b, at: 100) == 3)
        b.open(before, from: a, at: 200)
        #expect(b.heard == [[1], [3]])
        #expect(b.last == .dropped(.stale))
        #expect(b.takeNewTroubles().map(\.reason) == [.stale])
    }

    @Test(
        "a datagram of a former start that was held back before its first contact ended is no use")
    func heldBack() {
        let (old, b) = (Party(1, seed: 1), Party(2, seed: 2))
        let hello = b.open(old.seal([1], to: b), from: old)
        let withheld = old.open(hello ?? [], from: b)
        let restarted = Party(1, seed: 3)
        restarted.send([3], to: b, at: 100)
        b.open(withheld ?? [], from: old, at: 200)
        #expect(b.heard == [[3]])
        #expect(restarted.send([4], to: b, at: 300) == 1)
        #expect(b.heard == [[3], [4]])
    }

    @Test("a sender that starts again many times is known each time, and its past never counts")
    func manyRestarts() {
        let b = Party(2, seed: 2)
        var past: [Party] = []
        for start in 0..<20 as Range<UInt64> {
            let a = Party(1, seed: 10 + start)
            let time = Int64(start) * 10_000
            #expect(a.send([UInt8(start)], to: b, at: time) == 3)
            for former in past { b.open(former.seal([0xff], to: b), from: former, at: time + 100) }
            #expect(a.send([UInt8(start)], to: b, at: time + 200) == 1)
            past.append(a)
        }
        #expect(!b.heard.contains([0xff]))
        #expect(b.heard.count == 40)
    }

    @Test("what was forgotten for want of room is not taken for fresh afterwards")
    func forgottenNode() {
        let (old, b) = (Party(1, seed: 1), Party(2, seed: 2))
        old.send([1], to: b)
        let restarted = Party(1, seed: 3)
        restarted.send([2], to: b, at: 100)
        b.open(old.seal([0xff], to: b), from: old, at: 200)
        b.channel.forget(restarted.channel.session)
        b.open(old.seal([0xff], to: b), from: old, at: 2_000)
        #expect(b.heard == [[1], [2]])
        #expect(restarted.send([3], to: b, at: 3_000) >= 1)
        #expect(restarted.send([4], to: b, at: 4_000) == 1)
        #expect(b.heard.last == [4])
    }

    @Test("of two nodes of one name that are up, the later counts and the other is reported")
    func sameName() {
        let b = Party(2, seed: 2)
        let (one, other) = (Party(1, seed: 1, host: 11), Party(1, seed: 3, host: 12))
        one.send([1], to: b, at: 0)
        other.send([2], to: b, at: 100)
        for time in stride(from: 200, to: 4_000, by: 200) {
            one.send([1], to: b, at: Int64(time))
            other.send([2], to: b, at: Int64(time))
        }
        #expect(b.heard.filter { $0 == [1] }.count == 1)
        #expect(b.heard.filter { $0 == [2] }.count == 20)
        let troubles = b.takeNewTroubles()
        #expect(troubles.contains(.init(reason: .sameName, source: one.address.address)))
        #expect(!troubles.contains { $0.source == other.address.address })
    }

    @Test("a datagram for one node is not taken by another")
    func misdirected() {
        let (a, b, c) = (Party(1, seed: 1), Party(2, seed: 2), Party(3, seed: 3))
        a.send([1], to: b)
        c.open(a.seal([2], to: b), from: a)
        #expect(c.heard.isEmpty)
        #expect(a.seal([3], to: b) != [])
    }

    @Test("our own datagrams, sent back to us, are dropped")
    func reflected() {
        let (a, b) = (Party(1, seed: 1), Party(2, seed: 2))
        a.open(a.seal([1], to: b), from: b)
        #expect(a.last == .dropped(.reflected))
    }

    @Test("hellos are few: one a session in 50 ms, and 200 a second for everybody together")
    func helloRate() {
        let (a, b) = (Party(1, seed: 1), Party(2, seed: 2))
        var answers = 0
        for time in 0..<200 as Range<Int64> {
            if b.open(a.seal([1], to: b), from: a, at: time) != nil { answers += 1 }
        }
        #expect(answers == 4)
        #expect(b.channel.counters.dropped == [.early: 196])
        #expect(b.takeNewTroubles().isEmpty)
        answers = 0
        for node in 100..<1_100 as Range<UInt64> {
            let stranger = Party(node, seed: node)
            if b.open(stranger.seal([1], to: b), from: stranger, at: 1_300) != nil { answers += 1 }
        }
        #expect(answers == 200)
        #expect(b.last == .dropped(.crowded))
    }

    @Test("a hello that answers nothing of ours changes nothing")
    func unaskedHello() {
        let (a, b, c) = (Party(1, seed: 1), Party(2, seed: 2), Party(3, seed: 3))
        a.send([1], to: b)
        let hello = b.open(c.seal([1], to: b), from: c)
        a.open(hello ?? [], from: b)
        #expect(a.last == .dropped(.unasked))
        #expect(a.send([2], to: b) == 1)
    }

    @Test("an ICMP error counts only when it quotes what was sent there")
    func quotedErrors() {
        let (a, b, c) = (Party(1, seed: 1), Party(2, seed: 2), Party(3, seed: 3))
        let datagram = Array(a.seal([1], to: b).prefix(64))
        #expect(a.didSend(datagram, to: b))
        #expect(!a.didSend(datagram, to: c))
        #expect(!a.didSend(Array(datagram.prefix(20)), to: b))
        #expect(!a.didSend(Array(c.seal([1], to: b).prefix(64)), to: b))
    }

    @Test("what is kept is bounded, whoever speaks and wherever one sends")
    func bounds() {
        let b = Party(2, seed: 2)
        for node in 0..<9_000 as Range<UInt64> {
            let stranger = Party(node + 100, seed: node)
            b.open(stranger.seal([1], to: b), from: stranger)
        }
        #expect(b.channel.sessions.count <= SealedChannel.maximumSessions)
        #expect(b.channel.told.count <= SealedChannel.maximumTroubles)
        for port in 0..<200 as Range<UInt16> {
            _ = b.channel.seal([1], to: SocketAddress(b.address.address, port: port))
        }
        #expect(b.channel.kept.count == SealedChannel.maximumKept)
    }

    @Test("nodes that speak are not forgotten for the sake of many that only knock")
    func crowd() {
        let (a, b) = (Party(1, seed: 1), Party(2, seed: 2))
        a.send([1], to: b)
        for node in 0..<9_000 as Range<UInt64> {
            let stranger = Party(node + 100, seed: node + 50)
            b.open(stranger.seal([1], to: b), from: stranger)
        }
        #expect(a.send([2], to: b, at: 5_000) == 1)
        #expect(b.heard == [[1], [2]])
    }
}
