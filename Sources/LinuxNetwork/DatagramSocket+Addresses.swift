import CLinux
import Glibc
import NetworkTypes

extension martlet_datagram_end {
    /// An end as the shims take it: an IPv4 address in the first four of the sixteen bytes.
    init(_ end: SocketAddress) {
        self.init()
        let shift = UInt128(128 - end.address.family.bitWidth)
        let ordered = (end.address.bits << shift).bigEndian
        unsafe withUnsafeMutableBytes(of: &bytes) { space in
            unsafe space.storeBytes(of: ordered, as: UInt128.self)
        }
        port = end.port
        family = end.address.family.rawValue
    }
}

extension SocketAddress {
    /// `nil` for a family that is neither.
    init?(_ end: martlet_datagram_end) {
        guard let family = IPAddress.Family(rawValue: end.family) else { return nil }
        let ordered = unsafe withUnsafeBytes(of: end.bytes) { bytes in
            unsafe bytes.loadUnaligned(as: UInt128.self)
        }
        let bits = UInt128(bigEndian: ordered) >> UInt128(128 - family.bitWidth)
        self.init(IPAddress(family: family, bits: bits), port: end.port)
    }
}

extension DatagramSocket.ReturnedError.Kind {
    /// The meaning of an error record. ICMP codes are taken as the kernel translates them
    /// (`icmp_err_convert`, RFC 1122 §3.2.2.1): `ECONNREFUSED` is the port alone.
    init(_ error: martlet_datagram_error) {
        self =
            switch error.code {
            case ECONNREFUSED: .portUnreachable
            case EHOSTUNREACH, ENETUNREACH, EHOSTDOWN: .hostUnreachable
            default: .other(code: error.code)
            }
    }
}
