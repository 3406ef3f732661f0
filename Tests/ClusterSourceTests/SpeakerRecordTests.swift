import ClusterSource
import Foundation
import Kubernetes
import NetworkTypes
import Testing

@Suite("What speakers leave in the state folder")
struct SpeakerRecordTests {
    private static let record = SpeakerRecord(
        node: "node-a",
        interfaces: [
            .init(
                name: "eth0", mac: MACAddress(bits: 0x0200_0000_0001),
                prefixes: ["192.0.2.0/24", "2001:db8::/64"].compactMap { Prefix($0) },
                isUsable: true)
        ],
        claims: [IPAddress(ipv4: 0xc000_020a): 7])

    @Test(
        "a record is read as it was published, with why the speaker hands over",
        arguments: [nil, SpeakerRecord.HandOver.drained, .stopping])
    func roundTrip(handOver: SpeakerRecord.HandOver?) async throws {
        let scratch = try Scratch()
        var record = Self.record
        record.handOver = handOver
        try await withSource(scratch) { source in
            try await source.state { _ in true }
            try await source.publish(record)
        }
        let state = try FolderSource.read(manifests: scratch.manifests, state: scratch.state)
        #expect(state.speakers == ["node-a": record])
    }

    @Test("a record from before there was hand-over is one of a speaker that does not")
    func olderRecord() throws {
        let scratch = try Scratch()
        try scratch.makeFolder("state/speakers")
        try scratch.write(
            """
            {"format": "martlet speaker", "version": 1, "node": "node-a", "interfaces": [],
             "claims": {"192.0.2.10": 7}, "serving": true}
            """, to: "state/speakers/node-a.json")
        let state = try FolderSource.read(manifests: scratch.manifests, state: scratch.state)
        #expect(state.speakers["node-a"]?.claims == Self.record.claims)
        #expect(state.speakers["node-a"]?.handOver == nil)
    }

    @Test("who follows is shown the pool figures that the leader writes, and nothing else changed")
    func figures() async throws {
        let scratch = try Scratch()
        try await withSource(scratch) { leader in
            try await leader.state { $0.isLeader }
            try await withSource(scratch, node: "node-b") { follower in
                try await follower.state { !$0.isLeader }
                try await leader.write([.pool("lan", PoolFigures(assignedIPv4: 4))])
                try await follower.state { $0.status.pools["lan"]?.assignedIPv4 == 4 }
                try await leader.write([.pool("lan", PoolFigures(assignedIPv4: 5))])
                let state = try await follower.state {
                    $0.status.pools["lan"]?.assignedIPv4 == 5
                }
                #expect(!state.isLeader)
            }
        }
    }

    @Test(
        "a node is named by a DNS subdomain, whose labels begin and end with a letter or digit",
        arguments: [
            ("node-a", true), ("a", true), ("1.example.com", true), ("a--b", true),
            ("", false), ("-a", false), ("a-", false), ("a..b", false), (".a", false),
            ("a.", false), ("a.-b", false), ("Node", false), ("a_b", false), ("a/b", false),
        ])
    func names(name: String, isValid: Bool) {
        #expect(SpeakerRecord.isValid(node: name) == isValid)
    }
}
