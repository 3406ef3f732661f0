import NetworkTypes
import Testing

@testable import Dataplane

@Suite struct RulesetAffinityTests {
    private let chain = "cluster4/default/web/http/tcp"
    private var map: NamedSet { .affinity(.ipv4, chain: chain) }

    private func affine(
        _ count: Int = 4, seconds: UInt32 = 600, choice: ServiceChain.Choice = .random
    ) throws -> ServiceChain {
        var web = try Example.web()
        let first = try Example.address("192.0.2.1")
        web.affinity = .clientAddress(seconds: seconds)
        web.choice = choice
        web.endpoints = try (0..<count).map {
            .init(try #require(first.advanced(by: UInt128($0))), port: 8080, isLocal: false)
        }
        return web
    }

    private func packet(draw: UInt32, client: String = "198.51.100.7") throws -> PacketModel {
        var packet = PacketModel(
            from: try Example.address(client), to: try Example.address("203.0.113.10"))
        packet.draw = draw
        return packet
    }

    @Test(
        "a client stays with its endpoint while that serves, and goes to another when it does not",
        arguments: [ServiceChain.Choice.random, .sourceHash, .consistent])
    func stays(choice: ServiceChain.Choice) throws {
        var web = try affine(choice: choice)
        var ruleset = Ruleset()
        var table = TableModel()
        table.apply(ruleset.installation)
        table.apply(ruleset.update(to: [web]))
        var memory = ClientMemory()
        var first = try packet(draw: 1)
        guard case .sent(let endpoint, port: 8080) = first.enter("prerouting", table, &memory)
        else {
            Issue.record("not served")
            return
        }
        #expect(memory.seconds[map] == 600)
        // Whatever it would draw now, and however the others change.
        for draw in UInt32(0)..<8 {
            var next = try packet(draw: draw)
            #expect(next.enter("prerouting", table, &memory) == .sent(endpoint, port: 8080))
            if let index = web.endpoints.firstIndex(where: { $0.address != endpoint }) {
                web.endpoints.remove(at: index)
                web.endpoints.append(
                    .init(
                        try Example.address("192.0.2.\(100 + draw)"), port: 8080, isLocal: false))
                table.apply(ruleset.update(to: [web]))
            }
        }
        web.endpoints.removeAll { $0.address == endpoint }
        table.apply(ruleset.update(to: [web]))
        var later = try packet(draw: 2)
        guard case .sent(let other, port: 8080) = later.enter("prerouting", table, &memory) else {
            Issue.record("not served")
            return
        }
        #expect(other != endpoint)
        // It is bound to the new one, also when the old one is back.
        web.endpoints.append(.init(endpoint, port: 8080, isLocal: false))
        table.apply(ruleset.update(to: [web]))
        for draw in UInt32(0)..<4 {
            var next = try packet(draw: draw)
            #expect(next.enter("prerouting", table, &memory) == .sent(other, port: 8080))
        }
        #expect(table.refusals.isEmpty)
    }

    @Test("when no more clients can be remembered, they are served all the same")
    func full() throws {
        var ruleset = Ruleset()
        _ = ruleset.update(to: [try affine()])
        var table = TableModel()
        table.apply(ruleset.installation)
        var memory = ClientMemory()
        memory.limit = 1
        for client in 1...5 {
            var packet = try packet(draw: UInt32(client), client: "198.51.100.\(client)")
            guard case .sent(_, port: 8080) = packet.enter("prerouting", table, &memory) else {
                Issue.record("client \(client) is not served")
                continue
            }
        }
        #expect(memory.clients[map]?.count == 1)
    }

    @Test("another timeout, or another endpoint, leaves the clients that are remembered alone")
    func kept() throws {
        var ruleset = Ruleset()
        _ = ruleset.update(to: [try affine()])
        for change in [try affine(seconds: 60), try affine(3, seconds: 60), try affine(9)] {
            let diff = ruleset.update(to: [change])
            #expect(diff.addedSets.allSatisfy { !$0.isDynamic } && diff.removedSets.isEmpty)
            #expect(!diff.isEmpty)
        }
    }

    @Test("the map of clients comes and goes with affinity")
    func comesAndGoes() throws {
        var ruleset = Ruleset()
        var table = TableModel()
        table.apply(ruleset.installation)
        table.apply(ruleset.update(to: [try affine()]))
        #expect(table.sets.contains(map))
        var web = try affine()
        web.affinity = .none
        table.apply(ruleset.update(to: [web]))
        #expect(!table.sets.contains(map))
        table.apply(ruleset.update(to: [try affine()]))
        table.apply(ruleset.update(to: []))
        #expect(!table.sets.contains(map))
        #expect(table.refusals.isEmpty)
    }

    @Test("an endpoint that another replaces is three elements, no chain and no rule")
    func elements() throws {
        var web = try affine(4)
        var ruleset = Ruleset()
        _ = ruleset.update(to: [web])
        web.endpoints[3] = .init(
            try Example.address("192.0.2.99"), port: 8080, isLocal: false)
        let diff = ruleset.update(to: [web])
        // Its slot, its hairpin, and where its number leads.
        #expect(diff.removedElements.count == 3 && diff.addedElements.count == 3)
        #expect(diff.removedChains.isEmpty && diff.writtenChains.isEmpty)
    }

    @Test(
        "the packet mark goes through the rules as it came, whoever set it",
        arguments: [UInt32(0), 1, 0x4000, 0x2000, 0xffff_ffff])
    func markIsGivenBack(mark: UInt32) throws {
        var web = try affine()
        // Nobody adds a bit of our own to it either.
        web.externalPolicy = .local
        web.endpoints = web.endpoints.map { .init($0.address, port: $0.port, isLocal: true) }
        var ruleset = Ruleset()
        var table = TableModel()
        table.apply(ruleset.installation)
        table.apply(ruleset.update(to: [web]))
        var memory = ClientMemory()
        memory.limit = 1
        // Bound, found again, bound to one that is gone, and one too many to be remembered.
        for client in ["198.51.100.7", "198.51.100.7", "198.51.100.8", "198.51.100.7"] {
            var packet = try packet(draw: 1, client: client)
            packet.mark = mark
            guard case .sent(let endpoint, _) = packet.enter("prerouting", table, &memory) else {
                Issue.record("not served")
                return
            }
            #expect(packet.mark == mark)
            guard client == "198.51.100.8" else { continue }
            web.endpoints.removeAll { $0.address == endpoint }
            table.apply(ruleset.update(to: [web]))
        }
        #expect(memory.clients.values.first?.count == 1)
    }

    @Test("endpoints that want one number get different ones, and the rest keep theirs")
    func numbers() throws {
        #expect(EndpointNumbers.assign([7, 9, 7, 7, 8]) == [7, 9, 8, 10, 11])
        #expect(EndpointNumbers.assign([.max, .max]) == [.max, 0])
        let endpoints = try affine(200).endpoints
        let numbers = EndpointNumbers.assign(endpoints)
        #expect(Set(numbers).count == 200)
        var fewer = endpoints
        fewer.remove(at: 50)
        var kept = numbers
        kept.remove(at: 50)
        #expect(EndpointNumbers.assign(fewer) == kept)
    }

    @Test("without affinity the choice is the die, or the source")
    func choices() throws {
        for choice in [ServiceChain.Choice.random, .sourceHash, .consistent] {
            var web = try affine(choice: choice)
            web.affinity = .none
            var ruleset = Ruleset()
            _ = ruleset.update(to: [web])
            let chain = ruleset.installation.writtenChains.first { $0.name == self.chain }
            let isRandom = try #require(chain).rules.joined().contains {
                if case .anyOf = $0 { true } else { false }
            }
            #expect(isRandom == (choice == .random))
        }
    }
}
