import Dataplane
import NetworkTypes
import Testing

@Suite struct RulesetPartTests {
    @Test(
        "Services changed one by one come to the same table as a look at all of them",
        arguments: [UInt64](1...12))
    func churn(seed: UInt64) throws {
        var random = SplitMix(state: seed)
        var whole = Ruleset()
        var part = Ruleset()
        var (wholeTable, partTable) = (TableModel(), TableModel())
        wholeTable.apply(whole.installation)
        partTable.apply(part.installation)
        var services: [Ruleset.ServiceKey: [ServiceChain]] = [:]
        for _ in 0..<50 {
            var changes: [Ruleset.ServiceKey: [ServiceChain]] = [:]
            for _ in 0...random.below(3) {
                let name = "s\(random.below(9))"
                let key = Ruleset.ServiceKey(namespace: "default", service: name)
                changes[key] = try (0..<random.below(3)).map { try chain(name, $0, &random) }
            }
            services.merge(changes) { $1 }
            wholeTable.apply(whole.update(to: services.values.flatMap(\.self)))
            let difference = part.update(only: changes)
            partTable.apply(try #require(difference, "seed \(seed)"))
            try #require(partTable == wholeTable, "seed \(seed)")
            try #require(partTable.refusals.isEmpty, "seed \(seed)")
            var fresh = TableModel()
            fresh.apply(part.installation)
            try #require(partTable == fresh, "seed \(seed)")
            #expect(part.count == whole.count)
            #expect(part.endpointCounts == whole.endpointCounts)
            for family in IPAddress.Family.allCases {
                let endpoints = services.values.flatMap(\.self).flatMap(\.endpoints)
                #expect(
                    part.endpointCounts[family, default: 0]
                        == endpoints.count { $0.address.family == family })
            }
        }
    }

    @Test("what only a look at all Services can tell is left to that, and nothing is done")
    func refused() throws {
        let key = Ruleset.ServiceKey(namespace: "default", service: "web")
        var web = try Example.web()
        var ruleset = Ruleset()
        _ = ruleset.update(to: [web])
        func expectRefused(
            _ changes: [Ruleset.ServiceKey: [ServiceChain]], _ comment: Comment
        ) {
            let difference = ruleset.update(only: changes)
            #expect(difference == nil, comment)
        }
        expectRefused([key: [web, web]], "one identity twice")
        var unusable = web
        unusable.identity = .init(
            namespace: "default", service: "web", port: "a/b", transport: .tcp)
        expectRefused([key: [unusable]], "a name that is no name")
        let first = try Example.address("192.0.2.0")
        web.endpoints = (0...Ruleset.maximumEndpoints).map {
            .init(first, port: UInt16($0 + 1), isLocal: false)
        }
        expectRefused([key: [web]], "too many endpoints")
        #expect(ruleset.count == 1)
        let difference = ruleset.update(to: [try Example.web()])
        #expect(difference.isEmpty)
        _ = ruleset.update(to: [web])
        expectRefused([:], "something is left out already")
    }

    private func chain(
        _ name: String, _ port: Int, _ random: inout SplitMix
    ) throws -> ServiceChain {
        let front = try Example.address("198.18.0.0")
        let back = [try Example.address("192.0.2.0"), try Example.address("2001:db8::")]
        let address = front.advanced(by: UInt128(random.below(6))) ?? front
        var chain = ServiceChain(
            identity: .init(
                namespace: "default", service: name, port: "p\(port)", transport: .tcp),
            frontends: [.loadBalancer(address, port: UInt16(80 + port))],
            endpoints: (0..<random.below(4)).map { _ in
                let base = back[random.below(2)]
                return .init(
                    base.advanced(by: UInt128(random.below(5))) ?? base, port: 8080,
                    isLocal: random.below(2) == 0)
            })
        if random.below(2) == 0 { chain.frontends.append(.nodePort(.ipv6, port: 30_000)) }
        if random.below(4) == 0 { chain.affinity = .clientAddress(seconds: 600) }
        if random.below(8) == 0 { chain.choice = .consistent }
        return chain
    }
}
