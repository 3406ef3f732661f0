import CLinux
import Glibc
import NetworkTypes

/// Sockets that are waited for together. One that is closed is out of the group by that.
package final class BFDSocketGroup: Sendable {
    private let descriptor: Int32

    /// A group of none.
    package init() throws(SystemError) {
        let opened = martlet_bfd_group()
        guard opened >= 0 else {
            throw SystemError("epoll_create1", errno: -opened, subject: "BFD sockets")
        }
        descriptor = opened
    }

    deinit { close(descriptor) }

    /// Waits for this one, too.
    package func add(_ socket: BFDReceiveSocket) throws(SystemError) {
        try add(socket.descriptor)
    }

    /// Waits for this one, too.
    package func add(_ socket: BFDEchoSocket) throws(SystemError) { try add(socket.descriptor) }

    private func add(_ socket: Int32) throws(SystemError) {
        let status = martlet_bfd_group_add(descriptor, socket)
        guard status == 0 else {
            throw SystemError("epoll_ctl", errno: -status, subject: "BFD sockets")
        }
    }

    /// Sleeps until a packet waits in one of the sockets, mail comes, or `deadline` is reached.
    package func wait<Content: Sendable>(
        with mailbox: Mailbox<Content>, until deadline: Instant?
    ) throws(SystemError) -> WakeUp {
        try mailbox.wait(for: descriptor, until: deadline)
    }
}
