import Dataplane
import NetworkTypes
import Testing

/// What becomes of a client's first packet.
@Suite struct RulesetWaysTests {
    private func table(
        _ services: [ServiceChain], _ options: Ruleset.Options = .init()
    ) -> TableModel {
        var ruleset = Ruleset(options: options)
        _ = ruleset.update(to: services)
        var table = TableModel()
        table.apply(ruleset.installation)
        #expect(table.refusals.isEmpty)
        return table
    }

    private func packet(_ destination: String, port: UInt16 = 80) throws -> PacketModel {
        let destination = try Example.address(destination)
        let client = destination.family == .ipv4 ? "198.51.100.7" : "2001:db8:c::7"
        return PacketModel(from: try Example.address(client), to: destination, port: port)
    }

    private func dual() throws -> ServiceChain {
        var web = try Example.web()
        web.frontends += [
            .loadBalancer(try Example.address("2001:db8::10"), port: 80),
            .clusterIP(try Example.address("2001:db8:5::10"), port: 80),
        ]
        web.endpoints.append(.init(try Example.address("2001:db8:1::1"), port: 8080, isLocal: true))
        return web
    }

    @Test("each address and port of a Service leads to an endpoint")
    func served() throws {
        let table = table([try dual()])
        for destination in ["203.0.113.10", "198.18.0.10", "2001:db8::10", "2001:db8:5::10"] {
            var packet = try packet(destination)
            let outcome = packet.enter(table)
            guard case .sent(_, port: 8080) = outcome else {
                Issue.record("\(destination): \(outcome)")
                continue
            }
        }
    }

    @Test("a port that no Service has is refused at once, by TCP reset or port unreachable")
    func unknownPort() throws {
        let table = table([try dual()])
        for destination in ["203.0.113.10", "198.18.0.10", "2001:db8::10", "2001:db8:5::10"] {
            for transport in ServiceChain.Transport.allCases {
                var packet = try packet(destination, port: 81)
                packet.transport = transport.rawValue
                let refusal: RuleExpression.Rejection =
                    transport == .tcp ? .tcpReset : .portUnreachable
                #expect(packet.enter(table) == .refused(refusal))
                // An address that the node has too serves the node's own ports.
                packet.isOwn = true
                #expect(packet.enter(table) == .untouched)
            }
        }
        var elsewhere = try packet("203.0.113.11")
        #expect(elsewhere.enter(table) == .untouched)
    }

    @Test("the node answers echo requests to a load balancer address, unless it is told not to")
    func ping() throws {
        for answers in [true, false] {
            let table = table([try dual()], .init(answersPing: answers))
            for (destination, transport, type) in [
                ("203.0.113.10", UInt8(1), UInt8(8)), ("2001:db8::10", 58, 128),
            ] {
                var packet = try packet(destination)
                packet.transport = transport
                packet.icmpType = type
                #expect(packet.enter(table) == (answers ? .answered : .untouched))
                packet.icmpType = 3
                #expect(packet.enter(table) == .untouched)
            }
            var inside = try packet("198.18.0.10")
            inside.transport = 1
            inside.icmpType = 8
            #expect(inside.enter(table) == .untouched)
        }
    }

    @Test("an external address serves the Service's ports; its other ports are its owner's")
    func externalIP() throws {
        var web = try Example.web()
        web.frontends = [.externalIP(try Example.address("203.0.113.99"), port: 80)]
        web.sourceRanges = [try #require(Prefix("192.0.2.0/24"))]
        let table = table([web])
        var packet = try packet("203.0.113.99")
        guard case .sent = packet.enter(table) else {
            Issue.record("not served")
            return
        }
        #expect(packet.isMarked)
        packet.port = 81
        #expect(packet.enter(table) == .untouched)
        packet.transport = 1
        packet.icmpType = 8
        #expect(packet.enter(table) == .untouched)
    }

    @Test("an address that is a load balancer's and an external one is restricted all the same")
    func externalAndLoadBalancer() throws {
        var web = try Example.web()
        let address = try Example.address("203.0.113.10")
        web.frontends = [.externalIP(address, port: 80), .loadBalancer(address, port: 80)]
        web.sourceRanges = [try #require(Prefix("192.0.2.0/24"))]
        var packet = try packet("203.0.113.10")
        let table = table([web], .init(counters: .traffic))
        #expect(packet.enter(table) == .dropped)
        packet.source = try Example.address("192.0.2.50")
        #expect(packet.enter(table) != .dropped)
    }

    @Test("each policy has its own endpoints: one that terminates here serves policy Local alone")
    func policies() throws {
        var web = try Example.web()
        let here = try Example.address("192.0.2.1")
        web.endpoints[0] = .init(here, port: 8080, isLocal: true, servesCluster: false)
        web.externalPolicy = .local
        let table = table([web])
        var packet = try packet("203.0.113.10")
        for draw in UInt32(0)..<4 {
            packet.draw = draw
            #expect(packet.enter(table) == .sent(here, port: 8080))
            var inside = try self.packet("198.18.0.10")
            inside.draw = draw
            #expect(inside.enter(table) == .sent(web.endpoints[1].address, port: 8080))
        }
    }

    @Test("nothing for policy Cluster is a refusal, even while policy Local still has something")
    func nothingForCluster() throws {
        var web = try Example.web()
        web.endpoints = [
            .init(try Example.address("192.0.2.1"), port: 8080, isLocal: true, servesCluster: false)
        ]
        var packet = try packet("203.0.113.10")
        #expect(packet.enter(table([web])) == .refused(.tcpReset))
    }

    @Test("an endpoint that is named twice gets no double share")
    func namedTwice() throws {
        var web = try Example.web()
        web.endpoints += web.endpoints.map {
            .init($0.address, port: $0.port, isLocal: !$0.isLocal)
        }
        #expect(table([web]).destinations(of: "cluster4/default/web/http/tcp").count == 2)
    }

    @Test("traffic is counted where the client sent it, and only when that is asked for")
    func traffic() throws {
        let address = try Example.address("203.0.113.10")
        let keys: [SetElement.Key] = [
            .traffic(address, .tcp, port: 80), .nodePortTraffic(.ipv4, .tcp, port: 32000),
        ]
        for counters in [Ruleset.Counters.none, .connections, .traffic] {
            let table = table([try Example.web()], .init(counters: counters))
            for key in keys {
                #expect((table.elements[key] != nil) == (counters == .traffic))
            }
            #expect((table.chains["count"] != nil) == (counters == .traffic))
        }
    }
}
