import ClusterSource
import LinuxNetwork
import LoadBalancing
import NetworkTypes
import Synchronization

/// Asks endpoints whether they live, on a thread of its own, and says who is to be taken out.
///
/// Bounds: those of ``EndpointHealth``, and one question to an endpoint at a time.
package final class EndpointProber: Sendable {
    /// What is so.
    package struct Report: Equatable, Sendable {
        /// Who is taken out.
        package var excluded: [ServiceName: Set<IPAddress>] = [:]
        /// Where all are down and stay in.
        package var failingOpen: Set<EndpointHealth.Group> = []
        /// Endpoints that are not asked because there are too many.
        package var unasked = 0
        /// How many questions a second are wished for; all come later than that when these are
        /// more than ``EndpointHealth/maximumRate``.
        package var demand = 0
        /// How many questions this node could not ask since it began. Nothing rings for these.
        package var notAsked: UInt64 = 0
    }

    /// What happened, for the log.
    package enum Event: Sendable {
        /// An endpoint went out or came in.
        case changed(EndpointHealth.Target, isUp: Bool, because: ProbeAnswer)
        /// This node could not ask an endpoint; each reason is told once in ten minutes.
        case notAsked(EndpointHealth.Target, SystemError)
        /// The thread cannot ask at all for now.
        case failed(SystemError)
    }

    struct Mail: Sendable {
        var checks: [EndpointHealth.Target: ProbePlan.Check]?
        var isStopped = false
    }

    /// At most 1,024 wait; then the oldest are lost.
    package let events: AsyncStream<Event>
    /// Rings when ``report`` has changed.
    let changes = Doorbell()

    private let continuation: AsyncStream<Event>.Continuation
    private let mailbox: Mailbox<Mail>
    private let shown = Mutex(Report())
    private let notAsked = Atomic<UInt64>(0)
    private let thread = Mutex<NetworkThread?>(nil)

    /// A prober at rest.
    package init() throws(SystemError) {
        mailbox = try Mailbox(empty: Mail())
        (events, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1_024))
    }

    /// What is so now.
    package var report: Report {
        var report = shown.withLock { $0 }
        report.notAsked = notAsked.load(ordering: .relaxed)
        return report
    }

    /// Starts the thread, in the network namespace of the calling one.
    ///
    /// - Parameter seed: from which the times of questions are drawn; another on each node.
    package func start(seed: UInt64) throws(SystemError) {
        let started = try NetworkThread(name: "martlet-probe") {
            [mailbox, continuation, weak self] in
            let loop = ProbeLoop(
                mailbox: mailbox, seed: seed,
                show: { report in
                    self?.shown.withLock { $0 = report }
                    self?.changes.ring()
                }, tell: { continuation.yield($0) },
                countNotAsked: { self?.notAsked.add(1, ordering: .relaxed) })
            loop.run()
        }
        thread.withLock { $0 = started }
    }

    /// Asks these from here on.
    func update(_ checks: [EndpointHealth.Target: ProbePlan.Check]) {
        mailbox.post { $0.checks = checks }
    }

    /// Ends the thread and waits for it.
    package func stop() {
        mailbox.post { $0.isStopped = true }
        thread.withLock { thread in
            defer { thread = nil }
            return thread
        }?.join()
        continuation.finish()
    }
}
