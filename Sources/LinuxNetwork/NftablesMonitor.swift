import CLinux
import Glibc
import NetworkTypes
import Synchronization

/// Hears of every change of the kernel's tables and tells of those that somebody else made to one
/// table, within a millisecond of the change.
///
/// The kernel tells everybody of everything, our own changes too; those of other tables and our own
/// are passed over here, so that a busy neighbour (a network plugin, a firewall) costs a look at
/// each message's header and no more.
///
/// Bounds: 4 MiB of messages in the kernel, one 64 KiB datagram here. When the kernel had to drop
/// some (a change of ours may be larger than that), nobody knows what they said, and that is told
/// as ``NftablesChange/Author/unknown``.
package final class NftablesMonitor: Sendable {
    private let mailbox: Mailbox<Bool>
    private let thread = Mutex<NetworkThread?>(nil)
    private let socket: MonitorSocket

    private static let receiveBuffer: Int32 = 4 << 20
    private static let datagramCapacity = 1 << 16
    private static let retryInterval = Duration.milliseconds(100)

    /// A monitor at rest, of the network namespace of the calling thread. What happens from here on
    /// is told once it is started.
    package init() throws(SystemError) {
        mailbox = try Mailbox(empty: false)
        socket = try MonitorSocket(receiveBuffer: Self.receiveBuffer)
    }

    /// Starts a thread that calls `deliver` whenever somebody else has changed the table (of family
    /// `inet`) or may have, and `failed` with an error that it goes on after.
    ///
    /// - Parameter own: the port of the socket whose changes are our own.
    package func start(
        table: String, own: UInt32, failed: @escaping @Sendable (SystemError) -> Void,
        deliver: @escaping @Sendable (NftablesChange) -> Void
    ) throws(SystemError) {
        let started = try NetworkThread(name: "martlet-nft") { [mailbox, socket] in
            var reader = NftablesChangeReader(table: table, own: own)
            var buffer = [UInt8](repeating: 0, count: Self.datagramCapacity)
            while true {
                do throws(SystemError) {
                    let woken = try mailbox.wait(for: socket.descriptor, until: nil)
                    if woken.isSignalled, mailbox.take() { return }
                    while let count = try socket.receive(into: &buffer) {
                        let datagram = buffer.span.extracting(first: count)
                        for change in reader.read(datagram) { deliver(change) }
                    }
                } catch {
                    if error.code == ENOBUFS {
                        deliver(reader.overrun())
                        continue
                    }
                    failed(error)
                    deliver(reader.overrun())
                    let isStopped = mailbox.rest(for: Self.retryInterval) { mailbox.take() }
                    if isStopped { return }
                }
            }
        }
        thread.withLock { $0 = started }
    }

    /// Ends the thread and waits for it.
    package func stop() {
        mailbox.post { $0 = true }
        thread.withLock { thread in
            defer { thread = nil }
            return thread
        }?.join()
    }
}

/// A netfilter socket that hears of the tables.
private final class MonitorSocket: Sendable {
    let descriptor: Int32

    init(receiveBuffer: Int32) throws(SystemError) {
        descriptor = martlet_nftables_open_monitor(receiveBuffer)
        guard descriptor >= 0 else {
            throw SystemError(
                "socket(NETLINK_NETFILTER)", errno: -descriptor,
                subject: "changes of nf_tables")
        }
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// Fills `buffer` with the next datagram; `nil` when none waits.
    func receive(into buffer: inout [UInt8]) throws(SystemError) -> Int? {
        let count = unsafe buffer.withUnsafeMutableBytes {
            unsafe martlet_netlink_receive(descriptor, $0.baseAddress, UInt($0.count))
        }
        switch count {
        case 0...buffer.count: return count
        case Int(-EAGAIN): return nil
        // What was cut is lost, as if the kernel had dropped it.
        case let count where count > 0: throw Self.error(ENOBUFS)
        default: throw Self.error(Int32(clamping: -count))
        }
    }

    private static func error(_ code: Int32) -> SystemError {
        SystemError("recv(NETLINK_NETFILTER)", errno: code, subject: "changes of nf_tables")
    }
}
