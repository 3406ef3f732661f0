import CLinux
import Glibc
import NetworkTypes

/// One end of a TCP connection: an address, a port, and the interface that a link-local address
/// belongs to.
package struct StreamEnd: Hashable, Sendable {
    /// Address and port.
    package var socketAddress: SocketAddress
    /// The interface of an IPv6 link-local address; `nil` with any other.
    package var interface: String?

    /// Makes an end.
    package init(_ socketAddress: SocketAddress, interface: String? = nil) {
        self.socketAddress = socketAddress
        self.interface = interface
    }

    /// The address.
    package var address: IPAddress { socketAddress.address }

    /// Whether the address means nothing without an interface (RFC 4007 §6).
    static func needsScope(_ address: IPAddress) -> Bool {
        address.family == .ipv6 && address.isLinkLocal
    }
}

extension StreamEnd: CustomStringConvertible {
    /// `192.0.2.1:179`, `[fe80::1%eth0]:179` (RFC 4007 §11.2).
    package var description: String {
        guard let interface, address.family == .ipv6 else { return "\(socketAddress)" }
        return "[\(address)%\(interface)]:\(socketAddress.port)"
    }
}

extension martlet_stream_end {
    /// The end as the shims take it. Throws when a link-local address lacks its interface, or the
    /// interface is not there.
    init(_ end: SocketAddress, interface: String?) throws(SystemError) {
        self.init()
        if StreamEnd.needsScope(end.address) {
            guard let interface else {
                throw SystemError(
                    "connect", errno: EINVAL, subject: "TCP \(end)",
                    remedy: "a link-local address needs the name of an interface")
            }
            scope = unsafe if_nametoindex(interface)
            guard scope != 0 else {
                throw SystemError(
                    "if_nametoindex", errno: ENODEV, subject: "interface \(interface)")
            }
        }
        write(end.address)
        port = end.port
    }

    /// An address, or a block, without port or interface.
    init(network: IPAddress) {
        self.init()
        write(network)
    }

    private mutating func write(_ address: IPAddress) {
        let shift = UInt128(128 - address.family.bitWidth)
        let ordered = (address.bits << shift).bigEndian
        unsafe withUnsafeMutableBytes(of: &bytes) { space in
            unsafe space.storeBytes(of: ordered, as: UInt128.self)
        }
        family = address.family.rawValue
    }
}

extension StreamEnd {
    /// `nil` for a family that is neither.
    init?(_ end: martlet_stream_end) {
        guard let family = IPAddress.Family(rawValue: end.family) else { return nil }
        let ordered = unsafe withUnsafeBytes(of: end.bytes) { bytes in
            unsafe bytes.loadUnaligned(as: UInt128.self)
        }
        let bits = UInt128(bigEndian: ordered) >> UInt128(128 - family.bitWidth)
        self.init(SocketAddress(IPAddress(family: family, bits: bits), port: end.port))
        guard end.scope != 0 else { return }
        var name = [CChar](repeating: 0, count: Int(IF_NAMESIZE))
        guard unsafe if_indextoname(end.scope, &name) != nil else { return }
        interface = String(
            decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
