import Membership
import NetworkTypes
import Testing

@Suite("Messages larger than a payload")
struct WireSplittingTests {
    private func decoded(_ payloads: [[UInt8]]) throws -> [Message] {
        try payloads.flatMap { payload in
            #expect(payload.count <= DatagramCoder.maximumPayload)
            return try decode(payload)
        }
    }

    @Test("News of many members come in parts, in order, none twice")
    func news() throws {
        let news = (1...500).map { number in
            MemberNews(
                name: "node-\(number)",
                endpoint: SocketAddress(IPAddress(ipv4: 0xc612_0000 + UInt32(number)), port: 7481),
                incarnation: UInt64(number), state: .alive, witness: NodeID(bits: 1))
        }
        let payloads = DatagramCoder.encode([.news(news)])
        var found: [MemberNews] = []
        for case .news(let part) in try decoded(payloads) { found += part }
        #expect(found == news)
        #expect(payloads.dropLast().allSatisfy { $0.count > 1_100 }, "payloads are filled")
    }

    @Test("The parts of a digest cover its range without gap or overlap")
    func digest() throws {
        let whole = Digest(
            (1...1_000).map {
                DigestEntry(
                    node: NodeID(bits: UInt64($0) << 50), generation: 7, version: UInt64($0))
            })
        let payloads = DatagramCoder.encode([.digest(whole, wantsReply: true)])
        var entries: [DigestEntry] = []
        var next: NodeID? = whole.first
        for message in try decoded(payloads) {
            guard case .digest(let part, wantsReply: true) = message else {
                Issue.record("\(message)")
                continue
            }
            #expect(part.first == next)
            next = part.last.bits == .max ? nil : NodeID(bits: part.last.bits + 1)
            entries += part.entries
        }
        #expect(next == nil, "the last part reaches the end of the range")
        #expect(entries == whole.entries)
        #expect(payloads.count < 20)
    }

    @Test("A digest of a member with the highest number of all is whole in one part")
    func highestNumber() throws {
        let digest = Digest([DigestEntry(node: NodeID(bits: .max), generation: 1, version: 1)])
        #expect(
            try decoded(DatagramCoder.encode([.digest(digest, wantsReply: false)]))
                == [.digest(digest, wantsReply: false)])
    }

    @Test("Each part of a delta begins where the one before ended")
    func delta() throws {
        let entries = (1...2_000).map { number in
            Delta.Entry(
                key: Array("claim/\(number)".utf8), value: [UInt8(number & 0xff)],
                version: UInt64(number) * 3)
        }
        let whole = Delta(
            node: NodeID(bits: 5), generation: 7, from: 2, through: 7_000, floor: 6_900,
            target: 8_000,
            entries: entries)
        let payloads = DatagramCoder.encode([.delta(whole)])
        var found: [Delta.Entry] = []
        var version: UInt64 = 2
        for case .delta(let part) in try decoded(payloads) {
            #expect(part.from == version)
            #expect((part.node, part.generation) == (whole.node, 7))
            #expect((part.floor, part.target) == (6_900, 8_000))
            version = part.through
            found += part.entries
        }
        #expect(version == 7_000)
        #expect(found == entries)
        #expect(payloads.dropLast().allSatisfy { $0.count > 1_100 }, "payloads are filled")
    }

    @Test("The longest entry and the longest name go over the wire")
    func longest() throws {
        let entry = Delta.Entry(
            key: Array(repeating: 0xff, count: Delta.Entry.maximumKey),
            value: Array(repeating: 0xff, count: Delta.Entry.maximumValue), version: .max)
        let delta = Delta(
            node: NodeID(bits: .max), generation: .max, from: 0, through: .max, floor: .max,
            target: .max, entries: [entry])
        let news = MemberNews(
            name: String(repeating: "a", count: NodeName.maximumLength),
            endpoint: SocketAddress(.unspecifiedIPv6, port: 1), incarnation: .max, state: .left,
            cause: .deaf, witness: NodeID(bits: .max))
        let messages: [Message] = [.news([news]), .delta(delta), .news([news])]
        #expect(try decoded(DatagramCoder.encode(messages)) == messages)
    }

    @Test("Small messages share a payload; one that does not fit begins the next")
    func sharing() throws {
        let messages = (1...400).map { Message.ping(sequence: $0) }
        var packer = DatagramCoder.Packer()
        #expect(packer.finish() == nil, "nothing said, nothing sent")
        var payloads = messages.flatMap { packer.add($0) }
        payloads += packer.finish().map { [$0] } ?? []
        #expect(packer.finish() == nil, "everything is sent once")
        #expect(payloads.count == 3, "171 pings of 7 bytes fit into a payload")
        #expect(try decoded(payloads) == messages)
        #expect(DatagramCoder.encode([.news([])]).isEmpty)
    }
}
