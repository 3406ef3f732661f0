import BFD
import BGP
import LinuxNetwork
import NetworkTypes
import Synchronization

/// Talks BGP to the peers of this node, on a thread of its own (``BGPLoop``): no JSON, no disk and
/// no other protocol can delay a KEEPALIVE, and a peer that does not read delays no other.
///
/// ``update(peers:changes:)`` says which peers there are and what is different in what each is to
/// be told; the difference to what they have is what goes on the wire.
package final class BGPSpeaker: Sendable {
    /// How peers can connect to us.
    package struct Listening: Sendable, Equatable {
        /// The port; 0 for never.
        package var port: UInt16
        /// Addresses to listen on; empty for all.
        package var addresses: [IPAddress]
        /// Whether to listen although no peer is passive.
        package var isAlways: Bool

        /// Listens on port 179 as soon as a peer is passive: another BGP speaker of the host may
        /// want the port otherwise.
        package init(
            port: UInt16 = 179, addresses: [IPAddress] = [], isAlways: Bool = false
        ) {
            self.port = port
            self.addresses = addresses
            self.isAlways = isAlways
        }
    }

    /// What happened. At most 4,096 wait; then the oldest are lost: they are only for the log.
    package let events: AsyncStream<BGPEvent>

    private let continuation: AsyncStream<BGPEvent>.Continuation
    private let mailbox: Mailbox<BGPMail>
    private let bfd: BFDSpeaker
    private let listening: Listening
    private let thread = Mutex<NetworkThread?>(nil)
    private let runs = Mutex(false)
    /// Whether BFD's thread runs.
    private let watches = Mutex(false)

    /// A speaker whose threads do not run yet.
    package init(listening: Listening = Listening()) throws(SystemError) {
        mailbox = try Mailbox(empty: BGPMail())
        bfd = BFDSpeaker()
        self.listening = listening
        (events, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(4_096))
    }

    /// Whether the threads run.
    package var isRunning: Bool { runs.withLock { $0 } }

    /// Starts the threads. Throws when the kernel refuses one.
    package func start() throws(SystemError) {
        // A second attempt finds what the first one began.
        if !watches.withLock({ $0 }) {
            try bfd.start { [mailbox] path, verdict in mailbox.post { $0.paths[path] = verdict } }
            watches.withLock { $0 = true }
        }
        let outlets = BGPLoop.Outlets(
            watch: { [bfd] in bfd.apply($0) }, tell: { [continuation] in continuation.yield($0) })
        let started = try NetworkThread(name: "martlet-bgp", priority: .realTime) {
            [mailbox, listening] in
            let loop = BGPLoop(mailbox: mailbox, listening: listening, outlets: outlets)
            loop.run()
        }
        thread.withLock { $0 = started }
        runs.withLock { $0 = true }
    }

    // MARK: What is wanted

    /// Changes what peers are told, and, if given, makes `peers` the peers there are: all of them.
    /// The routes of a peer that stays are those it had before, with the changes.
    package func update(
        peers: [String: BGPPeerPlan]? = nil, changes: [String: [Prefix: Route?]] = [:]
    ) {
        guard peers != nil || !changes.isEmpty else { return }
        mailbox.post { mail in
            if let peers { mail.peers = peers }
            for (peer, routes) in changes {
                // Nothing waits, mostly: then a whole table costs no more than one route, and the
                // thread that reads the mail is not kept waiting.
                if mail.changes[peer] == nil {
                    mail.changes[peer] = routes
                } else {
                    mail.changes[peer]?.merge(routes) { $1 }
                }
            }
        }
    }

    /// Takes in the interfaces as they are now.
    package func update(links: LinkTable) { mailbox.post { $0.links = links } }

    /// Marks every route as about to go, or no longer (RFC 8326).
    package func markShutdown(_ isGoing: Bool) { mailbox.post { $0.marksShutdown = isGoing } }

    /// Ends the session with a peer and begins another.
    package func reset(_ peer: String) { mailbox.post { _ = $0.resets.insert(peer) } }

    /// Ends every session.
    ///
    /// - Parameter keepingRoutes: leaves the routes with peers that agreed to graceful restart.
    package func end(keepingRoutes: Bool) {
        mailbox.post { $0.ending = keepingRoutes ? .keepingRoutes : .withdrawing }
    }

    /// Ends the threads, and waits for them. Sessions that have not ended lose their connection.
    package func stop() {
        let wasRunning = runs.withLock { running in
            defer { running = false }
            return running
        }
        guard wasRunning else { return }
        mailbox.post { $0.isOver = true }
        thread.withLock { thread in
            defer { thread = nil }
            return thread
        }?.join()
        bfd.stop()
        // Whoever asked after the last turn still gets an answer.
        mailbox.take().questions.forEach { $0.answer(BGPReport()) }
        continuation.finish()
    }

    // MARK: What is so

    /// What is so now, and of `prefixes` what each peer has.
    package func report(of prefixes: [Prefix] = []) async -> BGPReport {
        await withCheckedContinuation { continuation in
            let question = BGPQuestion(prefixes: prefixes) { continuation.resume(returning: $0) }
            let isAsked = runs.withLock { running in
                if running { mailbox.post { $0.questions.append(question) } }
                return running
            }
            if !isAsked { question.answer(BGPReport()) }
        }
    }

    /// What happened on the watched paths, for the log.
    package var pathEvents: AsyncStream<BFDEvent> { bfd.events }

    /// What is so with the watched paths.
    package var paths: BFDReport { bfd.report }
}
