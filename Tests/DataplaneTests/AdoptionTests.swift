import NetworkTypes
import Testing

@testable import Dataplane

/// A process that begins beside the table of a former one.
@Suite struct AdoptionTests {
    private func adoption(_ table: TableModel) -> Ruleset.Adoption {
        var runs: [String: Range<UInt32>] = [:]
        for (name, rules) in table.chains {
            for case let slots? in rules.map(\.slots) { runs[name] = slots }
        }
        return Ruleset.Adoption(runs: runs, sets: table.sets)
    }

    private func service(_ index: Int, _ random: inout SplitMix) throws -> ServiceChain {
        let base = try Example.address(random.below(2) == 0 ? "192.0.2.0" : "2001:db8::")
        var service = Example.service(
            "s\(index)", frontends: [.nodePort(base.family, port: UInt16(30_000 + index))],
            endpoints: (0..<random.below(12)).map {
                .init(base.advanced(by: UInt128($0)) ?? base, port: 80, isLocal: false)
            })
        if random.below(12) == 0 { service.choice = .consistent }
        if random.below(3) == 0 { service.affinity = .clientAddress(seconds: 60) }
        return service
    }

    @Test("the table of a former run is taken over as it is", arguments: [UInt64](1...12))
    func same(seed: UInt64) throws {
        var random = SplitMix(state: seed)
        var ruleset = Ruleset()
        var table = TableModel()
        table.apply(ruleset.installation)
        var services: [Int: ServiceChain] = [:]
        for _ in 0..<120 {
            let index = random.below(40)
            services[index] = try random.below(4) == 0 ? nil : service(index, &random)
            table.apply(ruleset.update(to: Array(services.values)))
        }
        try #require(table.refusals.isEmpty)
        var successor = Ruleset(adopting: adoption(table))
        _ = successor.update(to: Array(services.values))
        var fresh = TableModel()
        fresh.apply(successor.installation)
        #expect(fresh == table, "seed \(seed)")
        // And it goes on from there as the former one would have.
        for _ in 0..<60 {
            let index = random.below(40)
            services[index] = try random.below(4) == 0 ? nil : service(index, &random)
            table.apply(successor.update(to: Array(services.values)))
            try #require(table.isMade(by: successor.installation), "seed \(seed)")
        }
    }

    @Test("Services that went meanwhile leave their slots to others; nothing else moves")
    func changedMeanwhile() throws {
        var random = SplitMix(state: 7)
        let services = try (0..<30).map { try service($0, &random) }
        var ruleset = Ruleset()
        _ = ruleset.update(to: services)
        var table = TableModel()
        table.apply(ruleset.installation)
        var successor = Ruleset(adopting: adoption(table))
        let kept = services.filter { $0.identity.service != "s3" }
        _ = successor.update(to: kept)
        var fresh = TableModel()
        fresh.apply(successor.installation)
        for (name, rules) in fresh.chains { #expect(table.chains[name] == rules) }
        for (key, value) in fresh.elements { #expect(table.elements[key] == value) }
        #expect(fresh.elements.count < table.elements.count)
    }

    @Test(
        "whatever the kernel says of slots, chains get runs that do not overlap",
        arguments: [UInt64](1...20))
    func nonsense(seed: UInt64) throws {
        var random = SplitMix(state: seed)
        var sets: [NamedSet] = []
        for shard in 0..<random.below(6) {
            sets.append(
                .endpoints(IPAddress.Family.allCases[random.below(2)], shard: UInt32(shard)))
        }
        if random.below(3) == 0 { sets.append(.endpoints(.ipv4, shard: 0)) }
        if random.below(3) == 0 { sets.append(.endpoints(.ipv4, shard: .max)) }
        var services: [ServiceChain] = []
        var runs: [String: Range<UInt32>] = [:]
        for index in 0..<30 {
            let service = try service(index, &random)
            services.append(service)
            let first = UInt32(random.below(random.below(2) == 0 ? 6_000 : 4_294_960_000))
            let family = 4 + 2 * random.below(2)
            runs["cluster\(family)/\(service.identity)"] =
                first..<first + UInt32(random.below(3_000))
        }
        var ruleset = Ruleset(adopting: Ruleset.Adoption(runs: runs, sets: sets))
        for _ in 0..<3 {
            _ = ruleset.update(to: services)
            var table = TableModel()
            table.apply(ruleset.installation)
            try #require(table.refusals.isEmpty, "seed \(seed)")
            services.removeLast(5)
        }
    }

    @Test("an entrance that several want stays with who had it before the restart")
    func disputed() throws {
        let address = try Example.address("203.0.113.10")
        let key = SetElement.Key.frontend(address, .tcp, port: 80)
        let nodePort = SetElement.Key.nodePort(.ipv4, .tcp, port: 30_080)
        let names = ["ant", "bee", "cow"]
        var services = names.map {
            Example.service(
                $0,
                frontends: [.loadBalancer(address, port: 80), .nodePort(.ipv4, port: 30_080)])
        }
        var former = Ruleset()
        _ = former.update(to: [services[1]])
        _ = former.update(to: services)
        let kernel = KernelAnswers(former).table
        var table = TableModel()
        var successor = Ruleset(adopting: kernel.adoption)
        // Meanwhile its policy is another, so that its entrances lead to another of its chains.
        services[1].externalPolicy = .local
        _ = successor.update(to: services)
        table.apply(successor.installation)
        #expect(table.entrance(key) == "origin4/default/bee/http/tcp")
        #expect(table.entrance(nodePort) == "origin4/default/bee/http/tcp")
        let clash = Ruleset.Clash(
            holder: "default/bee/http/tcp",
            waiting: ["default/ant/http/tcp", "default/cow/http/tcp"])
        #expect(successor.clashes == [key: clash, nodePort: clash])
        // After that all are equal: who had it before has no right to it once it has left.
        table.apply(successor.update(to: [services[0], services[2]]))
        table.apply(successor.update(to: services))
        #expect(table.entrance(key) == "external4/default/ant/http/tcp")
        #expect(table.refusals.isEmpty)
    }

    @Test("maps are taken over as far as their numbers have no gap and no dispute")
    func shards() {
        let sets: [NamedSet] = [
            .endpoints(.ipv4, shard: 0), .endpoints(.ipv6, shard: 1), .endpoints(.ipv4, shard: 3),
        ]
        #expect(Ruleset.Adoption(runs: [:], sets: sets).shards == [.ipv4, .ipv6])
        let disputed = sets + [.endpoints(.ipv4, shard: 1)]
        #expect(Ruleset.Adoption(runs: [:], sets: disputed).shards == [.ipv4])
    }

    @Test("a set is known by its name again, and nothing else is")
    func names() {
        let sets =
            NamedSet.permanent(.init(counters: .traffic))
            + IPAddress.Family.allCases.flatMap { family -> [NamedSet] in
                let chain = "local\(family.rawValue)/default/web/http/udp"
                return [
                    .endpoints(family, shard: 12), .affinity(family, chain: chain),
                    .choices(family, chain: chain), .living(family, chain: chain),
                ]
            }
        for set in sets { #expect(NamedSet(name: set.name) == set) }
        #expect(Set(sets.map(\.name)).count == sets.count)
        for name in ["", "endpoints4", "endpoints4-", "endpoints4-01", "affinity-x", "frontends5"] {
            #expect(NamedSet(name: name) == nil)
        }
    }
}
