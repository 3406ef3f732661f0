import CLinux
import Glibc
import NetworkTypes

/// Which of its own addresses the kernel uses.
package enum SourceAddress {
    /// The address that the kernel sends from towards `destination`, out of `interface` if one is
    /// named (link-local destinations need one). No packet is sent.
    package static func towards(
        _ destination: IPAddress, interface: String? = nil
    ) throws(SystemError) -> IPAddress {
        var remote = try martlet_stream_end(
            SocketAddress(destination, port: 0), interface: interface)
        var source = martlet_stream_end()
        let status =
            if let interface {
                unsafe martlet_stream_source_towards(&remote, interface, &source)
            } else {
                unsafe martlet_stream_source_towards(&remote, nil, &source)
            }
        guard status == 0, let found = StreamEnd(source) else {
            throw SystemError(
                "route lookup", errno: -status, subject: "\(destination)",
                remedy: status == -EADDRNOTAVAIL
                    ? "no address of this node fits; a link-local one takes a second to be ready"
                    : nil)
        }
        return found.address
    }
}
