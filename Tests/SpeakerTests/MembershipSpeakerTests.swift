import ClusterSource
import LinuxNetwork
import Membership
import NetworkTypes
import SealedDatagrams
import Testing

@testable import Speaker

@Suite("Speakers that gossip, over real sockets")
struct MembershipSpeakerTests {
    private static let loopbacks = [
        IPAddress(family: .ipv4, bits: 0x7f00_0001), IPAddress(family: .ipv6, bits: 1),
    ]
    private static let address = IPAddress(family: .ipv4, bits: 0xc000_020a)
    private static let other = IPAddress(family: .ipv6, bits: 0x2001_0db8 << 96 | 10)
    private static let interface = SpeakerRecord.Interface(
        name: "eth0", mac: MACAddress(bits: 0x0200_0000_0001), prefixes: [], isUsable: true)

    private let scratch: ScratchFolder
    private let keys: MembershipSpeaker.KeySource

    init() throws {
        scratch = try ScratchFolder()
        keys = .file(path: try scratch.keys("gossip.keys"), isMadeIfMissing: false)
    }

    private func node(
        _ name: String, on loopback: IPAddress = loopbacks[0], join: [GossipingNode] = [],
        keys: MembershipSpeaker.KeySource? = nil
    ) throws -> GossipingNode {
        try GossipingNode(
            name, at: try GossipingNode.place(loopback), join: join.map(\.place),
            keys: keys ?? self.keys)
    }

    /// A pair that has found each other.
    private func pair(on loopback: IPAddress = loopbacks[0]) async throws -> (
        GossipingNode, GossipingNode
    ) {
        let first = try node("node-a", on: loopback)
        let second = try node("node-b", on: loopback, join: [first])
        try first.start()
        try second.start()
        #expect(try await first.sees("node-b", .alive))
        #expect(try await second.sees("node-a", .alive))
        return (first, second)
    }

    @Test("who joins is known to the others, and all may answer", arguments: loopbacks)
    func join(loopback: IPAddress) async throws {
        let first = try node("node-a", on: loopback)
        let second = try node("node-b", on: loopback, join: [first])
        let third = try node("node-c", on: loopback, join: [first])
        let all = [first, second, third]
        for node in all { try node.start() }
        for node in all {
            for other in all where other.name != node.name {
                #expect(try await node.sees(other.name, .alive))
            }
            #expect(try await comesTrue { node.permit.until > MonotonicClock.now() })
            let status = await node.membership.status()
            #expect(status?.isSealed == true)
            #expect(status?.isAuthorized == true)
        }
    }

    @Test("what one says the others hear, and that it is taken back", arguments: loopbacks)
    func statements(loopback: IPAddress) async throws {
        let (first, second) = try await pair(on: loopback)
        first.membership.spread(.drain)
        first.membership.spread(claims: [Self.address: 4, Self.other: 2])
        #expect(
            try await comesTrue {
                second.membership.members["node-a"].map {
                    $0.isDraining && $0.claims == [Self.address: 4, Self.other: 2]
                } == true
            })
        first.membership.withdraw(.drain)
        first.membership.spread(claims: [Self.address: nil])
        #expect(
            try await comesTrue {
                second.membership.members["node-a"].map {
                    !$0.isDraining && $0.claims == [Self.other: 2]
                } == true
            })
    }

    @Test("the first word is whole: nothing is said before, and all of it then")
    func firstWord() async throws {
        let first = try node("node-a")
        let second = try node("node-b", join: [first])
        try first.start()
        try second.start(saying: nil)
        second.membership.spread(claims: [Self.address: 4])
        #expect(try await first.sees("node-b", .alive))
        // What comes of the other way round shows that datagrams had time to pass.
        first.membership.spread(.drain)
        #expect(
            try await comesTrue { second.membership.members["node-a"]?.isDraining == true })
        #expect(first.membership.members["node-b"]?.claims.isEmpty == true)
        second.introduce([.interface(Self.interface)])
        #expect(
            try await comesTrue {
                let member = first.membership.members["node-b"]
                return member?.claims == [Self.address: 4]
                    && member?.interfaces == ["eth0": Self.interface]
            })
    }

    @Test("a process that starts again is known by what it says now, and not by what it said")
    func restart() async throws {
        let first = try node("node-a")
        let place = try GossipingNode.place(Self.loopbacks[0])
        let before = try GossipingNode("node-b", at: place, join: [first.place], keys: keys)
        try first.start()
        try before.start(saying: [.claim(Self.address, epoch: 3), .drain])
        #expect(
            try await comesTrue {
                first.membership.members["node-b"]?.claims == [Self.address: 3]
            })
        before.stop()
        #expect(try await first.sees("node-b", .dead))
        // The dead are remembered by what they claimed.
        #expect(first.membership.members["node-b"]?.claims == [Self.address: 3])
        let after = try GossipingNode("node-b", at: place, join: [first.place], keys: keys)
        try after.start(saying: [.claim(Self.other, epoch: 8)])
        #expect(try await first.sees("node-b", .alive))
        #expect(
            try await comesTrue {
                let member = first.membership.members["node-b"]
                return member?.claims == [Self.other: 8] && member?.isDraining == false
            })
    }

    @Test("a process that is gone is dead, and its host's kernel said so", arguments: loopbacks)
    func death(loopback: IPAddress) async throws {
        let (first, second) = try await pair(on: loopback)
        second.stop()
        #expect(try await first.sees("node-b", .dead))
        #expect(first.membership.members["node-b"]?.cause == .processGone)
    }

    @Test("who says goodbye has left, and was never taken for dead")
    func goodbye() async throws {
        let (first, second) = try await pair()
        second.membership.leave()
        #expect(try await first.sees("node-b", .left))
        second.stop()
        let wasDead = first.events.contains { event in
            if case .memberChanged(let change) = event { change.to == .dead } else { false }
        }
        #expect(!wasDead)
    }

    @Test("a node with another key is not let in, and both sides are told")
    func wrongKey() async throws {
        let (first, _) = try await pair()
        let foreign = MembershipSpeaker.KeySource.file(
            path: try scratch.keys("other.keys"), isMadeIfMissing: false)
        let stranger = try node("node-x", join: [first], keys: foreign)
        try stranger.start()
        let words = "a key that this node does not have"
        #expect(try await first.tellsOfTrouble(words))
        #expect(first.state(of: "node-x") == nil)
        #expect(
            try await comesTrue {
                await first.membership.status()?.refused["wrongKey"] ?? 0 > 0
            })
        #expect(stranger.membership.members.isEmpty)
    }

    @Test("two speakers of one name are noticed")
    func sameName() async throws {
        let (first, second) = try await pair()
        let twin = try node("node-b", join: [first])
        try twin.start()
        #expect(
            try await comesTrue {
                [first, second, twin].flatMap(\.events.all).contains { event in
                    if case .nameTaken(_, let remedy) = event {
                        remedy.contains("--node")
                    } else {
                        false
                    }
                }
            })
    }

    @Test("a key is replaced file by file, and nobody is taken for dead meanwhile")
    func rotation() async throws {
        let old = KeyRing.generate()
        let new = KeyRing.generate()
        let files = [try scratch.keys("a.keys", old), try scratch.keys("b.keys", old)]
        let first = try node("node-a", keys: .file(path: files[0], isMadeIfMissing: false))
        let second = try node(
            "node-b", join: [first], keys: .file(path: files[1], isMadeIfMissing: false))
        try await withThrowingTaskGroup(of: Void.self) { group in
            for node in [first, second] {
                try node.start()
                group.addTask { await node.membership.followKeys() }
            }
            #expect(try await first.sees("node-b", .alive))
            for (step, text) in [old + new, new + old, new].enumerated() {
                for (file, node) in zip(["a.keys", "b.keys"], [first, second]) {
                    _ = try scratch.keys(file, text)
                    // One after the other, as operators do it.
                    #expect(try await comesTrue { node.keyChanges > step })
                }
            }
            group.cancelAll()
        }
        second.membership.spread(.drain)
        #expect(
            try await comesTrue { first.membership.members["node-b"]?.isDraining == true })
        #expect(!first.hasDoubted)
        #expect(!second.hasDoubted)
    }

    @Test("a key file that is damaged later changes nothing but is told of")
    func damagedKeys() async throws {
        let path = try scratch.keys("a.keys")
        let first = try node("node-a", keys: .file(path: path, isMadeIfMissing: false))
        try first.start()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await first.membership.followKeys() }
            _ = try scratch.keys("a.keys", "no key at all\n")
            #expect(try await first.tellsOfTrouble("the keys in use stay"))
            group.cancelAll()
        }
        #expect(first.keyChanges == 0)
        #expect(await first.membership.status()?.isSealed == true)
    }

    @Test("the first key is made, in a folder that does not exist yet, for its owner only")
    func firstKey() async throws {
        let path = scratch.path + "/state/deep/gossip.keys"
        let first = try node("node-a", keys: .file(path: path, isMadeIfMissing: true))
        try first.start()
        #expect(try FileIdentity(path: path)?.permissions == 0o600)
        // The next one takes the same.
        let second = try node(
            "node-b", join: [first], keys: .file(path: path, isMadeIfMissing: true))
        try second.start()
        #expect(try await first.sees("node-b", .alive))
    }

    @Test("a name that can be no node's, and a port that is taken, are refused at the start")
    func refusals() throws {
        #expect(throws: SourceError.invalidNode("-a-")) { try node("-a-") }
        let first = try node("node-a")
        try first.start()
        let second = try GossipingNode("node-b", at: first.place, keys: keys)
        #expect(throws: SystemError.self) { try second.start() }
    }

    @Test("status after the end is nothing, and nobody waits for it")
    func statusAfterTheEnd() async throws {
        let (first, _) = try await pair()
        first.stop()
        #expect(await first.membership.status() == nil)
    }
}
