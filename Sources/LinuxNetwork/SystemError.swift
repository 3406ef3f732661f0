import Glibc

/// A system call that failed: what failed, on what, why, and what the reader can do about it.
package struct SystemError: Error, Equatable, Sendable {
    /// The call or operation, as in its manual page: `socket(AF_PACKET)`.
    package let call: String

    /// The error number of `errno(3)`.
    package let code: Int32

    /// What the call was about: an interface, an address, a file.
    package let subject: String

    /// What the library or the kernel said beyond the number, if anything.
    package let detail: String?

    private let ownRemedy: String?

    /// Describes the failure `errno` of `call` on `subject`. A `remedy` stands in for the one that
    /// the number alone suggests.
    package init(
        _ call: String, errno code: Int32, subject: String, detail: String? = nil,
        remedy: String? = nil
    ) {
        self.call = call
        self.code = code
        self.subject = subject
        self.detail = detail == "" ? nil : detail
        ownRemedy = remedy
    }

    /// Whether the kernel refused for lack of a privilege, which no second try changes.
    package var isRefusal: Bool { code == EPERM || code == EACCES }

    /// What the reader can do, where that is known.
    package var remedy: String? {
        if let ownRemedy { return ownRemedy }
        return switch code {
        case EPERM, EACCES:
            "run as root, or grant CAP_NET_RAW (packet sockets) and CAP_NET_ADMIN (netlink)"
        case EMFILE, ENFILE:
            "raise the limit of open files (ulimit -n, LimitNOFILE=)"
        case ENOBUFS, ENOMEM:
            "free memory, or raise net.core.optmem_max and net.core.rmem_max"
        case ENODEV, ENXIO:
            "the interface is gone; it is picked up again as soon as it comes back"
        case ENETDOWN:
            "the link is down; it is picked up again as soon as it comes up"
        case EAFNOSUPPORT, EPROTONOSUPPORT, EOPNOTSUPP:
            "the kernel lacks this protocol; load its module or enable it"
        case EADDRNOTAVAIL:
            "IPv6 is off on this interface (net.ipv6.conf.*.disable_ipv6)"
        default: nil
        }
    }
}

extension SystemError: CustomStringConvertible {
    package var description: String {
        let reason = unsafe String(cString: strerror(code))
        let more = [detail, remedy].compactMap { $0 }.map { "; " + $0 }.joined()
        return "\(call) on \(subject): \(reason) (errno \(code))\(more)"
    }
}
