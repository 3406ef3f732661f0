import NetworkTypes

/// How a TCP connection is made: from where, how far, and signed with what.
package struct StreamOptions: Hashable, Sendable {
    /// The address to come from; `nil` for the one that the kernel takes.
    package var source: IPAddress?
    /// The interface, or VRF, to bind to. Link-local addresses need one.
    package var interface: String?
    /// How far the peer may be.
    package var reach: StreamReach
    /// The key of TCP MD5 signatures, if there are to be any.
    package var key: StreamKey?

    /// Makes options.
    package init(
        source: IPAddress? = nil, interface: String? = nil, reach: StreamReach = .routed(64),
        key: StreamKey? = nil
    ) {
        self.source = source
        self.interface = interface
        self.reach = reach
        self.key = key
    }
}

/// How far a peer may be: the TTL or hop limit of what is sent, and the least of what is accepted.
package enum StreamReach: Hashable, Sendable {
    /// On the same link: what is sent dies at the first router.
    case adjacent
    /// Any number of hops up to this one, 1–255, counted from us.
    case routed(UInt8)
    /// At most this many hops away, 1–254, whatever anybody pretends: sent with 255, accepted with
    /// no less than 256 minus the hops (RFC 5082).
    case secured(hops: UInt8)

    /// The TTL or hop limit of what is sent.
    package var sent: UInt8 {
        switch self {
        case .adjacent: 1
        case .routed(let limit): max(limit, 1)
        case .secured: 255
        }
    }

    /// The least TTL or hop limit to accept; 0 for any.
    package var least: UInt8 {
        guard case .secured(let hops) = self else { return 0 }
        return 255 - max(hops, 1) + 1
    }
}

/// The key of TCP MD5 signatures (RFC 2385): a password of 1 to 80 bytes. Its text is never shown.
package struct StreamKey: Hashable, Sendable {
    let bytes: [UInt8]

    /// The most bytes that Linux takes.
    package static let maximumLength = 80

    /// `nil` when the password is empty or longer than 80 bytes of UTF-8.
    package init?(_ password: String) { self.init(bytes: Array(password.utf8)) }

    /// `nil` when there are none, or more than 80.
    package init?(bytes: [UInt8]) {
        guard (1...Self.maximumLength).contains(bytes.count) else { return nil }
        self.bytes = bytes
    }
}

extension StreamKey: CustomStringConvertible, CustomReflectable {
    package var description: String { "a password of \(bytes.count) bytes" }

    package var customMirror: Mirror { Mirror(self, children: [:]) }
}
