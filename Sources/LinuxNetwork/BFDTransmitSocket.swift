import CLinux
import Glibc
import NetworkTypes

/// Where the packets of one BFD session leave from: one source port for as long as the session
/// lasts (RFC 5881 §4), TTL or hop limit 255 (RFC 5881 §5), DSCP CS6.
///
/// What is sent to that port is dropped by the kernel, unanswered. No call waits.
package final class BFDTransmitSocket {
    /// The ports to send from (RFC 5881 §4).
    package static let ports: ClosedRange<UInt16> = 49_152...65_535

    /// The port it sends from.
    package let port: UInt16

    private let descriptor: Int32
    private let destination: SocketAddress
    private let scope: Int32

    /// Takes a source port.
    ///
    /// - Parameters:
    ///   - source: the address to send from; the unspecified one lets each packet take what the
    ///     route says. `EADDRINUSE` means that the port is taken.
    ///   - destination: where every packet goes, of the same family.
    ///   - interface: the interface to send out of whatever the routes say; link-local
    ///     destinations need it.
    package init(
        from source: SocketAddress, to destination: SocketAddress, interface: String?
    ) throws(SystemError) {
        precondition(source.address.family == destination.address.family, "another family")
        var end = martlet_datagram_end(source)
        let opened =
            if let interface {
                unsafe interface.withCString { name in
                    unsafe martlet_bfd_transmitter(&end, name)
                }
            } else {
                unsafe martlet_bfd_transmitter(&end, nil)
            }
        guard opened >= 0 else {
            let suffix = interface.map { "%\($0)" } ?? ""
            throw SystemError(
                "bind", errno: -opened, subject: "UDP \(source)\(suffix) (BFD)")
        }
        descriptor = opened
        port = source.port
        self.destination = destination
        scope =
            destination.address.isLinkLocal
            ? Int32(truncatingIfNeeded: BFDInterface.index(of: interface) ?? 0) : 0
    }

    deinit { close(descriptor) }

    /// Sends one packet. Returns 0, or the error number of `errno(3)`.
    package func send(_ packet: Span<UInt8>) -> Int32 {
        var end = martlet_datagram_end(destination)
        return unsafe packet.withUnsafeBufferPointer { bytes in
            unsafe -martlet_bfd_transmit(
                descriptor, &end, scope, bytes.baseAddress, UInt32(bytes.count))
        }
    }
}
