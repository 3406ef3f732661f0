import Glibc
import NetworkTypes

/// The switches that make a kernel pass packets on from one interface to another.
///
/// They are read, never set: whether a machine is a router is its owner's decision.
package enum NftablesForwarding {
    /// The switch of a family, as `sysctl` names it.
    package static func name(_ family: IPAddress.Family) -> String {
        switch family {
        case .ipv4: "net.ipv4.ip_forward"
        case .ipv6: "net.ipv6.conf.all.forwarding"
        }
    }

    /// Whether a family is forwarded in the network namespace of the calling thread; `nil` when the
    /// kernel does not say, as without IPv6.
    package static func isOn(_ family: IPAddress.Family) -> Bool? {
        let path = "/proc/sys/" + name(family).split(separator: ".").joined(separator: "/")
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var buffer = [UInt8](repeating: 0, count: 16)
        let count = unsafe buffer.withUnsafeMutableBytes {
            unsafe read(descriptor, $0.baseAddress, $0.count)
        }
        guard count > 0 else { return nil }
        return buffer[0] != UInt8(ascii: "0")
    }
}
