import Dataplane
import NetworkTypes
import Testing

/// What is sent, read again by a reader of its own.
@Suite struct NftablesWireTests {
    /// Attributes by their type; a type that comes twice is an error.
    private struct Attributes {
        private(set) var values: [UInt16: [UInt8]] = [:]
        private(set) var list: [(type: UInt16, value: [UInt8])] = []

        init(_ bytes: some Collection<UInt8>) throws {
            var rest = Array(bytes)[...]
            while !rest.isEmpty {
                let length = Int(NftablesWireTests.host(rest.prefix(2)))
                try #require(length >= 4 && length <= rest.count)
                let type = UInt16(NftablesWireTests.host(rest.dropFirst(2).prefix(2))) & 0x3fff
                let value = Array(rest.dropFirst(4).prefix(length - 4))
                values[type] = value
                list.append((type, value))
                rest = rest.dropFirst((length + 3) & ~3)
            }
        }

        func nested(_ type: UInt16) throws -> Attributes {
            try Attributes(try #require(values[type]))
        }

        func word(_ type: UInt16) -> UInt64? { values[type]?.reduce(0) { $0 << 8 | UInt64($1) } }

        func text(_ type: UInt16) -> String? {
            values[type].map { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        }
    }

    private static func host(_ bytes: some Collection<UInt8>) -> UInt32 {
        let ordered = UInt16(1).littleEndian == 1 ? Array(bytes.reversed()) : Array(bytes)
        return ordered.reduce(0) { $0 << 8 | UInt32($1) }
    }

    /// The bodies of the messages of a type.
    private func bodies(_ batch: NftablesBatch, _ type: UInt32) throws -> [Attributes] {
        var bodies: [Attributes] = []
        var rest = batch.bytes[...]
        while !rest.isEmpty {
            let length = Int(Self.host(rest.prefix(4)))
            if Self.host(rest.dropFirst(4).prefix(2)) == 0x0a00 | type {
                bodies.append(try Attributes(rest.prefix(length).dropFirst(20)))
            }
            rest = rest.dropFirst(length)
        }
        return bodies
    }

    private func affine() throws -> (ServiceChain, Ruleset) {
        var web = try Example.web()
        web.affinity = .clientAddress(seconds: 10_800)
        var ruleset = Ruleset()
        _ = ruleset.update(to: [web])
        return (web, ruleset)
    }

    @Test("the table says whose it is, cut to what the kernel's tool takes, and how it is made")
    func table() throws {
        let comment = "Martlet 1.0 " + String(repeating: "é", count: 100)
        let installation = Ruleset().installation
        let made = try #require(
            try bodies(NftablesBatch(installation, comment: comment), 0).last?.values[6])
        #expect(made[0] == 0)
        let length = Int(made[1])
        #expect(length <= 128 && made[1 + length] == 0)
        let text = String(decoding: made[2..<1 + length], as: UTF8.self)
        #expect(comment.hasPrefix(text) && text.hasPrefix("Martlet 1.0"))
        let layout = made[(2 + length)...]
        #expect(layout.starts(with: [0x6d, 8]) && layout.count == 10)
        #expect(
            layout.dropFirst(2).reduce(0) { $0 << 8 | UInt64($1) } == NftablesBatch.layout(.init()))
    }

    @Test("tables of different options have different layouts, and the same ones the same")
    func layouts() {
        let options = [Ruleset.Counters.none, .connections, .traffic].map {
            Ruleset.Options(counters: $0)
        }
        #expect(Set(options.map(NftablesBatch.layout)).count == 3)
        #expect(options.map(NftablesBatch.layout) == options.map(NftablesBatch.layout))
    }

    @Test("the map of clients is bounded, may be changed by packets, and lets elements go by time")
    func affinityMap() throws {
        let (_, ruleset) = try affine()
        let sets = try bodies(NftablesBatch(ruleset.installation), 9)
        let set = try #require(
            sets.first { $0.text(2) == "affinity-cluster4/default/web/http/tcp" })
        #expect(set.word(3) == 0x8 | 0x10 | 0x20)
        #expect(set.word(5) == 4 && set.word(7) == 4)
        #expect(try set.nested(9).word(1) == 65_536)
    }

    @Test("elements count where that is asked for")
    func counters() throws {
        for counters in [Ruleset.Counters.none, .connections, .traffic] {
            var ruleset = Ruleset(options: .init(counters: counters))
            _ = ruleset.update(to: [try Example.web()])
            let sets = try bodies(NftablesBatch(ruleset.installation), 9)
            let counting = try sets.filter {
                try $0.values[17] != nil && $0.nested(17).text(1) == "counter"
            }.compactMap { $0.text(2) }
            #expect(counting.contains("frontends4") == (counters != .none))
            #expect(counting.contains("endpoints4-0") == (counters != .none))
            #expect(counting.contains("traffic6") == (counters == .traffic))
            #expect(!counting.contains("hairpins4"))
        }
    }

    @Test("a client is remembered for milliseconds, by a key and data in registers")
    func dynset() throws {
        let (_, ruleset) = try affine()
        let chain = "cluster4/default/web/http/tcp"
        let rules = try bodies(NftablesBatch(ruleset.installation), 6)
        let expressions = try rules.filter { $0.text(2) == chain }.map { rule in
            try rule.nested(4).list.map { try Attributes($0.value) }
        }
        #expect(
            expressions.map { $0.last?.text(1) } == ["nat", "dynset", "nat", "nat", "immediate"])
        let changes = try expressions.joined().filter { $0.text(1) == "dynset" }.map {
            try $0.nested(2)
        }
        // Remembered longer, forgotten, remembered.
        #expect(changes.map { $0.word(3) } == [1, 2, 1])
        #expect(changes.map { $0.word(6) } == [10_800_000, nil, 10_800_000])
        #expect(
            changes.allSatisfy {
                $0.text(1) == "affinity-" + chain && $0.values[4] != nil && $0.values[5] != nil
            })
    }

    @Test("base chains come before other tables' translation, and count where filters are")
    func priorities() throws {
        let chains = try bodies(
            NftablesBatch(Ruleset(options: .init(counters: .traffic)).installation), 3)
        var hooks: [String: [UInt64]] = [:]
        for chain in chains where chain.values[4] != nil {
            let hook = try chain.nested(4)
            let name = try #require(chain.text(3)) + " " + (chain.text(7) ?? "")
            hooks[name] = [try #require(hook.word(1)), try #require(hook.word(2))]
        }
        let below = { (value: Int32) in UInt64(UInt32(bitPattern: value)) }
        #expect(
            hooks == [
                "prerouting nat": [0, below(-105)], "output nat": [3, below(-105)],
                "postrouting nat": [4, 95], "traffic-in filter": [0, 0],
                "traffic-out filter": [3, 0],
            ])
    }

    @Test("sets go last, when no rule uses them any more")
    func removedSets() throws {
        var (web, ruleset) = try affine()
        web.affinity = .none
        let batch = NftablesBatch(ruleset.update(to: [web]))
        let map = "affinity-cluster4/default/web/http/tcp"
        #expect(batch.subject(of: batch.lastSequence) == .set(map))
        #expect(try bodies(batch, 11).count == 3)
    }
}
