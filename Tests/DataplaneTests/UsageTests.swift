import NetworkTypes
import Testing

@testable import Dataplane

@Suite struct UsageTests {
    private func slots(_ ruleset: Ruleset) -> [SetElement] {
        ruleset.installation.addedElements.filter {
            if case .slot = $0.key { true } else { false }
        }
    }

    @Test("connections are counted by entrance and by endpoint, packets by entrance")
    func counts() throws {
        let web = try Example.web()
        var ruleset = Ruleset(options: .init(counters: .traffic))
        _ = ruleset.update(to: [web])
        let address = try Example.address("203.0.113.10")
        var counters: [SetElement.Key: ElementCounter] = [
            .frontend(address, .tcp, port: 80): .init(packets: 3, bytes: 180),
            .nodePort(.ipv4, .tcp, port: 32000): .init(packets: 4, bytes: 240),
            .traffic(address, .tcp, port: 80): .init(packets: 30, bytes: 9_000),
            .frontend(try Example.address("203.0.113.77"), .tcp, port: 80): .init(packets: 99),
        ]
        for element in slots(ruleset) {
            guard case .destination(web.endpoints[1].address, _) = element.value else { continue }
            counters[element.key] = .init(packets: 7)
        }
        let usage = try #require(ruleset.usage(of: counters)[web.identity])
        #expect(usage.connections == 7)
        #expect(usage.traffic == .init(packets: 30, bytes: 9_000))
        let byAddress = Dictionary(
            uniqueKeysWithValues: usage.endpoints.map { ($0.key.address, $0.value) })
        #expect(byAddress == [web.endpoints[0].address: 0, web.endpoints[1].address: 7])
    }

    @Test("clients that are bound to an endpoint count for it")
    func affinity() throws {
        var web = try Example.web()
        web.affinity = .clientAddress(seconds: 60)
        var ruleset = Ruleset()
        _ = ruleset.update(to: [web])
        var counters: [SetElement.Key: ElementCounter] = [:]
        for element in ruleset.installation.addedElements {
            switch element.key {
            case .living: counters[element.key] = .init(packets: 5)
            case .choice: counters[element.key] = .init(packets: 1)
            default: continue
            }
        }
        let usage = try #require(ruleset.usage(of: counters)[web.identity])
        #expect(Array(usage.endpoints.values) == [5, 5])
        #expect(slots(ruleset).isEmpty)
    }

    @Test("sums never fall, whatever elements come and go")
    func ledger() throws {
        var web = try Example.web()
        var ruleset = Ruleset()
        _ = ruleset.update(to: [web])
        var ledger = UsageLedger()
        let key = SetElement.Key.frontend(try Example.address("203.0.113.10"), .tcp, port: 80)
        func look(_ packets: UInt64, slot: UInt64) {
            var counters: [SetElement.Key: ElementCounter] = [key: .init(packets: packets)]
            for element in slots(ruleset) { counters[element.key] = .init(packets: slot) }
            ledger.add(counters, of: ruleset)
        }
        look(10, slot: 4)
        look(10, slot: 5)
        #expect(ledger.usages[web.identity]?.connections == 10)
        // The elements are made anew, and count from zero.
        look(2, slot: 1)
        #expect(ledger.usages[web.identity]?.connections == 12)
        #expect(ledger.usages[web.identity]?.endpoints.values.map(\.self) == [6, 6])
        // Another endpoint in the slot has its own sum, even if its element counts more.
        let newcomer = try Example.address("192.0.2.9")
        web.endpoints[1] = .init(newcomer, port: 8080, isLocal: false)
        _ = ruleset.update(to: [web])
        look(2, slot: 3)
        let endpoints = try #require(ledger.usages[web.identity]).endpoints
        #expect(endpoints.first { $0.key.address == newcomer }?.value == 3)
        #expect(endpoints.first { $0.key.address == web.endpoints[0].address }?.value == 8)
        #expect(endpoints.count == 2)
        _ = ruleset.update(to: [])
        ledger.add([:], of: ruleset)
        #expect(ledger.usages.isEmpty)
    }

    @Test("a look that broke off takes nothing away and counts nothing twice")
    func brokenOff() throws {
        let web = try Example.web()
        var ruleset = Ruleset()
        _ = ruleset.update(to: [web])
        let keys: [SetElement.Key] = [
            .frontend(try Example.address("203.0.113.10"), .tcp, port: 80),
            .nodePort(.ipv4, .tcp, port: 32000),
        ]
        var ledger = UsageLedger()
        func look(_ counts: [SetElement.Key: UInt64]) -> UInt64? {
            ledger.add(counts.mapValues { ElementCounter(packets: $0) }, of: ruleset)
            return ledger.usages[web.identity]?.connections
        }
        #expect(look([keys[0]: 10, keys[1]: 100]) == 110)
        #expect(look([keys[0]: 12]) == 112)
        #expect(look([:]) == 112)
        #expect(look([keys[0]: 12, keys[1]: 103]) == 115)
    }

    @Test("an entrance that two Services want counts for the one that has it")
    func clash() throws {
        let address = try Example.address("203.0.113.10")
        let services = ["ant", "bee"].map {
            Example.service($0, frontends: [.loadBalancer(address, port: 80)])
        }
        var ruleset = Ruleset(options: .init(counters: .traffic))
        _ = ruleset.update(to: [services[1]])
        _ = ruleset.update(to: services)
        let usages = ruleset.usage(of: [
            .frontend(address, .tcp, port: 80): .init(packets: 3),
            .traffic(address, .tcp, port: 80): .init(packets: 30, bytes: 300),
        ])
        #expect(usages[services[0].identity] == Ruleset.Usage())
        #expect(usages[services[1].identity]?.connections == 3)
        #expect(usages[services[1].identity]?.traffic.packets == 30)
    }
}
