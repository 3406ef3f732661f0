import NetworkTypes
import Testing

@testable import Dataplane

@Suite struct ConsistentSlotsTests {
    private func endpoints(
        _ count: Int, _ random: inout SplitMix
    ) throws -> [ServiceChain.Endpoint] {
        let bases = [try Example.address("198.18.0.0"), try Example.address("2001:db8::")]
        let base = bases[random.below(2)]
        // In a row, as Pods of one node often are, or scattered.
        if random.below(2) == 0 {
            let first = random.below(64_000)
            return try (first..<first + count).map {
                .init(try #require(base.advanced(by: UInt128($0))), port: 8080, isLocal: false)
            }
        }
        var addresses: Set<IPAddress> = []
        while addresses.count < count {
            addresses.insert(try #require(base.advanced(by: UInt128(random.below(65_536)))))
        }
        return addresses.sorted().map { .init($0, port: 8080, isLocal: false) }
    }

    @Test(
        "every slot has an endpoint, and shares differ by at most one",
        arguments: [UInt64](1...20))
    func even(seed: UInt64) throws {
        var random = SplitMix(state: seed)
        for count in [1, 2, 3, 7, 64, 1_000, 1 + random.below(300)] {
            let endpoints = try endpoints(count, &random)
            let slots = ConsistentSlots.assign(endpoints)
            #expect(slots.count == ConsistentSlots.count)
            let shares = Dictionary(slots.map { ($0, 1) }, uniquingKeysWith: +)
            #expect(shares.count == count)
            let (least, most) = (shares.values.min() ?? 0, shares.values.max() ?? 0)
            #expect(most - least <= 1, "seed \(seed), \(count) endpoints")
        }
    }

    @Test(
        "an endpoint's death moves its own clients, evenly, and hardly anybody else's",
        arguments: [UInt64](1...40))
    func death(seed: UInt64) throws {
        var random = SplitMix(state: seed)
        for count in [2, 3, 5, 10, 30, 100] {
            let endpoints = try endpoints(count, &random)
            let before = ConsistentSlots.assign(endpoints)
            let dead = endpoints[random.below(count)]
            let after = ConsistentSlots.assign(endpoints.filter { $0 != dead })
            #expect(!after.contains(dead))
            let moved = zip(before, after).count { $0 != dead && $0 != $1 }
            #expect(
                moved * 100 <= ConsistentSlots.count * Self.othersPercent,
                "seed \(seed), \(count) endpoints: \(moved) others moved")
        }
    }

    /// Of a hundred clients of other endpoints so many move at most.
    private static let othersPercent = 6

    @Test("the order in which endpoints are named does not matter")
    func order() throws {
        var web = try Example.web()
        web.choice = .consistent
        var shuffled = web
        shuffled.endpoints.reverse()
        var ruleset = Ruleset()
        _ = ruleset.update(to: [web])
        #expect(ruleset.update(to: [shuffled]).isEmpty)
    }

    @Test("an endpoint's death changes elements of its own Service and no rule")
    func elementsOnly() throws {
        var web = try Example.web()
        web.choice = .consistent
        web.endpoints = try (1...10).map {
            .init(try Example.address("192.0.2.\($0)"), port: 80, isLocal: false)
        }
        var ruleset = Ruleset()
        _ = ruleset.update(to: [web])
        web.endpoints.remove(at: 4)
        let diff = ruleset.update(to: [web])
        #expect(diff.writtenChains.isEmpty && diff.addedChains.isEmpty)
        #expect(diff.addedElements.count < ConsistentSlots.count / 4)
    }
}
