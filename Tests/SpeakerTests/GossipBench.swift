import ClusterSource
import Foundation
import LinuxNetwork
import Membership
import NetworkTypes
import SealedDatagrams
import Synchronization
import Testing

@testable import Speaker

/// A folder of its own for one test, removed with it.
final class ScratchFolder: Sendable {
    let path = NSTemporaryDirectory() + "speaker-" + UUID().uuidString

    init() throws {
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: true)
    }

    deinit {
        // Best effort: what is left over is in the temporary folder.
        try? FileManager.default.removeItem(atPath: path)
    }

    /// Makes a file with new keys, or these, and returns its path.
    func keys(_ name: String, _ text: String = KeyRing.generate()) throws -> String {
        let file = path + "/" + name
        let draft = file + ".draft"
        guard
            FileManager.default.createFile(
                atPath: draft, contents: Data(text.utf8), attributes: [.posixPermissions: 0o600]),
            unsafe rename(draft, file) == 0
        else { throw SystemError("rename", errno: errno, subject: file) }
        return file
    }
}

/// One speaker's gossip on the loopback interface, with real sockets and real seals.
final class GossipingNode: Sendable {
    let name: String
    let place: SocketAddress
    let membership: MembershipSpeaker
    let permit = AnsweringPermit()
    let events = Told<GossipEvent>()
    private let tenure: TenureSpeaker
    private let layer2 = Layer2Speaker(interfaces: ["none"])
    private let reading = Mutex<Task<Void, Never>?>(nil)

    init(
        _ name: String, at place: SocketAddress, join: [SocketAddress] = [],
        keys: MembershipSpeaker.KeySource
    ) throws {
        self.name = name
        self.place = place
        tenure = try TenureSpeaker(node: name)
        membership = try MembershipSpeaker(
            settings: .init(
                node: name, address: place.address, port: place.port, join: join, keys: keys))
        let (source, events) = (membership.events, events)
        reading.withLock {
            $0 = Task { for await event in source { events.note(event) } }
        }
    }

    deinit { stop() }

    private static let lastPort = Atomic<UInt16>(20_000)

    /// A port that is free now, and that the kernel gives to nobody who asks for any: it is to be
    /// bound again after a restart.
    static func place(_ address: IPAddress) throws -> SocketAddress {
        for _ in 0..<1_000 {
            let number = lastPort.add(1, ordering: .relaxed).newValue
            do {
                let port = try DatagramPort([SocketAddress(address, port: number)])
                return try #require(port.sockets.first).local
            } catch let error as SystemError where error.code == EADDRINUSE {
                continue
            }
        }
        throw SystemError("bind", errno: EADDRINUSE, subject: "ports from 20000 on")
    }

    /// Starts, and says for a beginning what `changes` are.
    func start(saying changes: [GossipStatement]? = []) throws {
        // Whoever decides has nothing to work off here, and so would clear at once.
        try tenure.start(
            gossips: true, layer2: layer2, permit: permit, claim: { _ in })
        try membership.start(permit: permit, layer2: layer2, tenure: tenure)
        membership.update(seeds: [])
        if let changes { introduce(changes) }
    }

    func introduce(_ changes: [GossipStatement]) {
        membership.introduce(
            Dictionary(changes.map { ($0.subject, $0) }, uniquingKeysWith: { $1 }))
    }

    /// Falls silent without a word, as a process that is killed: the kernel closes its port.
    func stop() {
        membership.stop()
        tenure.stop()
        layer2.stop()
        reading.withLock { $0.take() }?.cancel()
    }

    func state(of other: String) -> MemberState? { membership.members[other]?.state }

    func sees(_ other: String, _ state: MemberState) async throws -> Bool {
        try await comesTrue { self.state(of: other) == state }
    }

    func tellsOfTrouble(_ words: String) async throws -> Bool {
        try await comesTrue {
            self.events.contains { event in
                switch event {
                case .trouble(let text, _), .nameTaken(let text, _): text.contains(words)
                default: false
                }
            }
        }
    }

    /// Whether it ever took a member for anything but alive.
    var hasDoubted: Bool {
        events.contains { event in
            if case .memberChanged(let change) = event { change.to != .alive } else { false }
        }
    }

    /// How often it changed its keys.
    var keyChanges: Int {
        events.all.count { if case .keysChanged = $0 { true } else { false } }
    }
}
