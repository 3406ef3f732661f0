import NetworkTypes

/// What a BFD session watches: the way to one address. Everybody who asks for the same path shares
/// its session (RFC 5882 §2).
package struct BFDPath: Hashable, Sendable {
    /// The far end.
    package var remote: IPAddress
    /// The near end; `nil` is whichever address the routes choose.
    package var local: IPAddress?
    /// The interface that packets leave by and have to come in by; link-local ends need it.
    package var interface: String?
    /// Whether routers lie between (RFC 5883), or a single hop (RFC 5881).
    package var isMultihop: Bool

    /// Makes a path.
    ///
    /// - Precondition: both ends are of one family.
    package init(
        remote: IPAddress, local: IPAddress? = nil, interface: String? = nil,
        isMultihop: Bool = false
    ) {
        precondition(local.map { $0.family == remote.family } ?? true, "two families")
        self.remote = remote
        self.local = local
        self.interface = interface
        self.isMultihop = isMultihop
    }
}

extension BFDPath: CustomStringConvertible {
    /// `192.0.2.1`, `fe80::1%eth0 from fe80::2, multihop`.
    package var description: String {
        remote.description + (interface.map { "%" + $0 } ?? "")
            + (local.map { " from \($0)" } ?? "") + (isMultihop ? ", multihop" : "")
    }
}
