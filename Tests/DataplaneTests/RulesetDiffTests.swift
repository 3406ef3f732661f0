import Dataplane
import NetworkTypes
import Testing

@Suite struct RulesetDiffTests {
    @Test("nothing changed: nothing to do")
    func unchanged() throws {
        let services = [try Example.web(), Example.service("api", frontends: [])]
        var ruleset = Ruleset()
        _ = ruleset.update(to: services)
        #expect(ruleset.update(to: services).isEmpty)
        #expect(ruleset.update(to: services.reversed()).isEmpty)
    }

    @Test("an endpoint that takes another's place touches that Service's elements and no rule")
    func endpointReplaced() throws {
        var web = try Example.web()
        var other = try Example.web()
        other.identity = .init(
            namespace: "default", service: "other", port: "http", transport: .tcp)
        other.frontends = [.clusterIP(try Example.address("198.18.0.11"), port: 80)]
        var ruleset = Ruleset()
        _ = ruleset.update(to: [web, other])
        web.endpoints[1] = .init(try Example.address("192.0.2.3"), port: 8080, isLocal: false)
        let diff = ruleset.update(to: [web, other])
        #expect(diff.addedChains.isEmpty && diff.writtenChains.isEmpty)
        #expect(diff.removedChains.isEmpty && diff.addedSets.isEmpty && !diff.replacesTable)
        // A slot and a hairpin; the other Service still has the endpoint's old hairpin.
        #expect(diff.addedElements.count == 2)
        #expect(diff.removedElements.count == 1)
    }

    @Test("one endpoint more rewrites one rule's chain and leaves the other endpoints alone")
    func endpointAdded() throws {
        var web = try Example.web()
        web.endpoints.append(.init(try Example.address("192.0.2.3"), port: 80, isLocal: false))
        var ruleset = Ruleset()
        _ = ruleset.update(to: [web])
        let fourth = try Example.address("192.0.2.4")
        web.endpoints.append(.init(fourth, port: 80, isLocal: false))
        let diff = ruleset.update(to: [web])
        #expect(diff.writtenChains.map(\.name) == ["cluster4/default/web/http/tcp"])
        #expect(diff.addedChains.isEmpty && diff.removedElements.isEmpty)
        #expect(diff.addedElements.count == 2)
        #expect(diff.addedElements.contains(SetElement(.hairpin(fourth))))
    }

    @Test("the last endpoint gone, and back: the entrances stay, one chain is rewritten")
    func lastEndpoint() throws {
        var web = try Example.web()
        var ruleset = Ruleset()
        _ = ruleset.update(to: [web])
        let endpoints = web.endpoints
        web.endpoints = []
        let gone = ruleset.update(to: [web])
        #expect(gone.writtenChains.count == 1 && gone.addedElements.isEmpty)
        web.endpoints = endpoints
        let back = ruleset.update(to: [web])
        #expect(back.writtenChains.count == 1 && back.removedElements.isEmpty)
    }

    @Test("UDP connections to an endpoint or an entrance that went are forgotten; TCP's are not")
    func flushes() throws {
        let address = try Example.address("203.0.113.53")
        let endpoints = try ["192.0.2.1", "192.0.2.2"].map {
            ServiceChain.Endpoint(try Example.address($0), port: 53, isLocal: true)
        }
        for transport in [ServiceChain.Transport.udp, .tcp] {
            var dns = Example.service(
                "dns", transport: transport, frontends: [.loadBalancer(address, port: 53)],
                endpoints: endpoints)
            var ruleset = Ruleset()
            _ = ruleset.update(to: [dns])
            dns.endpoints = [endpoints[0]]
            let gone = ruleset.update(to: [dns]).flushes
            dns.endpoints = endpoints
            #expect(ruleset.update(to: [dns]).flushes.isEmpty)
            let removed = ruleset.update(to: []).flushes
            // The address itself is gone: so is whatever was sent to it.
            let whole = try #require(removed.first)
            #expect(whole.destination == address && whole.port == nil && whole.transport == nil)
            #expect(removed.count == (transport == .udp ? 2 : 1))
            guard transport == .udp else {
                #expect(gone.isEmpty)
                continue
            }
            #expect(gone.map(\.endpoint) == [endpoints[1]])
            #expect(gone.map(\.destination) == [address] && gone.map(\.port) == [53])
            #expect(removed.map(\.endpoint) == [nil, nil] && removed.last?.port == 53)
        }
    }

    @Test("an address that another port still serves keeps its connections")
    func sharedAddress() throws {
        let address = try Example.address("203.0.113.53")
        let services = [ServiceChain.Transport.tcp, .sctp].map {
            Example.service(
                "s-\($0)", transport: $0, frontends: [.loadBalancer(address, port: 53)])
        }
        var ruleset = Ruleset()
        _ = ruleset.update(to: services)
        #expect(ruleset.update(to: [services[0]]).flushes.isEmpty)
        #expect(ruleset.update(to: []).flushes.count == 1)
    }

    @Test("a UDP endpoint that terminates loses its connections once a ready one takes them")
    func terminating() throws {
        let address = try Example.address("203.0.113.53")
        let (here, there) = (
            try Example.address("192.0.2.1"), try Example.address("192.0.2.2")
        )
        var dns = Example.service(
            "dns", transport: .udp,
            frontends: [.loadBalancer(address, port: 53)],
            endpoints: [.init(here, port: 53, isLocal: true)])
        var ruleset = Ruleset()
        _ = ruleset.update(to: [dns])
        // For policy Local it is still the best there is.
        dns.endpoints = [
            .init(here, port: 53, isLocal: true, servesCluster: false),
            .init(there, port: 53, isLocal: false),
        ]
        var cluster = ruleset
        #expect(cluster.update(to: [dns]).flushes.map(\.endpoint?.address) == [here])
        dns.externalPolicy = .local
        #expect(ruleset.update(to: [dns]).flushes.isEmpty)
    }

    @Test("policy Local: endpoints that only who is inside reaches lose their connections too")
    func localFromInside() throws {
        let address = try Example.address("203.0.113.53")
        let elsewhere = try ["192.0.2.2", "192.0.2.3"].map {
            ServiceChain.Endpoint(try Example.address($0), port: 53, isLocal: false)
        }
        let here = ServiceChain.Endpoint(try Example.address("192.0.2.1"), port: 53, isLocal: true)
        var dns = Example.service(
            "dns", transport: .udp,
            frontends: [.loadBalancer(address, port: 53), .nodePort(.ipv4, port: 30_053)],
            endpoints: [here] + elsewhere)
        dns.externalPolicy = .local
        var ruleset = Ruleset()
        _ = ruleset.update(to: [dns])
        dns.endpoints = [here, elsewhere[1]]
        let flushes = ruleset.update(to: [dns]).flushes
        #expect(flushes.map(\.endpoint) == [elsewhere[0], elsewhere[0]])
        #expect(flushes.map(\.port) == [53, 30_053])
    }

    @Test("a Service that only waits for an entrance leaves the holder's connections alone")
    func waiting() throws {
        let address = try Example.address("203.0.113.53")
        func dns(_ name: String, _ backend: String) throws -> ServiceChain {
            Example.service(
                name, transport: .udp,
                frontends: [.loadBalancer(address, port: 53), .nodePort(.ipv4, port: 30_053)],
                endpoints: [.init(try Example.address(backend), port: 53, isLocal: true)])
        }
        let holder = try dns("holder", "192.0.2.1")
        var guest = try dns("guest", "192.0.2.2")
        var ruleset = Ruleset()
        _ = ruleset.update(to: [holder])
        #expect(ruleset.update(to: [holder, guest]).flushes.isEmpty, "it comes")
        guest.endpoints = []
        #expect(ruleset.update(to: [holder, guest]).flushes.isEmpty, "it changes")
        var gone = ruleset
        #expect(gone.update(to: [holder]).flushes.isEmpty, "it goes")
        // When it gets the entrance, what the holder had there is forgotten.
        let handed = ruleset.update(to: [guest]).flushes
        #expect(handed.map(\.destination) == [address, nil])
        #expect(handed.map(\.endpoint) == [nil, holder.endpoints[0]])
    }

    @Test("too many connections to forget: whole addresses come first, and what is lost is said")
    func tooMany() throws {
        let first = try Example.address("2001:db8::")
        let services = (0..<40).map { number in
            Example.service(
                "dns\(number)", transport: .udp,
                frontends: [
                    .loadBalancer(first.advanced(by: UInt128(number)) ?? first, port: 53),
                    .nodePort(.ipv6, port: UInt16(30_000 + number)),
                ],
                endpoints: (0..<1_000).map {
                    .init(first.advanced(by: UInt128(4_096 + $0)) ?? first, port: 53, isLocal: true)
                })
        }
        var ruleset = Ruleset()
        #expect(ruleset.update(to: services).omittedFlushes == 0)
        let diff = ruleset.update(to: [])
        #expect(diff.flushes.count == FlowFlush.maximumPerUpdate)
        // An address, a port of it, and a thousand endpoints of a node port for each.
        #expect(diff.omittedFlushes == 40 * 1_002 - FlowFlush.maximumPerUpdate)
        let addresses = Set(diff.flushes.prefix(40).filter { $0.port == nil }.map(\.destination))
        #expect(addresses.count == 40)
    }

    @Test("all Services gone: only what is always there is left")
    func emptied() throws {
        var ruleset = Ruleset()
        var table = TableModel()
        table.apply(ruleset.installation)
        let empty = table
        table.apply(ruleset.update(to: [try Example.web()]))
        table.apply(ruleset.update(to: []))
        table.sets = Set(NamedSet.permanent())
        #expect(table == empty)
    }

    @Test(
        "after any run of changes the table is what a fresh installation makes",
        arguments: [UInt64](1...20))
    func churn(seed: UInt64) throws {
        var random = SplitMix(state: seed)
        var ruleset = Ruleset()
        var table = TableModel()
        table.apply(ruleset.installation)
        var services: [ServiceChain] = []
        for _ in 0..<60 {
            if services.isEmpty || random.below(3) == 0 {
                services.append(try service(&random))
            } else {
                let index = random.below(services.count)
                let successor = try service(&random)
                switch random.below(3) {
                case 0: services.remove(at: index)
                case 1: services[index].endpoints = successor.endpoints
                default:
                    let identity = services[index].identity
                    services[index] = successor
                    services[index].identity = identity
                }
            }
            table.apply(ruleset.update(to: services))
            var fresh = TableModel()
            fresh.apply(ruleset.installation)
            try #require(table == fresh, "seed \(seed): \(table.refusals)")
            try #require(table.refusals.isEmpty, "seed \(seed)")
            for service in services where ruleset.omissions[service.identity] == nil {
                try expectServed(service, in: table)
            }
        }
    }

    /// Every usable endpoint of a Service under policy Cluster is in exactly one of its slots.
    private func expectServed(_ service: ServiceChain, in table: TableModel) throws {
        for family in IPAddress.Family.allCases
        where service.externalPolicy == .cluster
            && service.frontends.contains(where: { $0.family == family })
        {
            let chain = "cluster\(family.rawValue)/\(service.identity)"
            let found = Set(table.destinations(of: chain))
            let endpoints = service.endpoints.filter { $0.address.family == family }
            let wanted = Set(
                endpoints.map { SetElement.Value.destination($0.address, port: $0.port) })
            try #require(found == wanted)
            if service.choice != .consistent {
                try #require(table.destinations(of: chain).count == wanted.count)
            }
        }
    }

    private func service(_ random: inout SplitMix) throws -> ServiceChain {
        let v4 = try Example.address("198.18.0.0")
        let v6 = try Example.address("2001:db8::")
        let some = { (address: IPAddress, count: Int, random: inout SplitMix) in
            address.advanced(by: UInt128(random.below(count))) ?? address
        }
        var frontends: [ServiceChain.Frontend] = []
        for base in [v4, v6] where random.below(4) > 0 {
            frontends.append(.loadBalancer(some(base, 5, &random), port: 80))
            frontends.append(.clusterIP(some(base, 5, &random), port: 80))
            frontends.append(.nodePort(base.family, port: UInt16(30_000 + random.below(5))))
        }
        let endpoints = (0..<random.below(9)).map { _ in
            ServiceChain.Endpoint(
                some([v4, v6][random.below(2)], 12, &random), port: UInt16(80 + random.below(2)),
                isLocal: random.below(2) == 0)
        }
        var service = Example.service(
            "s\(random.below(12))", frontends: frontends, endpoints: endpoints)
        if random.below(4) == 0 { service.externalPolicy = .local }
        if random.below(4) == 0 { service.internalPolicy = .local }
        if random.below(4) == 0 { service.affinity = .clientAddress(seconds: 600) }
        if random.below(6) == 0 { service.choice = .consistent }
        if random.below(4) == 0 { service.sourceRanges = [try #require(Prefix("192.0.2.0/24"))] }
        return service
    }
}

/// A small generator of numbers that a seed repeats exactly.
struct SplitMix {
    var state: UInt64

    mutating func below(_ bound: Int) -> Int {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return Int((mixed ^ (mixed >> 31)) % UInt64(bound))
    }
}
