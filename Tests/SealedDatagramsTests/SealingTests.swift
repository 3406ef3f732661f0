import NetworkTypes
import Testing

@testable import SealedDatagrams

@Suite struct SealingTests {
    /// Two that have met, and a datagram from one to the other that has not arrived.
    private static func datagram(_ keys: KeyRing) -> (from: Party, to: Party, bytes: [UInt8]) {
        let (a, b) = (Party(1, keys: keys, seed: 1), Party(2, keys: keys, seed: 2))
        a.send([1], to: b)
        return (a, b, a.seal(Array(0..<40), to: b))
    }

    @Test("every datagram cut short and every changed bit is dropped, and the original still goes")
    func everyChange() {
        let (a, b, bytes) = Self.datagram(Party.ring("a"))
        var dropped = 0
        for count in 0..<bytes.count {
            b.open(Array(bytes.prefix(count)), from: a)
            if case .dropped = b.last { dropped += 1 }
        }
        for index in 0..<bytes.count * 8 {
            var changed = bytes
            changed[index / 8] ^= 1 << UInt8(index % 8)
            b.open(changed, from: a)
            if case .dropped = b.last { dropped += 1 }
        }
        #expect(dropped == bytes.count * 9)
        #expect(b.heard == [[1]])
        b.open(bytes, from: a)
        #expect(b.heard.count == 2)
        b.open(bytes + [0], from: a)
        #expect(b.last == .dropped(.forged))
    }

    @Test("nothing of the payload or the sender's name stands in clear")
    func confidential() {
        let (a, b) = (Party(0x1122_3344_5566_7788, seed: 1, host: 1), Party(2, seed: 2))
        a.send([1], to: b)
        let payload = Array("claim/192.0.2.10".utf8)
        let bytes = a.seal(payload, to: b)
        for needle in [payload, a.node.networkBytes] {
            #expect(!bytes.indices.contains { bytes[$0...].starts(with: needle) })
        }
        #expect(a.seal(payload, to: b).dropFirst(29) != bytes.dropFirst(29))
    }

    @Test("a wrong key is dropped, and told once for each source")
    func wrongKey() {
        let (a, b) = (
            Party(1, keys: Party.ring("a"), seed: 1), Party(2, keys: Party.ring("b"), seed: 2)
        )
        for _ in 0..<5 { #expect(a.send([1], to: b) == 1) }
        #expect(b.heard.isEmpty)
        #expect(b.channel.counters.dropped == [.wrongKey: 5])
        let troubles = b.takeNewTroubles()
        #expect(troubles.map(\.reason) == [.wrongKey])
        #expect(troubles.first?.description.contains("192.0.2.1") == true)
        #expect(troubles.first?.remedy.contains("same key file") == true)
    }

    @Test("keys are exchanged one node at a time without a datagram lost")
    func rotation() {
        let parties = [Party(1, seed: 1), Party(2, seed: 2), Party(3, seed: 3)]
        var sent = 0
        func everybodySpeaks() {
            for from in parties {
                for to in parties where to !== from {
                    from.send([1], to: to, at: Int64(sent) * 100)
                    sent += 1
                }
            }
        }
        everybodySpeaks()
        for step in ["ab", "ba", "b"] {
            for party in parties {
                party.channel.replace(keys: Party.ring(step))
                everybodySpeaks()
            }
        }
        #expect(parties.map(\.heard.count).reduce(0, +) == sent)
        #expect(parties.allSatisfy { $0.channel.counters.dropped.isEmpty })
        let late = Party(4, keys: Party.ring("a"), seed: 4)
        late.send([9], to: parties[0], at: 1_000_000)
        #expect(parties[0].last == .dropped(.wrongKey))
    }

    @Test("without sealing the framing, the challenge and the window are the same")
    func unsealed() {
        let (a, b, bytes) = Self.datagram(.none)
        b.open(bytes, from: a)
        b.open(bytes, from: a)
        #expect(b.heard.count == 2)
        #expect(b.last == .dropped(.replayed))
        for count in 0..<bytes.count { b.open(Array(bytes.prefix(count)), from: a) }
        #expect(b.heard.count == 2)
    }

    @Test("one that seals and one that does not refuse each other, and say why")
    func mixed() {
        let (sealing, open) = (Party(1, seed: 1), Party(2, keys: .none, seed: 2))
        open.send([1], to: sealing)
        #expect(sealing.last == .dropped(.notSealed))
        sealing.send([1], to: open)
        #expect(open.last == .dropped(.wrongKey))
        #expect(sealing.heard.isEmpty && open.heard.isEmpty)
    }

    @Test("any bytes may come")
    func noise() {
        var state: UInt64 = 7
        for keys in [Party.ring("a"), .none] {
            let (a, b, bytes) = Self.datagram(keys)
            for _ in 0..<20_000 {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                var noise = Array(bytes.prefix(Int(state >> 32) % (bytes.count + 1)))
                if !noise.isEmpty { noise[Int(state >> 40) % noise.count] = UInt8(state >> 56) }
                b.open(noise, from: a)
            }
            #expect(b.channel.sessions.count <= SealedChannel.maximumSessions)
        }
        let b = Party(2, seed: 2)
        b.open([UInt8](repeating: 1, count: 1_400), from: b)
        #expect(b.last == .dropped(.tooLong))
    }
}
