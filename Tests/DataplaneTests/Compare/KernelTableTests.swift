import Dataplane
import NetworkTypes
import Testing

@Suite struct KernelTableTests {
    private func answers() throws -> KernelAnswers {
        var web = try Example.web()
        web.affinity = .clientAddress(seconds: 60)
        web.frontends.append(.loadBalancer(try Example.address("2001:db8::10"), port: 80))
        web.endpoints.append(
            .init(try Example.address("2001:db8:1::1"), port: 8080, isLocal: true))
        web.sourceRanges = [try #require(Prefix("198.51.100.0/24"))]
        var ruleset = Ruleset(options: .init(counters: .traffic))
        _ = ruleset.update(to: [web])
        return KernelAnswers(ruleset)
    }

    @Test("every answer, cut short at every place, is read without harm")
    func truncations() throws {
        let answers = try answers()
        let whole = answers.table
        for (index, message) in answers.messages.enumerated() {
            for length in 0..<message.payload.count {
                // Beside the whole table, so that the sets are known.
                var table = whole
                table.read(
                    type: message.type, payload: Array(message.payload.prefix(length)).span)
                #expect(table.isPresent, "message \(index), \(length) bytes")
            }
        }
    }

    @Test("every answer with any one byte changed is read without harm")
    func changedBytes() throws {
        let answers = try answers()
        let whole = answers.table
        var read = 0
        for message in answers.messages {
            for place in message.payload.indices {
                for change in [UInt8(0x01), 0x80, 0xff] {
                    var payload = message.payload
                    payload[place] ^= change
                    var table = whole
                    table.read(type: message.type, payload: payload.span)
                    if table.isPresent { read += 1 }
                }
            }
        }
        #expect(read > 0)
    }

    @Test("elements and slots that a ruleset wrote are read as it wrote them")
    func elements() throws {
        var web = try Example.web()
        web.choice = .consistent
        var ruleset = Ruleset()
        _ = ruleset.update(to: [web])
        let table = KernelAnswers(ruleset).table
        let written = ruleset.installation.addedElements
        #expect(table.elements.count == written.count)
        #expect(written.allSatisfy { table.elements[$0.key] == $0.value })
        #expect(table.adoption.runs["cluster4/default/web/http/tcp"]?.count == 1_024)
        #expect(table.adoption.shards == [.ipv4])
    }
}
