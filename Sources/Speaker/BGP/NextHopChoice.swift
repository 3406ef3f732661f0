import BGP
import LinuxNetwork
import NetworkTypes

/// Which of this node's addresses routes point to, for one session.
///
/// The session's own address is the one that the peer is known to reach (RFC 4271 §5.1.3); routes
/// of the other family point to an address of that family on the same interface.
struct NextHopChoice {
    /// This end of the session.
    var local: IPAddress
    /// The interfaces as they are.
    var links: LinkTable
    /// Families of routes that the peer takes with IPv6 next hops although they are of IPv4.
    var extendedNextHop: Set<RouteFamily>
    /// The interface of an unnumbered session, whose local address says nothing of where it is.
    var interface: String?
    /// Whether the peer shares a subnet with us; only then it can use a link-local address beside
    /// the global one (RFC 2545 §3).
    var isOnLink = true

    /// A next hop for each family that has one.
    func nextHops() -> [RouteFamily: NextHop] {
        var chosen: [RouteFamily: NextHop] = [:]
        for family in IPAddress.Family.allCases {
            chosen[RouteFamily(family)] = nextHop(for: family)
        }
        return chosen
    }

    private func nextHop(for family: IPAddress.Family) -> NextHop? {
        if family == local.family, !local.isLinkLocal, !local.isLoopback {
            return NextHop(local, linkLocal: family == .ipv6 && isOnLink ? linkLocal : nil)
        }
        if let address = addresses.first(where: { $0.family == family && isGlobal($0) }) {
            // Where the peer takes IPv6 next hops, it may have no IPv4 at all.
            if family == .ipv4, extendedNextHop.contains(.ipv4), local.family == .ipv6 {
                return nextHop(for: .ipv6)
            }
            return NextHop(address, linkLocal: family == .ipv6 && isOnLink ? linkLocal : nil)
        }
        if family == .ipv6, let linkLocal { return NextHop(linkLocal, linkLocal: linkLocal) }
        if family == .ipv4, extendedNextHop.contains(.ipv4) { return nextHop(for: .ipv6) }
        return nil
    }

    /// A session over loopback, with a daemon on the same host, points to any address of the node.
    private var addresses: [IPAddress] {
        let own = local.isLoopback ? nil : link
        let candidates =
            own.map { [$0] }
            ?? links.links.values.filter { !$0.flags.contains(.loopback) && $0.isOperational }
            .sorted { $0.index < $1.index }
        return candidates.flatMap { $0.addresses.map(\.address).sorted() }
    }

    private var link: Link? {
        if let interface { return links.link(named: interface) }
        return links.holders(of: local).first
    }

    private var linkLocal: IPAddress? {
        if local.isLinkLocal, local.family == .ipv6 { return local }
        return link?.addresses.map(\.address).filter { $0.family == .ipv6 && $0.isLinkLocal }.min()
    }

    private func isGlobal(_ address: IPAddress) -> Bool {
        !address.isLinkLocal && !address.isLoopback && !address.isMulticast
            && !address.isUnspecified
    }
}
