import NetworkTypes
import Testing

@testable import Dataplane

@Suite struct TableComparisonTests {
    private func ruleset(
        _ services: [ServiceChain], _ options: Ruleset.Options = .init(),
        adopting: Ruleset.Adoption = .init()
    ) -> Ruleset {
        var ruleset = Ruleset(options: options, adopting: adopting)
        _ = ruleset.update(to: services)
        return ruleset
    }

    /// Services in both families with all that a chain can have, as many as asked for.
    private func services(_ numbers: some Sequence<Int>) throws -> [ServiceChain] {
        let first4 = try Example.address("192.0.2.0")
        let first6 = try Example.address("2001:db8::")
        return numbers.map { number in
            let host = UInt128(number % 200)
            let addresses = [first4, first6].map { $0.advanced(by: host) ?? $0 }
            var frontends = addresses.map { ServiceChain.Frontend.loadBalancer($0, port: 80) }
            for family in IPAddress.Family.allCases {
                frontends.append(.nodePort(family, port: UInt16(30_000 + number)))
            }
            var endpoints: [ServiceChain.Endpoint] = []
            for index in 0..<(number % 4) {
                for address in addresses {
                    endpoints.append(
                        .init(
                            address.advanced(by: UInt128(1_000 + index)) ?? address,
                            port: UInt16(8_000 + index), isLocal: index == 0))
                }
            }
            var service = Example.service(
                "web\(number)", transport: number % 3 == 0 ? .udp : .tcp,
                frontends: frontends, endpoints: endpoints)
            if number % 5 == 0 { service.sourceRanges = [Prefix("192.0.2.0/25")].compactMap { $0 } }
            if number % 7 == 0 { service.affinity = .clientAddress(seconds: 60) }
            if number % 11 == 0 { service.externalPolicy = .local }
            return service
        }
    }

    @Test(
        "a table that is as it was made is right, whatever is counted",
        arguments: [Ruleset.Counters.none, .connections, .traffic])
    func right(counters: Ruleset.Counters) throws {
        let ruleset = ruleset(try services(0..<80), .init(counters: counters))
        let comparison = TableComparison(
            KernelAnswers(ruleset).table, with: ruleset)
        #expect(comparison.remedy == .none)
        #expect("\(comparison.findings)" == "nothing")
    }

    @Test("a Service whose node has more subnets of Pods than can be known is found right as well")
    func manySubnets() throws {
        let first = try Example.address("2001:db8::")
        var web = try Example.web()
        web.externalPolicy = .local
        web.frontends.append(.nodePort(.ipv6, port: 32_000))
        for index in 0..<200 {
            let network = first.advanced(by: UInt128(index) << 64) ?? first
            web.podSubnets.append(try #require(Prefix("\(network)/64")))
        }
        let ruleset = ruleset([web])
        let longest = ruleset.installation.addedChains.map(\.rules.count).max() ?? 0
        #expect(longest > Rule.maximumPodSubnets && longest < KernelTable.maximumRulesPerChain)
        #expect(TableComparison(KernelAnswers(ruleset).table, with: ruleset).remedy == .none)
    }

    @Test("a table of ours, however full, is not too large to be compared")
    func full() {
        #expect(KernelTable.maximumObjects > Ruleset.maximumElements)
        #expect(KernelTable.maximumObjects > Ruleset.maximumServicePorts * 12)
    }

    @Test("a table that is not there, or that other options made, is replaced")
    func replaced() throws {
        let whole = ruleset(try services(0..<4))
        guard
            case .replacement(let absent) = TableComparison(KernelTable(), with: whole).remedy,
            case .replacement(let other) = TableComparison(
                KernelAnswers(ruleset([], .init(counters: .traffic))).table,
                with: whole
            ).remedy
        else {
            Issue.record("not replaced")
            return
        }
        #expect(absent.contains("not there"))
        #expect(other.contains("options"))
    }

    @Test(
        "what repairs a table makes any table the one that is wanted, and the kernel takes it",
        arguments: 0..<20)
    func repaired(seed: Int) throws {
        // A table made by one process, and wanted by another that begins beside it.
        let former = ruleset(try services((0..<60).filter { ($0 &* 7 &+ seed) % 3 != 0 }))
        let kernel = KernelAnswers(former).table
        let wanted = try services((0..<60).filter { ($0 &* 5 &+ seed) % 4 != 0 })
        let next = ruleset(wanted, adopting: kernel.adoption)
        var model = TableModel()
        model.apply(former.installation)
        guard case .repair(let diff) = TableComparison(kernel, with: next).remedy else {
            Issue.record("nothing to repair")
            return
        }
        model.apply(diff)
        var target = TableModel()
        target.apply(next.installation)
        #expect(model.refusals.isEmpty)
        #expect(model.chains == target.chains)
        #expect(model.elements == target.elements)
        #expect(target.sets.isSubset(of: model.sets))
    }

    @Test("who begins beside a table that is right changes nothing, slots and all")
    func adopted() throws {
        var former = ruleset(try services(0..<60))
        // Changes leave slots where a table made at once would not have them.
        _ = former.update(to: try services(20..<80))
        _ = former.update(to: try services((0..<80).reversed()))
        let kernel = KernelAnswers(former).table
        let next = ruleset(try services(0..<80), adopting: kernel.adoption)
        #expect(TableComparison(kernel, with: next).remedy == .none)
    }

    @Test("a lost element, a lost rule, a lost chain and one of somebody else's: told and mended")
    func findings() throws {
        let web = try Example.web()
        let ruleset = ruleset([web])
        let whole = KernelAnswers(ruleset)
        let stranger = RuleChain("stranger", rules: [Rule.drop])
        var foreign = RulesetDiff()
        foreign.addedChains = [stranger]
        foreign.writtenChains = [stranger]
        foreign.addedElements = [
            SetElement(
                .frontend(try Example.address("198.51.100.9"), .tcp, port: 9), .goto("stranger"))
        ]
        var torn = whole.without { type, payload in
            type == Int(Nft.Message.newElements)
                && String(decoding: payload, as: UTF8.self).contains("endpoints4-0")
        }
        torn.messages += KernelAnswers(NftablesBatch(foreign)).messages
        let comparison = TableComparison(torn.table, with: ruleset)
        #expect(comparison.findings.missingElements == 2)
        #expect(comparison.findings.foreignElements == 1)
        #expect(comparison.findings.foreignObjects == 1)
        guard case .repair(let diff) = comparison.remedy else {
            Issue.record("not repaired")
            return
        }
        #expect(diff.removedChains == ["stranger"])
        #expect(diff.removedElements == foreign.addedElements)
        #expect(diff.addedElements.count == 2 && diff.writtenChains.isEmpty)

        let ruleless = whole.without { type, _ in type == Int(Nft.Message.newRule) }
        let rules = TableComparison(ruleless.table, with: ruleset)
        let ruled = ruleset.installation.addedChains.filter { !$0.rules.isEmpty }.count
        #expect(rules.findings.changedChains == ruled)

        let chainless = whole.without { type, payload in
            type != Int(Nft.Message.newTable)
                && String(decoding: payload, as: UTF8.self).contains("cluster4/")
        }
        let chains = TableComparison(chainless.table, with: ruleset)
        #expect(chains.findings.missingChains == 1)
        #expect(chains.findings.missingElements > 0)
    }

    @Test("a base chain that somebody made anew elsewhere means that the table is replaced")
    func moved() throws {
        let ruleset = ruleset([])
        var messages = KernelAnswers(ruleset)
        var moved = RulesetDiff()
        moved.addedChains = [RuleChain("prerouting", hook: .postrouting, rules: [])]
        messages.messages += KernelAnswers(NftablesBatch(moved)).messages
        guard
            case .replacement(let reason) = TableComparison(messages.table, with: ruleset).remedy
        else {
            Issue.record("not replaced")
            return
        }
        #expect(reason.contains("prerouting"))
    }

    @Test("answers of two moments are told from those of one")
    func torn() throws {
        let messages = KernelAnswers(ruleset([])).messages
        var table = KernelTable()
        for (index, message) in messages.enumerated() {
            var payload = message.payload
            if index == messages.count - 2 { payload[3] = 9 }
            table.read(type: message.type, payload: payload.span)
        }
        #expect(table.isTorn)
        #expect(!KernelAnswers(ruleset([])).table.isTorn)
    }

    @Test("messages of other tables say nothing of ours")
    func foreign() throws {
        var table = KernelTable()
        for message in KernelAnswers(ruleset([try Example.web()])).messages {
            var payload = message.payload
            // The table's name is the first attribute: "martlet" becomes "nartlet".
            if payload.count > 8 { payload[8] = UInt8(ascii: "n") }
            table.read(type: message.type, payload: payload.span)
        }
        #expect(!table.isPresent && table.readableSets.isEmpty && table.elements.isEmpty)
    }

    @Test("counters are read from both forms in which kernels tell them")
    func counters() throws {
        let key = SetElement.Key.slot(.ipv4, 3)
        var table = KernelTable(countersToo: true)
        for message in KernelAnswers(ruleset([try Example.web()])).messages
        where message.type & 0xff == Nft.Message.newSet {
            table.read(type: message.type, payload: message.payload.span)
        }
        for isList in [false, true] {
            let count: UInt64 = isList ? 7 : 5
            var writer = NetlinkWriter(capacity: 256)
            writer.append([Nft.inet, 0, 0, 0])
            writer.text(Nft.Elements.table, NftablesBatch.table)
            writer.text(Nft.Elements.set, "endpoints4-0")
            writer.nested(Nft.Elements.list) { list in
                list.nested(Nft.Elements.item) { item in
                    item.nested(Nft.Elements.key) {
                        $0.attribute(Nft.Data.value) { $0.host(UInt32(3)) }
                    }
                    item.nested(Nft.Elements.data) {
                        $0.attribute(Nft.Data.value) { $0.append([192, 0, 2, 9, 31, 144, 0, 0]) }
                    }
                    let counter = { (writer: inout NetlinkWriter) in
                        writer.text(1, "counter")
                        writer.nested(2) {
                            $0.attribute(1) { $0.network(count * 100) }
                            $0.attribute(2) { $0.network(count) }
                        }
                    }
                    if isList {
                        item.nested(11) { $0.nested(1, counter) }
                    } else {
                        item.nested(7, counter)
                    }
                }
            }
            table.read(type: 0x0a0c, payload: writer.bytes.span)
            #expect(table.counters[key] == ElementCounter(packets: count, bytes: count * 100))
        }
        let place = SetElement.Value.destination(try Example.address("192.0.2.9"), port: 8080)
        #expect(table.elements == [key: place])
    }
}
