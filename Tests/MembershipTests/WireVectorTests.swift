import Membership
import NetworkTypes
import Testing

@Suite("What members say, on the wire")
struct WireVectorTests {
    static let nodeA = NodeID(name: "node-a")
    static let nodeB = NodeID(name: "node-b")
    static let nodeC = NodeID(name: "node-c")

    static let beat = Message.beat(
        Beat(
            sequence: 7, heardAge: 12, localHealth: 1, incarnation: 0x185d_2f1a_3b4c_5d6e,
            storeHash: 0x0123_4567_89ab_cdef))

    static let death = MemberNews(
        name: "node-b", endpoint: SocketAddress(IPAddress(ipv4: 0xc000_0202), port: 7481),
        incarnation: 5, state: .dead, cause: .silence, witness: nodeA)

    static let arrival = MemberNews(
        name: "node-c.example",
        endpoint: SocketAddress(
            IPAddress(family: .ipv6, bits: 0x2001_0db8 << 96 | 3), port: 7482),
        incarnation: 6, state: .alive, witness: nodeC)

    static let claim = Array("claim/".utf8) + [192, 0, 2, 10]

    static let vectors: [(String, [Message])] = [
        ("beat", [beat]),
        ("ping", [.ping(sequence: 0xffff_fffe)]),
        ("acknowledgement", [.acknowledgement(sequence: 0xffff_fffe, regards: .dead)]),
        ("inquiry", [.inquiry(about: nodeB, sequence: 3)]),
        (
            "testimony",
            [
                .testimony(
                    Testimony(
                        about: nodeB, sequence: 3, heardAge: 4, isHeard: true, hasSession: true))
            ]
        ),
        ("news", [.news([death, arrival])]),
        (
            "digest",
            [
                .digest(
                    Digest([
                        DigestEntry(node: nodeB, generation: 9, version: 1),
                        DigestEntry(node: nodeA, generation: 9, version: 2, target: 300),
                    ]), wantsReply: true)
            ]
        ),
        (
            "digest-empty-range",
            [
                .digest(
                    Digest([], first: NodeID(bits: 16), last: NodeID(bits: 255)),
                    wantsReply: false)
            ]
        ),
        (
            "delta",
            [
                .delta(
                    Delta(
                        node: nodeA, generation: 9, from: 3, through: 300, floor: 2,
                        entries: [
                            .init(key: claim, value: [0, 0, 0, 0, 0, 0, 0, 130], version: 4),
                            .init(key: Array("drain".utf8), value: [], version: 9),
                            .init(key: Array("interfaces".utf8), value: nil, version: 300),
                        ]))
            ]
        ),
        (
            "delta-without-entries",
            [
                .delta(
                    Delta(
                        node: nodeA, generation: 9, from: 3, through: 6, floor: 6, target: 600,
                        entries: []))
            ]
        ),
    ]

    @Test("A member's number follows from its name, and never changes")
    func frozenIdentifiers() {
        #expect(NodeID(name: "node-a").bits == 0x8299_5e46_723a_0e5f)
        #expect(NodeID(name: "node-b").bits == 0x7bb0_4e69_43b8_d85c)
        #expect(NodeID(name: "").bits == 0xf52a_15e9_a9b5_e89b)
    }

    @Test("A payload means what its bytes say and encodes to the same bytes", arguments: vectors)
    func bothWays(name: String, messages: [Message]) throws {
        let fixture = try WireFixture(name)
        #expect(try decode(fixture.bytes) == messages)
        #expect(DatagramCoder.encode(messages) == [fixture.bytes])
    }

    @Test("A message of a type that a later release added is passed over")
    func unknownType() throws {
        let fixture = try WireFixture("bundle")
        #expect(try decode(fixture.bytes) == [Self.beat, .news([Self.death])])
    }

    @Test("Every fixture is held to a meaning")
    func allCovered() throws {
        let names = try WireFixture.all().map(\.name)
        #expect(Set(names) == Set(Self.vectors.map(\.0) + ["bundle"]))
    }

    @Test(
        "A payload cut anywhere is refused, or is one of fewer messages",
        arguments: try WireFixture.all())
    func truncation(fixture: WireFixture) throws {
        let whole = try decode(fixture.bytes)
        for length in 0..<fixture.bytes.count {
            let cut = Array(fixture.bytes.prefix(length))
            do {
                let messages = try decode(cut)
                #expect(messages == Array(whole.prefix(messages.count)), "cut to \(length) bytes")
                #expect(
                    DatagramCoder.encode(messages).count <= 1, "cut to \(length) bytes")
            } catch {
                let isExpected =
                    switch error {
                    case .badSize(0): length == 0
                    case .truncated(let offset): offset <= length
                    // A list that ended early does not keep its promise.
                    case .malformed(.emptyList, _): true
                    default: false
                    }
                #expect(isExpected, "cut to \(length) bytes: \(error)")
            }
        }
    }

    @Test(
        "A payload with any byte changed is refused, or what it says now is said the same way",
        arguments: try WireFixture.all())
    func oneByteChanged(fixture: WireFixture) {
        var (refused, taken, unstable) = (0, 0, 0)
        for offset in fixture.bytes.indices {
            for change in UInt8(1)...255 {
                var payload = fixture.bytes
                payload[offset] ^= change
                switch Self.stability(of: payload) {
                case nil: refused += 1
                case true?: taken += 1
                case false?: unstable += 1
                }
            }
        }
        #expect(unstable == 0)
        #expect(refused + taken == fixture.bytes.count * 255)
        #expect(refused >= 255, "another version of the format is refused at least")
    }

    @Test("Random payloads are refused or can be said again, whatever they hold")
    func randomPayloads() {
        var random = StoreRandom(seed: 0x6d61_7274_6c65_7401)
        for _ in 0..<20_000 {
            var payload: [UInt8] = [1]
            while payload.count < 1_190, random.below(6) != 0 {
                let body = (0..<random.below(40)).map { _ in
                    UInt8(random.below(3) == 0 ? random.below(256) : random.below(9))
                }
                payload += [UInt8(random.below(10)), 0, UInt8(body.count)] + body
            }
            payload = Array(payload.prefix(DatagramCoder.maximumPayload))
            #expect(Self.stability(of: payload) != false, "\(payload)")
        }
    }

    /// Whether what a payload says is the same after having been said again; `nil` when refused.
    static func stability(of payload: [UInt8]) -> Bool? {
        guard let messages = try? decode(payload) else { return nil }
        let again = DatagramCoder.encode(messages)
        guard !messages.isEmpty else { return again.isEmpty }
        guard again.count == 1, again[0].count <= payload.count else { return false }
        return (try? decode(again[0])) == messages
    }
}
