import Glibc
import NetworkTypes

/// One UDP port in both families: a ``DatagramSocket`` for each that the host has.
package final class DatagramPort {
    /// The sockets, at most one a family.
    package let sockets: [DatagramSocket]

    /// Binds the addresses given, at most one of each family. A family that the kernel lacks is
    /// passed over as long as another is left.
    package init(
        _ addresses: [SocketAddress], receiveBuffer: Int32 = 1 << 20, sendBuffer: Int32 = 1 << 20
    ) throws(SystemError) {
        var sockets: [DatagramSocket] = []
        var lacking: SystemError?
        for address in addresses {
            precondition(
                !sockets.contains { $0.local.address.family == address.address.family },
                "one socket a family")
            do {
                sockets.append(
                    try DatagramSocket(
                        address, receiveBuffer: receiveBuffer, sendBuffer: sendBuffer))
            } catch {
                guard error.code == EAFNOSUPPORT || error.code == EADDRNOTAVAIL,
                    address.address.isUnspecified
                else { throw error }
                lacking = error
            }
        }
        if sockets.isEmpty, let lacking { throw lacking }
        self.sockets = sockets
    }

    /// Sleeps until a datagram or an error waits (`isReady`, whichever the family), mail comes, or
    /// `deadline` is reached.
    package func wait<Content: Sendable>(
        with mailbox: Mailbox<Content>, until deadline: Instant?
    ) throws(SystemError) -> WakeUp {
        let wakeUp = try mailbox.wait(
            for: sockets.first?.descriptor, or: sockets.dropFirst().first?.descriptor,
            until: deadline)
        return wakeUp.isOtherReady ? wakeUp.ready : wakeUp
    }

    /// Hands waiting datagrams to `body`, at most 64 of each family. Returns how many.
    package func receive(
        _ body: (Span<UInt8>, SocketAddress) -> Void
    ) throws(SystemError) -> Int {
        var count = 0
        for socket in sockets { count += try socket.receive(body) }
        return count
    }

    /// Hands errors that came back to `body`, at most 64 of each family. Returns how many.
    package func receiveErrors(
        _ body: (DatagramSocket.ReturnedError) -> Void
    ) throws(SystemError) -> Int {
        var count = 0
        for socket in sockets { count += try socket.receiveErrors(body) }
        return count
    }

    /// Puts a datagram aside for the next ``flush()``. False when it cannot go: the host has no
    /// socket of that family, it is too long, or the address is link-local and needs a scope.
    package func enqueue(_ datagram: Span<UInt8>, to destination: SocketAddress) -> Bool {
        let address = destination.address
        guard datagram.count <= DatagramSocket.maximumLength,
            address.family == .ipv4 || !address.isLinkLocal
        else { return false }
        for socket in sockets where socket.local.address.family == address.family {
            socket.enqueue(datagram, to: destination)
            return true
        }
        return false
    }

    /// Sends what `enqueue` put aside. Returns what was not sent since the last call.
    package func flush() -> [DatagramSocket.SendFailure] {
        var failures: [DatagramSocket.SendFailure] = []
        for socket in sockets { failures += socket.flush() }
        return failures
    }
}
