import NetworkTypes
import Testing

@testable import Dataplane

@Suite struct RulesetTests {
    private func table(_ services: [ServiceChain]) -> TableModel {
        var ruleset = Ruleset()
        _ = ruleset.update(to: services)
        var table = TableModel()
        table.apply(ruleset.installation)
        #expect(table.refusals.isEmpty)
        return table
    }

    private func marks(_ rules: [Rule]?) -> Bool {
        (rules ?? []).joined().contains { if case .setMark = $0 { true } else { false } }
    }

    @Test(
        "policy Cluster: traffic from outside is marked for masquerade and reaches every endpoint")
    func cluster() throws {
        let table = table([try Example.web()])
        let key = SetElement.Key.frontend(
            try Example.address("203.0.113.10"), .tcp, port: 80)
        let entrance = try #require(table.entrance(key))
        #expect(marks(table.chains[entrance]))
        #expect(table.chains[entrance]?.last == [.verdict(.goto("cluster4/default/web/http/tcp"))])
        #expect(
            table.destinations(of: "cluster4/default/web/http/tcp") == [
                .destination(try Example.address("192.0.2.1"), port: 8080),
                .destination(try Example.address("192.0.2.2"), port: 8080),
            ])
        #expect(table.entrance(.nodePort(.ipv4, .tcp, port: 32000)) == entrance)
    }

    @Test("a cluster address is not masqueraded")
    func clusterIP() throws {
        let table = table([try Example.web()])
        let key = SetElement.Key.frontend(try Example.address("198.18.0.10"), .tcp, port: 80)
        let entrance = try #require(table.entrance(key))
        #expect(entrance == "cluster4/default/web/http/tcp")
        #expect(!marks(table.chains[entrance]))
    }

    @Test("policy Local keeps the client's address and reaches only this node's endpoints")
    func local() throws {
        var web = try Example.web()
        web.externalPolicy = .local
        let table = table([web])
        for key: SetElement.Key in [
            .frontend(try Example.address("203.0.113.10"), .tcp, port: 80),
            .nodePort(.ipv4, .tcp, port: 32000),
        ] {
            #expect(table.entrance(key) == "origin4/default/web/http/tcp")
        }
        let outside = try Example.address("198.51.100.7")
        for draw in 0..<8 as Range<UInt32> {
            var packet = PacketModel(from: outside, to: try Example.address("203.0.113.10"))
            packet.draw = draw
            #expect(
                packet.enter(table) == .sent(try Example.address("192.0.2.1"), port: 8080))
            #expect(!packet.isMarked)
        }
    }

    @Test("policy Local: what begins inside the cluster reaches all endpoints")
    func localFromInside() throws {
        var web = try Example.web()
        web.externalPolicy = .local
        web.podSubnets = [try #require(Prefix("198.18.1.0/24"))]
        let table = table([web])
        func reached(from source: String, onNode isFromNode: Bool) throws -> [Bool] {
            try (0..<8 as Range<UInt32>).map { draw in
                var packet = PacketModel(
                    from: try Example.address(source), to: try Example.address("203.0.113.10"))
                packet.draw = draw
                packet.isFromNode = isFromNode
                let outcome = packet.enter(table)
                #expect(packet.isMarked == isFromNode, "only the node's own leave masqueraded")
                return outcome == .sent(try Example.address("192.0.2.1"), port: 8080)
            }
        }
        for (source, isFromNode) in [("198.18.1.9", false), ("198.51.100.1", true)] {
            #expect(Set(try reached(from: source, onNode: isFromNode)) == [true, false])
        }
        #expect(
            Set(try reached(from: "198.18.2.9", onNode: false)) == [true], "not this node's Pod")
    }

    @Test(
        "policy Local with endpoints on other nodes only is silent, so that a retry may reach one")
    func localElsewhere() throws {
        var web = try Example.web()
        web.externalPolicy = .local
        web.endpoints.removeAll(where: \.isLocal)
        let table = table([web])
        #expect(table.chains["local4/default/web/http/tcp"] == [[.verdict(.drop)]])
    }

    @Test(
        "no endpoint: refused at once, TCP by a reset, the others by port unreachable",
        arguments: ServiceChain.Transport.allCases)
    func noEndpoints(transport: ServiceChain.Transport) throws {
        var web = try Example.web()
        web.endpoints = []
        web.identity = .init(
            namespace: "default", service: "web", port: "http", transport: transport)
        let rejection: RuleExpression.Rejection = transport == .tcp ? .tcpReset : .portUnreachable
        for policy in [ServiceChain.Policy.cluster, .local] {
            web.externalPolicy = policy
            let name = "\(policy)4/default/web/http/\(transport)"
            #expect(table([web]).chains[name] == [[.reject(rejection)]])
        }
    }

    @Test(
        "source ranges guard load balancer addresses and nothing else; ranges that touch are united"
    )
    func sourceRanges() throws {
        var web = try Example.web()
        web.sourceRanges = try ["198.51.100.128/25", "198.51.100.0/25", "2001:db8::/32"].map {
            try #require(Prefix($0))
        }
        let table = table([web])
        let key = SetElement.Key.frontend(try Example.address("203.0.113.10"), .tcp, port: 80)
        let guarded = try #require(table.entrance(key))
        let rule = try #require(table.chains[guarded]?.first)
        let range = try #require(AddressRange("198.51.100.0-198.51.100.255"))
        #expect(rule.contains(.isOutside(.init(0), [range])))
        #expect(rule.last == .verdict(.drop))
        #expect(
            table.entrance(.nodePort(.ipv4, .tcp, port: 32000)) == "external4/default/web/http/tcp")
    }

    @Test("source ranges of one family leave nobody of the other family in")
    func sourceRangesOfOneFamily() throws {
        var web = try Example.web()
        web.sourceRanges = [try #require(Prefix("2001:db8::/32"))]
        #expect(
            table([web]).chains["firewall4/default/web/http/tcp"]?.first == [.verdict(.drop)])
    }

    @Test("both families come from one description")
    func families() throws {
        var web = try Example.web()
        web.frontends.append(.loadBalancer(try Example.address("2001:db8::10"), port: 80))
        web.endpoints.append(.init(try Example.address("2001:db8:1::1"), port: 8080, isLocal: true))
        let table = table([web])
        let key = SetElement.Key.frontend(try Example.address("2001:db8::10"), .tcp, port: 80)
        #expect(table.entrance(key) == "external6/default/web/http/tcp")
        #expect(
            table.destinations(of: "cluster6/default/web/http/tcp") == [
                .destination(try Example.address("2001:db8:1::1"), port: 8080)
            ])
        #expect(table.destinations(of: "cluster4/default/web/http/tcp").count == 2)
    }

    @Test("TCP and UDP of one address and port lead to different Services")
    func sharedAddress() throws {
        let address = try Example.address("203.0.113.53")
        let services = [ServiceChain.Transport.tcp, .udp].map {
            Example.service(
                "dns-\($0)", transport: $0, frontends: [.loadBalancer(address, port: 53)])
        }
        let table = table(services)
        #expect(
            table.entrance(.frontend(address, .tcp, port: 53))
                == "external4/default/dns-tcp/http/tcp")
        #expect(
            table.entrance(.frontend(address, .udp, port: 53))
                == "external4/default/dns-udp/http/udp")
    }

    @Test("a port that two Services want stays with the first, and goes to the next when it leaves")
    func clash() throws {
        let address = try Example.address("203.0.113.10")
        let key = SetElement.Key.frontend(address, .tcp, port: 80)
        let first = Example.service("zebra", frontends: [.loadBalancer(address, port: 80)])
        let second = Example.service("ant", frontends: [.loadBalancer(address, port: 80)])
        var ruleset = Ruleset()
        var table = TableModel()
        table.apply(ruleset.installation)
        table.apply(ruleset.update(to: [first]))
        table.apply(ruleset.update(to: [first, second]))
        #expect(table.entrance(key) == "external4/default/zebra/http/tcp")
        #expect(
            ruleset.clashes == [
                key: .init(holder: "default/zebra/http/tcp", waiting: ["default/ant/http/tcp"])
            ])
        #expect("\(key)" == "203.0.113.10 port 80/tcp")
        // The holder's own change is no reason to lose it.
        var guarded = first
        guarded.sourceRanges = [try #require(Prefix("198.51.100.0/24"))]
        table.apply(ruleset.update(to: [guarded, second]))
        #expect(table.entrance(key) == "firewall4/default/zebra/http/tcp")
        table.apply(ruleset.update(to: [second]))
        #expect(table.entrance(key) == "external4/default/ant/http/tcp")
        #expect(ruleset.clashes.isEmpty)
        #expect(table.refusals.isEmpty)
    }

    @Test("a table holds so many elements; what would be more is left out and said")
    func elementBound() throws {
        let first = try Example.address("2001:db8::")
        // The consistent choice has 1,024 slots for each of these, whatever the endpoints.
        var services = (0..<2_100).map { number in
            Example.service(
                "web\(1_000 + number)",
                frontends: [.clusterIP(first.advanced(by: UInt128(number)) ?? first, port: 80)],
                endpoints: [.init(first, port: 80, isLocal: true)])
        }
        for index in services.indices { services[index].choice = .consistent }
        var ruleset = Ruleset()
        _ = ruleset.update(to: services)
        let kept = ruleset.installation.addedElements.count
        #expect(kept <= Ruleset.maximumElements && kept > Ruleset.maximumElements * 99 / 100)
        #expect(ruleset.count + ruleset.omissions.count == 2_100)
        let last = try #require(services.last)
        #expect(ruleset.omissions[last.identity] == .elements(1_028))
        // One that costs little has its place all the same, and so have all once there is room.
        let small = Example.service("zoo", frontends: [.nodePort(.ipv6, port: 30_000)])
        _ = ruleset.update(to: services + [small])
        #expect(ruleset.omissions[small.identity] == nil)
        _ = ruleset.update(to: Array(services[..<2_000]))
        #expect(ruleset.omissions.isEmpty && ruleset.count == 2_000)
        // A change of one Service is not let in beside the bound either.
        let rest = Dictionary(
            uniqueKeysWithValues: services[2_000...].map { ($0.identity.key, [$0]) })
        #expect(ruleset.update(only: rest) == nil)
    }

    @Test("a table remembers clients of so many chains; the others' go by a hash of their address")
    func affinityBound() throws {
        let backend = try Example.address("192.0.2.1")
        var services = (0..<1_100).map { number in
            Example.service(
                "web\(1_000 + number)",
                frontends: [.nodePort(.ipv4, port: UInt16(30_000 + number))],
                endpoints: [.init(backend, port: 80, isLocal: true)])
        }
        for index in services.indices { services[index].affinity = .clientAddress(seconds: 60) }
        var ruleset = Ruleset()
        _ = ruleset.update(to: services)
        let sets = ruleset.installation.addedSets
        #expect(sets.count(where: \.isDynamic) == Ruleset.maximumAffineChains)
        #expect(ruleset.count == 1_100 && ruleset.omissions.count == 76)
        #expect(Set(ruleset.omissions.values) == [.affinity])
        var table = TableModel()
        table.apply(ruleset.installation)
        #expect(table.refusals.isEmpty)
        let last = try #require(table.chains["cluster4/default/web2099/http/tcp"])
        let isHashed = last.joined().contains { if case .hash = $0 { true } else { false } }
        #expect(isHashed)
        // Once there is room for them, one by one, they are remembered.
        _ = ruleset.update(to: Array(services[..<1_024]))
        #expect(ruleset.omissions.isEmpty)
        #expect(ruleset.update(only: [services[1_024].identity.key: [services[1_024]]]) == nil)
        _ = ruleset.update(to: Array(services[..<1_023]))
        let diff = ruleset.update(only: [services[1_024].identity.key: [services[1_024]]])
        #expect(diff?.addedSets.count == 3)
    }

    @Test("a Service port has no more elements than it is reckoned with", arguments: [false, true])
    func reckoned(isAffine: Bool) throws {
        var web = try Example.web()
        web.frontends.append(.loadBalancer(try Example.address("2001:db8::10"), port: 80))
        web.endpoints.append(.init(try Example.address("2001:db8:1::1"), port: 8080, isLocal: true))
        if isAffine { web.affinity = .clientAddress(seconds: 60) }
        for choice in [ServiceChain.Choice.random, .consistent] {
            for policy in [ServiceChain.Policy.cluster, .local] {
                web.choice = choice
                web.externalPolicy = policy
                var ruleset = Ruleset(options: .init(counters: .traffic))
                _ = ruleset.update(to: [web])
                let elements = ruleset.installation.addedElements.count
                #expect(elements <= web.elementBound && elements >= web.elementBound * 3 / 4)
            }
        }
    }

    @Test("what does not fit the bounds is left out and said; the rest is there")
    func bounds() throws {
        let first = try Example.address("198.18.0.0")
        var big = try Example.web()
        big.endpoints = (0..<1_200).map {
            .init(first.advanced(by: UInt128($0)) ?? first, port: 80, isLocal: $0 >= 1_100)
        }
        var odd = try Example.web()
        odd.identity = .init(
            namespace: "default", service: "a\"b", port: "http", transport: .tcp)
        var ruleset = Ruleset()
        _ = ruleset.update(to: [odd, big, big])
        #expect(ruleset.omissions[odd.identity] == .unusableName)
        #expect(ruleset.omissions[big.identity] == .endpoints(200))
        #expect(ruleset.count == 1)
        var table = TableModel()
        table.apply(ruleset.installation)
        let destinations = table.destinations(of: "cluster4/default/web/http/tcp")
        #expect(destinations.count == 1_000)
        let last = try #require(first.advanced(by: 1_199))
        #expect(destinations.contains(.destination(last, port: 80)))
    }
}
