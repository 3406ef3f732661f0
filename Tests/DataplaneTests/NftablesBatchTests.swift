import Dataplane
import NetworkTypes
import Testing

@Suite struct NftablesBatchTests {
    private struct Message: Equatable {
        var type: Int
        var flags: Int
        var sequence: UInt32
        var body: [UInt8]
    }

    private func host(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        let ordered = UInt16(1).littleEndian == 1 ? Array(bytes.reversed()) : Array(bytes)
        return ordered.reduce(0) { $0 << 8 | UInt32($1) }
    }

    private func messages(_ bytes: [UInt8]) throws -> [Message] {
        var messages: [Message] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            let start = rest.startIndex
            try #require(rest.count >= 20)
            let length = Int(host(rest[start..<start + 4]))
            try #require(length >= 20 && length <= rest.count && length % 4 == 0)
            messages.append(
                Message(
                    type: Int(host(rest[start + 4..<start + 6])),
                    flags: Int(host(rest[start + 6..<start + 8])),
                    sequence: host(rest[start + 8..<start + 12]),
                    body: Array(rest[start + 16..<start + length])))
            rest = rest[(start + length)...]
        }
        return messages
    }

    @Test(
        "a transaction is one begin, the changes in order, and one end; only the last change asks")
    func shape() throws {
        var ruleset = Ruleset()
        _ = ruleset.update(to: [try Example.web()])
        let batch = NftablesBatch(ruleset.installation, firstSequence: 100)
        let messages = try messages(batch.bytes)
        #expect(messages.first?.type == 0x10 && messages.last?.type == 0x11)
        #expect(messages.map(\.sequence) == (100..<100 + UInt32(messages.count)).map { $0 })
        #expect(messages.map(\.flags).filter { $0 & 0x4 != 0 }.count == 1)
        let last = try #require(messages.first { $0.flags & 0x4 != 0 })
        #expect(last.sequence == batch.lastSequence)
        #expect(batch.nextSequence == (messages.last?.sequence ?? 0) + 1)
        // Made if need be, deleted, made: whatever was there is replaced within the transaction.
        #expect(messages[1...3].map(\.type) == [0x0a00, 0x0a02, 0x0a00])
    }

    @Test("a sequence number leads to the object that the message is about")
    func subjects() throws {
        var ruleset = Ruleset()
        _ = ruleset.update(to: [])
        let diff = ruleset.update(to: [try Example.web()])
        let batch = NftablesBatch(diff, firstSequence: UInt32.max - 1)
        #expect(batch.subject(of: UInt32.max - 1) == .transaction)
        #expect(batch.subject(of: .max) == .set("endpoints4-0"))
        #expect(batch.subject(of: 0) == .chain("cluster4/default/web/http/tcp"))
        #expect(batch.subject(of: 1) == .chain("external4/default/web/http/tcp"))
        #expect(batch.subject(of: 77) == .transaction)
    }

    @Test("removal makes the table before it deletes it, so that a missing table is no error")
    func removal() throws {
        let types = try messages(NftablesBatch.removal().bytes).map(\.type)
        #expect(types == [0x10, 0x0a00, 0x0a02, 0x11])
    }

    @Test("a thousand endpoints stay below what one attribute can hold")
    func large() throws {
        let first = try Example.address("2001:db8::")
        let service = Example.service(
            frontends: [.nodePort(.ipv6, port: 30_000)],
            endpoints: (0..<1_000).map {
                .init(first.advanced(by: UInt128($0)) ?? first, port: 80, isLocal: true)
            })
        var ruleset = Ruleset()
        let diff = ruleset.update(to: [service])
        let messages = try messages(NftablesBatch(diff).bytes)
        #expect(messages.allSatisfy { $0.body.count < 65_536 })
        #expect(messages.filter { $0.type == 0x0a0c }.count >= 8)
    }

    @Test("the longest names that are taken stay below what one attribute can hold")
    func longestNames() throws {
        let first = try Example.address("2001:db8::")
        let services = (0..<600).map { number in
            ServiceChain(
                identity: .init(
                    namespace: String(repeating: "n", count: 63),
                    service: String(repeating: "s", count: 120) + "-\(1_000 + number)",
                    port: String(repeating: "p", count: 12), transport: .sctp),
                frontends: [
                    .loadBalancer(first.advanced(by: UInt128(number)) ?? first, port: 80),
                    .nodePort(.ipv6, port: UInt16(30_000 + number)),
                ])
        }
        var ruleset = Ruleset()
        let diff = ruleset.update(to: services)
        #expect(ruleset.omissions.isEmpty && ruleset.count == 600)
        for batch in [diff, ruleset.installation, ruleset.update(to: [])] {
            let messages = try messages(NftablesBatch(batch).bytes)
            #expect(messages.allSatisfy { $0.body.count < 40_000 })
        }
    }

    @Test("one removed element, byte by byte as the kernel reads it")
    func vector() throws {
        var ruleset = Ruleset()
        let service = Example.service(
            frontends: [.clusterIP(try Example.address("192.0.2.1"), port: 80)])
        _ = ruleset.update(to: [service])
        let messages = try messages(NftablesBatch(ruleset.update(to: [])).bytes)
        let name = Array("frontends4".utf8)
        let deletion = try #require(
            messages.first { $0.type == 0x0a0e && $0.body[20...].starts(with: name) })
        let ascii = { (text: String) in Array(text.utf8) + [0] }
        let attribute = { (type: UInt16, value: [UInt8]) -> [UInt8] in
            let padding = [UInt8](repeating: 0, count: (4 - value.count % 4) % 4)
            return self.hostBytes(UInt16(value.count + 4)) + self.hostBytes(type) + value + padding
        }
        let key: [UInt8] = [192, 0, 2, 1, 6, 0, 0, 0, 0, 80, 0, 0]
        let verdict =
            attribute(1, [0xff, 0xff, 0xff, 0xfc])
            + attribute(2, ascii("cluster4/default/web/http/tcp"))
        let element =
            attribute(0x8001, attribute(1, key)) + attribute(0x8002, attribute(0x8002, verdict))
        let expected =
            [1, 0, 0, 0] + attribute(1, ascii("martlet")) + attribute(2, ascii("frontends4"))
            + attribute(0x8003, attribute(0x8001, element))
        #expect(deletion.body == expected)
    }

    private func hostBytes(_ value: UInt16) -> [UInt8] {
        let bytes = [UInt8(value >> 8), UInt8(truncatingIfNeeded: value)]
        return UInt16(1).littleEndian == 1 ? bytes.reversed() : bytes
    }
}
