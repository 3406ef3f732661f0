import LinuxNetwork
import NetworkTypes
import Synchronization

/// Answers on each `healthCheckNodePort` of this node, on a thread of its own, so that who asks in
/// the midst of a large change is not kept waiting until its patience ends.
///
/// Bounds: 1,000 ports, 256 connections at once (the oldest gives way), a request's head of 8 KiB,
/// 5 s a connection.
package final class HealthCheckServer: Sendable {
    /// What the thread is told.
    struct Mail: Sendable {
        var plan: HealthCheckPlan?
        var isHealthy: Bool?
        var isDraining: Bool?
        var isStopped = false
    }

    private let mailbox: Mailbox<Mail>
    private let thread = Mutex<NetworkThread?>(nil)

    /// A server at rest.
    package init() throws(SystemError) {
        mailbox = try Mailbox(empty: Mail())
    }

    /// Starts the thread, in the network namespace of the calling one. `failed` is told of a port
    /// that cannot be listened on when that begins; it is tried again every 5 s.
    package func start(
        failed: @escaping @Sendable (UInt16, SystemError) -> Void
    ) throws(SystemError) {
        let started = try NetworkThread(name: "martlet-health") { [mailbox] in
            HealthCheckLoop(mailbox: mailbox, failed: failed).run()
        }
        thread.withLock { $0 = started }
    }

    /// Answers as the plan says from here on.
    package func update(_ plan: HealthCheckPlan) { mailbox.post { $0.plan = plan } }

    /// Says whether the node's own data plane is in step.
    package func update(isHealthy: Bool) { mailbox.post { $0.isHealthy = isHealthy } }

    /// Says whether nobody new is to come, because the node is drained or its speaker stops.
    package func update(isDraining: Bool) { mailbox.post { $0.isDraining = isDraining } }

    /// Ends the thread and waits for it.
    package func stop() {
        mailbox.post { $0.isStopped = true }
        thread.withLock { thread in
            defer { thread = nil }
            return thread
        }?.join()
    }
}
