import ClusterSource
import LinuxNetwork
import Membership
import NetworkTypes
import SealedDatagrams
import Synchronization

/// Finds out who lives, and tells all speakers what each has to say, on a thread of its own
/// (``MembershipLoop``).
package final class MembershipSpeaker: Sendable {
    /// What the gossip is started with.
    package struct Settings: Sendable {
        /// The node's name.
        package var node: String
        /// Where to listen: a port of every address, or of one.
        package var address: IPAddress?
        /// The UDP port, the same on every node unless `--join` says otherwise.
        package var port: UInt16
        /// Other speakers to begin with, beside those that the cluster's Nodes name.
        package var join: [SocketAddress]
        /// The keys that datagrams are sealed with.
        package var keys: KeySource

        package init(
            node: String, address: IPAddress? = nil, port: UInt16 = MembershipSpeaker.defaultPort,
            join: [SocketAddress] = [], keys: KeySource
        ) {
            self.node = node
            self.address = address
            self.port = port
            self.join = join
            self.keys = keys
        }
    }

    /// Where the keys come from.
    package enum KeySource: Sendable {
        /// A file, read again when it changes; made if it is missing and `isMadeIfMissing`.
        case file(path: String, isMadeIfMissing: Bool)
        /// Datagrams are not sealed: anybody on the network can forge them.
        case none

        var isFile: Bool {
            if case .file = self { true } else { false }
        }
    }

    /// The port unless told otherwise.
    package static let defaultPort: UInt16 = 7481

    /// What happened. At most 4,096 wait; then the oldest are lost: they are only for the log.
    package let events: AsyncStream<GossipEvent>
    /// Rings when ``members`` has changed.
    let changes = Doorbell()

    let settings: Settings
    private let mailbox: Mailbox<MembershipMail>
    private let continuation: AsyncStream<GossipEvent>.Continuation
    private let known = Mutex<[String: LiveMember]>([:])
    private let thread = Mutex<NetworkThread?>(nil)

    /// A speaker whose thread does not run yet.
    ///
    /// Throws when the name can be no member's, or the kernel has no descriptor left.
    package init(settings: Settings) throws {
        guard NodeName.isValid(settings.node) else {
            throw SourceError.invalidNode(settings.node)
        }
        self.settings = settings
        mailbox = try Mailbox(empty: MembershipMail())
        (events, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(4_096))
    }

    /// What the other speakers say, and whether they live.
    package var members: [String: LiveMember] { known.withLock { $0 } }

    /// Opens the sockets and starts the thread.
    ///
    /// Throws when the port is taken, or the keys cannot be read.
    func start(
        permit: AnsweringPermit, layer2: Layer2Speaker, tenure: TenureSpeaker
    ) throws {
        let keys = try settings.keys.load()
        let port = try DatagramPort(settings.listening)
        let outlets = MembershipLoop.Outlets(
            permit: permit, layer2: layer2, tenure: tenure,
            edit: { [weak self] edit in
                self?.known.withLock { edit(&$0) }
                self?.changes.ring()
            },
            tell: { [continuation] in continuation.yield($0) })
        // The port is made here, where its errors can be thrown, and used by the thread alone.
        let handed = Mutex<DatagramPort?>(port)
        let boot = settings.boot
        let started = try NetworkThread(name: "martlet-gossip", priority: .realTime) {
            [mailbox] in
            guard let port = handed.withLock({ $0.take() }) else { return }
            var loop = MembershipLoop(
                settings: boot, keys: keys, port: port, mailbox: mailbox, outlets: outlets)
            loop.run()
        }
        thread.withLock { $0 = started }
    }

    // MARK: What we say

    /// Tells all others something, in place of what was said about the same.
    func spread(_ statement: GossipStatement) {
        mailbox.post { $0.entries[statement.subject.key] = .some(statement.value) }
    }

    /// Takes something back.
    func withdraw(_ subject: GossipSubject) {
        mailbox.post { $0.entries[subject.key] = .some(nil) }
    }

    /// Tells all others several things at once, or (`nil`) takes them back. Nothing is told before
    /// the first call, which completes what is to be said at the start.
    func introduce(_ changes: [GossipSubject: GossipStatement?]) {
        mailbox.post { mail in
            mail.isIntroduced = true
            for (subject, statement) in changes {
                mail.entries[subject.key] = .some(statement.map(\.value))
            }
        }
    }

    /// Tells all others which claims begin (an epoch) or end (`nil`).
    func spread(claims: [IPAddress: UInt64?]) {
        // Written before the mailbox is locked: the gossip's thread waits for nobody.
        let entries = claims.map { address, epoch in
            (
                GossipSubject.claim(address).key,
                epoch.map { GossipStatement.claim(address, epoch: $0).value }
            )
        }
        mailbox.post { mail in
            for (key, value) in entries { mail.entries[key] = .some(value) }
        }
    }

    /// Says where other speakers may be found, beside those of `--join`.
    func update(seeds: [Seed]) {
        let all = seeds + settings.join.map { Seed(name: nil, address: $0) }
        mailbox.post { $0.seeds = all }
    }

    /// Uses other keys from now on.
    func update(keys: KeyRing) { mailbox.post { $0.keys = keys } }

    /// Says goodbye, so that nobody takes the silence that follows for a death.
    func leave() { mailbox.post { $0.isLeaving = true } }

    /// How the gossip does; `nil` when its thread has ended.
    package func status() async -> MembershipStatus? {
        let scheduling = thread.withLock { $0?.scheduling?.note }
        let answer: MembershipStatus? = await withCheckedContinuation { continuation in
            let isAsked = mailbox.post { $0.ask { continuation.resume(returning: $0) } }
            if !isAsked { continuation.resume(returning: nil) }
        }
        guard var answer else { return nil }
        answer.scheduling = scheduling
        return answer
    }

    /// Reads the key file again whenever it changes, until the task is cancelled.
    func followKeys() async {
        guard case .file(let path, _) = settings.keys else { return }
        // The first look reads it in any case: it may have changed since the start.
        var read: FileIdentity?
        while true {
            do {
                try await Task.sleep(for: .seconds(2))
            } catch {
                return
            }
            guard let present = Self.identity(path), present != read else { continue }
            read = present
            do throws(KeyFileFault) {
                update(keys: try KeyRing.load(path))
            } catch {
                continuation.yield(
                    .trouble("the keys in use stay: \(error)", remedy: error.remedy))
            }
        }
    }

    /// `nil` for a file that is not there or cannot be looked at now: it is looked at again.
    private static func identity(_ path: String) -> FileIdentity? {
        do throws(SystemError) {
            return try FileIdentity(path: path)
        } catch {
            return nil
        }
    }

    /// Ends the thread and waits for it.
    func stop() {
        mailbox.post { $0.isEnding = true }
        thread.withLock { thread in
            defer { thread = nil }
            return thread
        }?.join()
        // A thread that never ran leaves whoever asked waiting.
        for question in mailbox.post({ $0.close() }) { question(MembershipStatus()) }
        continuation.finish()
    }
}

extension MembershipSpeaker.KeySource {
    fileprivate func load() throws -> KeyRing {
        switch self {
        case .file(let path, isMadeIfMissing: true):
            // At the very first start whoever else makes the folder may be slower.
            if let slash = path.lastIndex(of: "/"), slash != path.startIndex {
                try DurableFile.makeFolder(String(path[..<slash]))
            }
            return try KeyRing.load(orMakeAt: path)
        case .file(let path, isMadeIfMissing: false): return try KeyRing.load(path)
        case .none: return .none
        }
    }
}

extension MembershipSpeaker.Settings {
    /// The address of each family to listen at.
    fileprivate var listening: [SocketAddress] {
        if let address { return [SocketAddress(address, port: port)] }
        return [IPAddress.unspecifiedIPv4, .unspecifiedIPv6].map { SocketAddress($0, port: port) }
    }

    /// What the agent of this boot is told: its incarnation grows from boot to boot as long as the
    /// clock does, and the agent copes when it does not.
    fileprivate var boot: MembershipAgent.Settings {
        var generator = SystemRandomNumberGenerator()
        return MembershipAgent.Settings(
            name: node, incarnation: WallClock.nanosecondsSince1970(), seed: generator.next(),
            port: port)
    }
}
