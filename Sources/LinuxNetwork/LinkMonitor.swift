import CLinux
import Glibc
import NetworkTypes
import Synchronization

/// Follows the kernel's links and addresses over rtnetlink and delivers a whole `LinkTable`
/// whenever something is different: within milliseconds of the change, without polling.
///
/// When the kernel has dropped notifications (`ENOBUFS`) or a dump fails, the socket is opened anew
/// and everything read again; the last table stands until then. Bounds: 1 MiB of notifications in
/// the kernel, one 64 KiB datagram here.
package final class LinkMonitor: Sendable {
    private let mailbox: Mailbox<Bool>
    private let thread = Mutex<NetworkThread?>(nil)

    private static let receiveBuffer: Int32 = 1 << 20
    private static let datagramCapacity = 1 << 16
    private static let retryInterval = Duration.milliseconds(100)

    /// A monitor at rest.
    package init() throws(SystemError) {
        mailbox = try Mailbox(empty: false)
    }

    /// Starts a thread that calls `deliver` with the first complete table and with every change
    /// after it, and `failed` with an error that it is about to recover from by itself.
    package func start(
        failed: @escaping @Sendable (SystemError) -> Void,
        deliver: @escaping @Sendable (LinkTable) -> Void
    ) throws(SystemError) {
        let started = try NetworkThread(name: "martlet-netlink") { [mailbox] in
            var follower = LinkFollower(mailbox: mailbox, failed: failed, deliver: deliver)
            follower.run()
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

    /// The thread's own state.
    private struct LinkFollower {
        let mailbox: Mailbox<Bool>
        let failed: @Sendable (SystemError) -> Void
        let deliver: @Sendable (LinkTable) -> Void
        var synchronization = LinkSynchronization()

        mutating func run() {
            while true {
                do throws(SystemError) {
                    if try follow() { return }
                } catch {
                    failed(error)
                    let isStopped = mailbox.rest(for: LinkMonitor.retryInterval) { mailbox.take() }
                    if isStopped { return }
                }
            }
        }

        /// Follows one socket until it fails or the monitor is stopped (returns true).
        private mutating func follow() throws(SystemError) -> Bool {
            let socket = try NetlinkSocket(receiveBuffer: LinkMonitor.receiveBuffer)
            var buffer = [UInt8](repeating: 0, count: LinkMonitor.datagramCapacity)
            let begin = synchronization.start()
            try perform([begin], on: socket)
            while true {
                let woken = try mailbox.wait(for: socket.descriptor, until: nil)
                if woken.isSignalled, mailbox.take() { return true }
                guard woken.isReady else { continue }
                while let count = try socket.receive(into: &buffer) {
                    let actions = synchronization.received(buffer.span.extracting(first: count))
                    try perform(actions, on: socket)
                }
                if let table = synchronization.takeChange() { deliver(table) }
            }
        }

        private func perform(
            _ actions: [LinkSynchronization.Action], on socket: borrowing NetlinkSocket
        ) throws(SystemError) {
            for action in actions {
                switch action {
                case .request(let bytes): try socket.send(bytes)
                case .failed(let code):
                    throw SystemError("rtnetlink dump", errno: code, subject: "network interfaces")
                }
            }
        }
    }
}

/// A route netlink socket that hears about links and addresses.
private struct NetlinkSocket: ~Copyable {
    let descriptor: Int32

    init(receiveBuffer: Int32) throws(SystemError) {
        let groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR
        let opened = martlet_netlink_open(NETLINK_ROUTE, UInt32(groups), receiveBuffer)
        guard opened >= 0 else { throw Self.error("socket(AF_NETLINK)", -opened) }
        descriptor = opened
    }

    deinit { close(descriptor) }

    private static func error(_ call: String, _ code: Int32) -> SystemError {
        SystemError(call, errno: code, subject: "route netlink")
    }

    func send(_ bytes: [UInt8]) throws(SystemError) {
        let status = unsafe bytes.withUnsafeBytes { bytes in
            unsafe martlet_netlink_send(descriptor, bytes.baseAddress, UInt(bytes.count))
        }
        guard status == 0 else { throw Self.error("send(AF_NETLINK)", -status) }
    }

    /// Fills `buffer` with the next datagram; `nil` when none waits.
    func receive(into buffer: inout [UInt8]) throws(SystemError) -> Int? {
        let count = unsafe buffer.withUnsafeMutableBytes { bytes in
            unsafe martlet_netlink_receive(descriptor, bytes.baseAddress, UInt(bytes.count))
        }
        switch count {
        case 0...buffer.count: return count
        case Int(-EAGAIN): return nil
        // The kernel sizes dumps by the reader's buffer, so a cut datagram is a lost one.
        case let count where count > 0: throw Self.error("recv(AF_NETLINK)", EMSGSIZE)
        default: throw Self.error("recv(AF_NETLINK)", Int32(clamping: -count))
        }
    }
}
