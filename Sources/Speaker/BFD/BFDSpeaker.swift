import BFD
import LinuxNetwork
import NetworkTypes
import Synchronization

/// Watches paths with BFD, on a thread of its own (``BFDLoop``) that nothing else in the process
/// can make late.
///
/// Level-based: ``apply(_:)`` says which paths are to be watched and how. Sockets exist only while
/// a path needs them, so that a host without BFD peers leaves the ports to others.
package final class BFDSpeaker: Sendable {
    /// The most paths that are watched; more are told as a trouble and get no session.
    package static let maximumPaths = 4_096

    /// Told that a path's verdict changed. Called on the thread: must not block.
    package typealias Observer = @Sendable (BFDPath, BFDVerdict) -> Void

    /// What happened. At most 4,096 wait; then the oldest are lost: they are only for the log.
    package let events: AsyncStream<BFDEvent>

    private struct Running {
        let thread: NetworkThread
        let mailbox: Mailbox<BFDMail>
    }

    private let running = Mutex<Running?>(nil)
    private let shown = Mutex(BFDReport())
    private let continuation: AsyncStream<BFDEvent>.Continuation

    /// A speaker whose thread does not run yet.
    package init() {
        (events, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(4_096))
    }

    /// Starts the thread. Throws when the kernel refuses one.
    package func start(observer: @escaping Observer) throws(SystemError) {
        precondition(running.withLock { $0 == nil }, "started twice")
        let mailbox = try Mailbox(empty: BFDMail())
        let group = try BFDSocketGroup()
        let outlets = BFDLoop.Outlets(
            observe: observer,
            show: { [weak self] report in self?.shown.withLock { $0 = report } },
            tell: { [continuation] in continuation.yield($0) })
        let thread = try NetworkThread(name: "martlet-bfd", priority: .realTimeFirst) {
            var loop = BFDLoop(mailbox: mailbox, group: group, outlets: outlets)
            loop.run()
        }
        running.withLock { $0 = Running(thread: thread, mailbox: mailbox) }
    }

    /// Makes these the paths that are watched. A session that nobody wishes for any more says
    /// AdminDown until the far end has certainly noticed, and is gone then; one whose wish changed
    /// goes on and agrees on the new values.
    package func apply(_ wishes: [BFDPath: BFDWish]) {
        running.withLock { $0?.mailbox }?.post { $0.wishes = wishes }
    }

    /// Tells every far end AdminDown, which is no failure (RFC 5882 §4.2), ends the thread when
    /// they have heard it, after a second at most, and waits for it.
    package func stop() {
        let ended = running.withLock { running in
            defer { running = nil }
            return running
        }
        guard let ended else { return }
        ended.mailbox.post { $0.isOver = true }
        ended.thread.join()
        continuation.finish()
    }

    /// What is so. Never waits for the thread: counters are up to a second old.
    package var report: BFDReport {
        var report = shown.withLock { $0 }
        report.scheduling = running.withLock { $0?.thread.scheduling }
        return report
    }
}

/// What others tell the thread. A newer wish replaces an older one, so nothing grows.
struct BFDMail: Sendable {
    /// Every path that is to be watched.
    var wishes: [BFDPath: BFDWish]?
    /// Whether the thread is to end.
    var isOver = false
}
