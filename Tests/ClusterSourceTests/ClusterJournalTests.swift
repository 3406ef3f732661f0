import Foundation
import Kubernetes
import LinuxNetwork
import NetworkTypes
import Testing

@testable import ClusterSource

@Suite("The cluster's last good state on disk")
struct ClusterJournalTests {
    private static let identity = "https://192.0.2.1:6443 11f7"
    private static let time = WallTime(nanosecondsSince1970: 1_767_323_045_000_000_000)

    /// A Service as the decoder of a source would give it.
    private static func change(
        _ name: String, _ version: Int = 1, selector: String = "web"
    ) throws -> ObjectMirror.Change {
        let decoder = ObjectDecoder(resource: .services, keepsText: true)
        let object = try decoder.object(
            Array(
                """
                {"apiVersion":"v1","kind":"Service","metadata":{"name":"\(name)",\
                "namespace":"shop","uid":"u-\(name)","resourceVersion":"\(version)"},\
                "spec":{"type":"LoadBalancer","clusterIPs":["198.51.100.7"],\
                "selector":{"app":"\(selector)"},"ports":[{"port":80,"protocol":"TCP"}]}}
                """.utf8))
        return (object.reference, object)
    }

    private static func reference(_ name: String) -> ManifestObject.Reference {
        .init(kind: "Service", name: ObjectName(namespace: "shop", name))
    }

    private static func store(_ scratch: Scratch, _ identity: String = identity) -> JournalStore {
        JournalStore(folder: scratch.state, identity: identity)
    }

    /// Writes a batch of its own, as a flush does.
    private static func write(
        _ changes: [ObjectMirror.Change], to store: JournalStore, version: String? = nil,
        at time: WallTime? = nil
    ) throws {
        var batch = JournalBatch()
        for (reference, object) in changes {
            if let text = object?.text {
                batch.put(reference, text)
            } else {
                batch.remove(reference)
            }
        }
        if let version { batch.versions["/api/v1/services"] = version }
        batch.confirmed = time
        try store.append(batch)
    }

    private static func restore(_ store: JournalStore) throws -> ClusterJournal.Content {
        try store.restore { $0 == "Service" ? ObjectDecoder(resource: .services) : nil }
    }

    private static func versions(_ content: ClusterJournal.Content) -> [String: String] {
        Dictionary(
            content.objects.map { ($0.reference.name.name, $0.resourceVersion) },
            uniquingKeysWith: { "\($0) and \($1)" })
    }

    private static func path(_ scratch: Scratch) -> String { scratch.state + "/cluster.journal" }

    @Test("what was written comes back: the last of each object, and when it was so")
    func roundTrip() throws {
        let scratch = try Scratch()
        do {
            let store = Self.store(scratch)
            #expect(try Self.restore(store).objects.isEmpty)
            try Self.write([try Self.change("web"), try Self.change("db")], to: store)
            try Self.write(
                [try Self.change("web", 7), (Self.reference("db"), nil), try Self.change("api")],
                to: store, version: "9", at: Self.time)
        }
        let content = try Self.restore(Self.store(scratch))
        #expect(Self.versions(content) == ["web": "7", "api": "1"])
        #expect(content.versions == ["/api/v1/services": "9"])
        #expect(content.confirmed == Self.time)
        #expect(content.lost == 0)
        let web = content.objects.first { $0.reference.name.name == "web" }
        guard case .service(let service)? = web?.value else {
            Issue.record("not a Service")
            return
        }
        #expect(service.ports.map(\.port) == [80])
        #expect(service.metadata.uid == "u-web")
    }

    @Test("only its owner reads it, because Secrets are in it")
    func permissions() throws {
        let scratch = try Scratch()
        try scratch.makeFolder("state")
        try scratch.write("", to: "state/cluster.journal")
        let store = Self.store(scratch)
        try Self.write([try Self.change("web")], to: store)
        #expect(try FileIdentity(path: Self.path(scratch))?.permissions == 0o600)
    }

    @Test("cut at any byte, it holds what was whole, and can be written on")
    func everyTruncation() throws {
        let scratch = try Scratch()
        var ends: [Int: [String: String]] = [:]
        do {
            let store = Self.store(scratch)
            var state: [String: String] = [:]
            ends[0] = state
            for (name, version) in [("web", 1), ("db", 2), ("web", 3), ("db", 0)] {
                let isGone = version == 0
                try Self.write(
                    isGone
                        ? [(Self.reference(name), nil)] : [try Self.change(name, version)],
                    to: store)
                state[name] = isGone ? nil : "\(version)"
                let size = try #require(try FileIdentity(path: Self.path(scratch))).size
                ends[Int(size)] = state
            }
        }
        let whole = try Data(contentsOf: URL(fileURLWithPath: Self.path(scratch)))
        for length in 0...whole.count {
            let expected = ends.filter { $0.key <= length }.max { $0.key < $1.key }?.value ?? [:]
            let scratch = try Self.folder(with: whole.prefix(length))
            let store = Self.store(scratch)
            #expect(Self.versions(try Self.restore(store)) == expected, "\(length) bytes")
            try Self.write([try Self.change("late", 8)], to: store)
            let content = try Self.restore(Self.store(scratch))
            #expect(Self.versions(content) == expected.merging(["late": "8"]) { $1 })
            #expect(content.lost == 0)
        }
    }

    /// A state folder of its own with a journal. Of its own, because a lock that was let go lives
    /// on in processes that other tests have forked.
    private static func folder(with journal: Data) throws -> Scratch {
        let scratch = try Scratch()
        try scratch.makeFolder("state")
        try journal.write(to: URL(fileURLWithPath: path(scratch)))
        return scratch
    }

    @Test("a damaged byte costs its own line and no other")
    func everyDamage() throws {
        let scratch = try Scratch()
        do {
            let store = Self.store(scratch)
            for name in ["web", "db", "api"] { try Self.write([try Self.change(name)], to: store) }
        }
        let whole = try Data(contentsOf: URL(fileURLWithPath: Self.path(scratch)))
        let header = try #require(whole.firstIndex(of: 0x0a)) + 1
        for index in header..<whole.count {
            var damaged = whole
            damaged[index] ^= 0x01
            try damaged.write(to: URL(fileURLWithPath: Self.path(scratch)))
            let found = Set(try Self.versions(Self.restore(Self.store(scratch))).keys)
            #expect(found.isSubset(of: ["web", "db", "api"]))
            // An end of line that is gone joins two lines, at the end of the file none.
            let isEnd = whole[index] == 0x0a
            #expect(found.count >= (isEnd ? 1 : 2), "byte \(index)")
        }
    }

    @Test("another cluster's journal is not taken for this one's, and is replaced")
    func otherCluster() throws {
        let first = try Scratch()
        try Self.write([try Self.change("web")], to: Self.store(first))
        let journal = try Data(contentsOf: URL(fileURLWithPath: Self.path(first)))
        let scratch = try Self.folder(with: journal)
        #expect(try Self.restore(Self.store(first)).objects.count == 1)
        let other = Self.store(scratch, "https://198.51.100.1:6443 \"x\"\n")
        #expect(try Self.restore(other).objects.isEmpty)
        try Self.write([try Self.change("db")], to: other)
        #expect(Self.versions(try Self.restore(other)) == ["db": "1"])
        #expect(try Self.restore(Self.store(scratch)).objects.isEmpty)
    }

    @Test("kinds that nobody reads any more, and texts that no decoder takes, are counted")
    func unreadable() throws {
        let scratch = try Scratch()
        let store = Self.store(scratch)
        var batch = JournalBatch()
        batch.put(.init(kind: "Widget", name: ObjectName("w")), Array("{}".utf8))
        batch.put(Self.reference("bad"), Array("{\"kind\":1".utf8))
        try store.append(batch)
        try Self.write([try Self.change("web")], to: store)
        let content = try Self.restore(store)
        #expect(Self.versions(content) == ["web": "1"])
        #expect(content.lost == 2)
    }

    @Test("a file of overtaken lines is written anew, and no larger than what counts")
    func compaction() throws {
        let scratch = try Scratch()
        do {
            let store = Self.store(scratch)
            try Self.write(
                try (0..<50).map { try Self.change("s\($0)") }, to: store, version: "1",
                at: Self.time)
            let noisy = try Self.change("noisy", selector: String(repeating: "x", count: 60_000))
            var sizes: [Int64] = []
            for _ in 0..<150 {
                try Self.write([noisy], to: store)
                sizes.append(try #require(try FileIdentity(path: Self.path(scratch))).size)
            }
            // 9 MB were written.
            #expect(sizes.allSatisfy { $0 < JournalStore.slack + 400_000 })
            #expect(sizes.min() ?? 0 < 200_000)
            #expect(zip(sizes, sizes.dropFirst()).contains { $1 < 200_000 && $0 > 1_000_000 })
        }
        let content = try Self.restore(Self.store(scratch))
        #expect(content.objects.count == 51)
        #expect(content.versions == ["/api/v1/services": "1"])
        #expect(content.confirmed == Self.time)
        #expect(try FileIdentity(path: Self.path(scratch) + ".new") == nil)
    }

    @Test("two processes on one folder: the second reads, does not write, and says so")
    func contest() throws {
        let scratch = try Scratch()
        let first = Self.store(scratch)
        try Self.write([try Self.change("web")], to: first)
        let second = Self.store(scratch)
        #expect(Self.versions(try Self.restore(second)) == ["web": "1"])
        try Self.write([try Self.change("db")], to: second)
        #expect(second.refusal?.contains("another process") == true)
        #expect(Self.versions(try Self.restore(first)) == ["web": "1"])
    }

    @Test("what is appended is on disk when the journal is closed")
    func thread() async throws {
        let scratch = try Scratch()
        do {
            let journal = try ClusterJournal(folder: scratch.state, identity: Self.identity)
            #expect(try journal.restore { _ in nil }.confirmed == nil)
            try journal.start()
            for version in 1...500 { journal.append([try Self.change("web", version)]) }
            journal.append([try Self.change("db"), (Self.reference("db"), nil)])
            journal.note(version: "500", of: "/api/v1/services")
            journal.confirm(at: Self.time)
            await journal.close()
            #expect(journal.trouble == nil)
        }
        let content = try Self.restore(Self.store(scratch))
        #expect(Self.versions(content) == ["web": "500"])
        #expect(content.versions == ["/api/v1/services": "500"])
        #expect(content.confirmed == Self.time)
    }

    @Test("a disk that refuses is told of, and what waited is written when it takes it again")
    func refusal() async throws {
        let scratch = try Scratch()
        // A folder in the file's place stands for any disk that says no.
        try scratch.makeFolder("state/cluster.journal")
        do {
            let journal = try ClusterJournal(folder: scratch.state, identity: Self.identity)
            try journal.start()
            journal.append([try Self.change("web")])
            #expect(try await Self.comesTrue { journal.trouble?.contains("not kept") == true })
            try scratch.remove("state/cluster.journal")
            journal.append([try Self.change("db")])
            await journal.close()
            #expect(journal.trouble == nil)
        }
        #expect(
            Self.versions(try Self.restore(Self.store(scratch))) == ["web": "1", "db": "1"])
    }

    @Test("a disk that refuses for too long costs the journal, and nothing old is left")
    func givenUp() async throws {
        let scratch = try Scratch()
        try scratch.makeFolder("state/cluster.journal")
        let journal = try ClusterJournal(
            folder: scratch.state, identity: Self.identity, waitingLimit: 10_000)
        try journal.start()
        for index in 0..<100 { journal.append([try Self.change("s\(index)")]) }
        #expect(
            try await Self.comesTrue { journal.trouble?.contains("since the disk failed") == true })
        try scratch.remove("state/cluster.journal")
        journal.append([try Self.change("web")])
        await journal.close()
        #expect(try Self.restore(Self.store(scratch)).objects.isEmpty)
    }

    private static func comesTrue(_ condition: () -> Bool) async throws -> Bool {
        let deadline = MonotonicClock.now() + Duration.seconds(20)
        while !condition() {
            guard MonotonicClock.now() < deadline else { return false }
            try await Task.sleep(for: .milliseconds(5))
        }
        return true
    }
}
