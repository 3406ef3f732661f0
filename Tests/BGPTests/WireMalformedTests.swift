import BGP
import NetworkTypes
import Testing

/// What comes of a message with something wrong (RFC 4271 §6, RFC 7606 and what came after it).
@Suite("Malformed messages")
struct WireMalformedTests {
    @Test(
        "A malformed message costs what its standard says",
        arguments: try WireMalformedCase.all())
    func outcome(item: WireMalformedCase) throws {
        let decoded: BGPMessage?
        do {
            decoded = try decode(item.bytes, item.context)
        } catch {
            #expect(try item.notification == error.notification, "\(item.rule): \(error)")
            return
        }
        #expect(try item.notification == nil, "\(item.rule): the session goes on")
        guard item.outcome != "nothing" else {
            #expect(decoded == nil)
            return
        }
        guard case .update(let message) = decoded else {
            Issue.record("\(String(describing: decoded))")
            return
        }
        try judge(message, item)
    }

    private func judge(_ message: UpdateMessage, _ item: WireMalformedCase) throws {
        let route = [
            try prefix("198.51.100.0/24"), try prefix("2001:db8:64::/48"),
        ]
        let worst = message.faults.max { $0.approach < $1.approach }
        switch item.outcome {
        case "accept":
            #expect(message.faults.isEmpty)
            #expect(message.announced.count == 1 && route.contains(message.announced[0]))
            #expect(message.attributes.origin != nil && message.attributes.nextHop != nil)
            #expect(message.withdrawn.isEmpty)
        case "discard":
            #expect(worst?.approach == .attributeDiscard)
            #expect(message.announced.count == 1 && route.contains(message.announced[0]))
            #expect(message.withdrawn.isEmpty)
        case "withdraw":
            #expect(worst?.approach == .treatAsWithdraw)
            #expect(message.announced.isEmpty)
            #expect(message.attributes == PathAttributes())
            #expect(message.withdrawn.count == 1 && route.contains(message.withdrawn[0]))
        case "ignore":
            #expect(worst?.approach == .attributeDiscard)
            #expect(message.announced.isEmpty && message.withdrawn.isEmpty)
            #expect(message.endOfRIB == nil)
        case "discard-withdrawn":
            #expect(worst?.approach == .attributeDiscard)
            #expect(message.withdrawn == [route[0]])
        default: Issue.record("there is no outcome \(item.outcome)")
        }
        #expect(worst?.attribute == item.attribute, "\(message.faults)")
    }

    @Test("There is a case for every attribute that is known, and for every rule of RFC 7606")
    func coverage() throws {
        let cases = try WireMalformedCase.all()
        let known: Set<UInt8> = [
            1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 14, 15, 16, 17, 18, 22, 25, 32, 35, 128,
        ]
        #expect(Set(cases.compactMap(\.attribute)).isSuperset(of: known))
        let sections = Set(
            cases.map(\.rule).filter { $0.hasPrefix("RFC 7606") }.map {
                String($0.prefix { $0 != ":" }.split(separator: " ")[3...].joined(separator: " "))
            })
        #expect(
            sections.isSuperset(
                of: ["3 b", "3 c", "3 d", "3 g", "3 h", "3 i", "4", "5.2", "5.3"]
                    + [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 14, 15, 16].map { "7.\($0)" }))
        #expect(Set(cases.map(\.name)).count == cases.count, "two cases share a name")
    }

    @Test("A discarded attribute is not among those of the route")
    func discardedAttributes() throws {
        for item in try WireMalformedCase.all() where item.outcome == "discard" {
            let attributes = try decodeUpdate(item.bytes, item.context).attributes
            switch item.attribute {
            case 5: #expect(attributes.localPreference == nil, "\(item.name)")
            case 6: #expect(!attributes.isAtomicAggregate, "\(item.name)")
            case 7: #expect(attributes.aggregator == nil, "\(item.name)")
            case 9: #expect(attributes.originatorID == nil, "\(item.name)")
            case 10: #expect(attributes.clusterList.isEmpty, "\(item.name)")
            default: break
            }
            #expect(attributes.asPath?.first?.numbers == [64496], "\(item.name)")
        }
    }

    @Test("Of an attribute that comes twice, the first counts")
    func firstCounts() throws {
        let item = try #require(
            try WireMalformedCase.all().first { $0.name == "unknown-twice" })
        let attributes = try decodeUpdate(item.bytes, item.context).attributes
        #expect(attributes.unknown == [.init(flags: 0xc0, type: 99, value: [0x61])])
    }

    @Test("A message of a thousand bad attributes tells of a few, and of the worst outcome")
    func boundedFaults() throws {
        var list: [UInt8] = []
        for _ in 0..<1000 { list += [0xc0, 99, 0] }
        list += [0x40, 1, 1, 9]
        let body =
            [0, 0, UInt8(list.count >> 8), UInt8(list.count & 0xff)] + list + [24, 198, 51, 100]
        let length = 19 + body.count
        let header =
            [UInt8](repeating: 0xff, count: 16) + [UInt8(length >> 8), UInt8(length & 0xff), 2]
        let message = try decodeUpdate(header + body, WireFixture.context(""))
        #expect(message.faults.count <= 16)
        #expect(message.faults.contains { $0.attribute == 1 && $0.approach == .treatAsWithdraw })
        #expect(message.withdrawn == [try prefix("198.51.100.0/24")])
    }
}
