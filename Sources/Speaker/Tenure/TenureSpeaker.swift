import ClusterSource
import Layer2
import LinuxNetwork
import LoadBalancing
import NetworkTypes
import Synchronization

/// Decides what this node announces, on a thread of its own (``TenureLoop``).
package final class TenureSpeaker: Sendable {
    /// What happened. At most 4,096 wait; then the oldest are lost: they are only for the log.
    package let events: AsyncStream<TenureEvent>
    /// Rings when ``report`` has changed.
    let changes = Doorbell()

    private let continuation: AsyncStream<TenureEvent>.Continuation
    private let mailbox: Mailbox<TenureMail>
    private let shown: Mutex<TenureReport>
    private let thread = Mutex<NetworkThread?>(nil)
    private let node: String

    /// A speaker whose thread does not run yet.
    init(node: String) throws(SystemError) {
        self.node = node
        mailbox = try Mailbox(empty: TenureMail())
        shown = Mutex(TenureReport(node: node))
        (events, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(4_096))
    }

    /// What is so now.
    package var report: TenureReport { shown.withLock { $0 } }

    /// Starts the thread.
    ///
    /// - Parameters:
    ///   - gossips: whether who lives is known from the gossip.
    ///   - layer2: where wishes go.
    ///   - permit: what the gossip suspends when nobody knows what happened meanwhile.
    ///   - fence: told for which nodes' silence addresses wait; must not block. `nil` where nobody
    ///     needs a Lease.
    ///   - claim: told which claims begin (an epoch) or end (`nil`); must not block.
    func start(
        gossips: Bool, layer2: Layer2Speaker, permit: AnsweringPermit,
        fence: (@Sendable (Set<String>) -> Void)? = nil,
        claim: @escaping @Sendable ([IPAddress: UInt64?]) -> Void
    ) throws(SystemError) {
        let outlets = TenureLoop.Outlets(
            apply: { layer2.apply($0) }, reannounce: { layer2.reannounce($0) },
            watch: { layer2.watch($0) }, claim: claim,
            show: { [weak self] report in
                self?.shown.withLock { $0 = report }
                self?.changes.ring()
            },
            tell: { [continuation] in continuation.yield($0) }, clear: { permit.clear($0) },
            clearFence: { permit.clearFence($0) }, awaitSilence: fence ?? { _ in })
        let isFenced = fence != nil
        let started = try NetworkThread(name: "martlet-tenure", priority: .realTime) {
            [node, mailbox] in
            var loop = TenureLoop(
                node: node, gossips: gossips, isFenced: isFenced, mailbox: mailbox,
                outlets: outlets)
            loop.run()
        }
        thread.withLock { $0 = started }
    }

    /// Tells the thread something; what is told merges with what waits already.
    func post(_ edit: (inout TenureMail) -> Void) { mailbox.post(edit) }

    /// Takes in what an interface's thread saw.
    func note(_ event: Layer2Event) {
        switch event.kind {
        case .answering(let address):
            post { $0.wire[address, default: .init()].isAnswering = true }
        case .heldByPeer(let address, let station):
            post { $0.wire[address, default: .init()].heldBy = station }
        case .peerAnnounces(let address, let station):
            post { $0.wire[address, default: .init()].announcedBy = station }
        default: break
        }
    }

    /// Ends the thread, falling silent first, and waits for it.
    func stop() {
        post { $0.isEnding = true }
        thread.withLock { thread in
            defer { thread = nil }
            return thread
        }?.join()
        continuation.finish()
    }
}
