public import NetworkTypes

/// What kind of routes: an address family and a subsequent one (RFC 4760 §3).
public struct RouteFamily: Hashable, Sendable {
    /// Address Family Identifier: 1 is IPv4, 2 is IPv6.
    public var afi: UInt16
    /// Subsequent Address Family Identifier: 1 is unicast.
    public var safi: UInt8

    /// Makes a family, known or not.
    public init(afi: UInt16, safi: UInt8) {
        self.afi = afi
        self.safi = safi
    }

    /// Unicast routes of an address family.
    public init(_ family: IPAddress.Family) {
        self.init(afi: family == .ipv4 ? 1 : 2, safi: 1)
    }

    /// IPv4 unicast.
    public static let ipv4 = RouteFamily(.ipv4)
    /// IPv6 unicast.
    public static let ipv6 = RouteFamily(.ipv6)

    /// The addresses of unicast routes; `nil` for families that Martlet does not speak.
    public var addressFamily: IPAddress.Family? {
        switch self {
        case .ipv4: .ipv4
        case .ipv6: .ipv6
        default: nil
        }
    }
}

extension RouteFamily: Comparable {
    /// By AFI, then by SAFI.
    public static func < (left: RouteFamily, right: RouteFamily) -> Bool {
        (left.afi, left.safi) < (right.afi, right.safi)
    }
}

extension RouteFamily: CustomStringConvertible {
    /// `ipv4`, `ipv6`, or `afi 25 safi 70`.
    public var description: String {
        switch self {
        case .ipv4: "ipv4"
        case .ipv6: "ipv6"
        default: "afi \(afi) safi \(safi)"
        }
    }
}
