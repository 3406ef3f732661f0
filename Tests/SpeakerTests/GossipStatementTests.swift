import ClusterSource
import Membership
import NetworkTypes
import Testing

@testable import Speaker

@Suite("What speakers say to each other")
struct GossipStatementTests {
    private static let v4 = IPAddress(family: .ipv4, bits: 0xc000_020a)
    private static let v6 = IPAddress(family: .ipv6, bits: 0x2001_0db8 << 96 | 10)

    private static let statements: [GossipStatement] = [
        .claim(v4, epoch: 7), .claim(v6, epoch: .max), .drain,
        .interface(
            .init(
                name: "eth0", mac: MACAddress(bits: 0x0200_0000_0001),
                prefixes: ["192.0.2.0/24", "2001:db8::/64"].compactMap { Prefix($0) },
                isUsable: true)),
        .interface(.init(name: "bond0", mac: .zero, prefixes: [], isUsable: false)),
        .dispute(v6, node: "node-a", epoch: 3), .unserving(v4), .unserving(v6),
        .request(1, .drain(node: "node-b")), .request(2, .undrain(node: "node-b")),
        .request(3, .move(v4, to: "node-c")), .answer(4, .done("it is so")),
        .answer(5, .refused("it is cordoned")),
    ]

    @Test("every statement is read as it was written", arguments: statements)
    func roundTrip(statement: GossipStatement) {
        #expect(
            GossipStatement(key: statement.subject.key, value: statement.value) == statement)
        #expect(GossipSubject(key: statement.subject.key) == statement.subject)
        #expect(statement.subject.key.count <= 64)
        #expect(statement.value.count <= 1_024)
    }

    @Test("statements cut anywhere, or of an unknown kind, are passed over", arguments: statements)
    func truncated(statement: GossipStatement) {
        let key = statement.subject.key
        for count in 0..<key.count {
            let cut = Array(key.prefix(count))
            #expect(GossipSubject(key: cut) != statement.subject)
        }
        let value = statement.value
        for count in 0..<value.count {
            let read = GossipStatement(key: key, value: Array(value.prefix(count)))
            // What is cut may make sense, as an interface of fewer prefixes does, but not the same.
            #expect(read != statement)
        }
        #expect(GossipSubject(key: [0x7a] + key.dropFirst()) == nil)
    }

    @Test("an interface of many prefixes is cut to what fits")
    func manyPrefixes() throws {
        let prefixes = (0..<200).compactMap {
            Prefix(IPAddress(family: .ipv6, bits: UInt128($0) << 64), length: 64)
        }
        let value = GossipStatement.interface(
            .init(name: "eth0", mac: .zero, prefixes: prefixes, isUsable: true)
        ).value
        #expect(value.count <= 1_024)
        let read = try #require(
            GossipStatement(key: GossipSubject.interface("eth0").key, value: value))
        guard case .interface(let interface) = read else {
            Issue.record("not an interface")
            return
        }
        #expect(interface.prefixes == Array(prefixes.prefix(48)))
    }

    @Test("a member's entries add up to what it says, and deletions take it back")
    func member() {
        var member = LiveMember(state: .alive)
        for statement in Self.statements {
            let isTaken = member.take(statement.subject.key, statement.value)
            #expect(isTaken)
        }
        #expect(member.claims == [Self.v4: 7, Self.v6: .max])
        #expect(member.isDraining)
        #expect(Set(member.interfaces.keys) == ["eth0", "bond0"])
        #expect(member.disputes[Self.v6] == .init(node: "node-a", epoch: 3))
        #expect(member.unserving == [Self.v4, Self.v6])
        #expect(member.requests.count == 3)
        #expect(member.answers[5] == .refused("it is cordoned"))
        for statement in Self.statements {
            let isTaken = member.take(statement.subject.key, nil)
            #expect(isTaken)
        }
        #expect(member == LiveMember(state: .alive))
        let isUnknownTaken = member.take([0xff], [1])
        #expect(!isUnknownTaken)
    }
}
