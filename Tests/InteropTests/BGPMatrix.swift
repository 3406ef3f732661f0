/// What the matrix is made of: ways to hold a session, and what each router cannot do.
enum BGPMatrix {
    /// One node's way to hold its sessions with the router, over IPv4 and over IPv6.
    struct Way: Sendable {
        let node: String
        let ownAS: UInt32
        let isSigned: Bool

        var letter: String { String(node.suffix(1)) }
        var isInternal: Bool { ownAS == RouterLab.routerAS }
        var description: String {
            (isInternal ? "iBGP" : "eBGP") + (isSigned ? " MD5" : " plain")
        }
    }

    /// A way over one transport.
    struct Session: Sendable {
        let way: Way
        let isIPv6: Bool

        var name: String { way.letter + (isIPv6 ? "6" : "4") }
        var description: String { "\(way.description) over \(isIPv6 ? "IPv6" : "IPv4")" }

        /// The node's address of a family.
        static func address(of letter: String, isIPv6: Bool) -> String {
            let number = 11 + (NamespacedLAN.letters.firstIndex(of: letter) ?? 0)
            return isIPv6 ? "2001:db8:2::\(number)" : "192.0.2.\(number)"
        }

        var nodeAddress: String { Self.address(of: way.letter, isIPv6: isIPv6) }
    }

    /// The second has an AS number of four octets.
    static let ways = [
        Way(node: "node-a", ownAS: 64501, isSigned: false),
        Way(node: "node-b", ownAS: 4_200_000_001, isSigned: true),
        Way(node: "node-c", ownAS: RouterLab.routerAS, isSigned: false),
        Way(node: "node-d", ownAS: RouterLab.routerAS, isSigned: true),
    ]

    static let sessions = ways.flatMap { way in
        [false, true].map { Session(way: way, isIPv6: $0) }
    }

    /// What each session of the matrix agrees on beside routes, where the router can.
    static func features(_ session: Session) -> [RouterFeature] {
        let all: [RouterFeature] = [
            .refresh, .enhancedRefresh, .gracefulRestart, .extendedMessages,
        ]
        return session.way.isInternal ? all : all + [.role]
    }

    /// What a router cannot do, and why; the versions are Debian 12's.
    static let lacking: [RouterKind: [RouterFeature: String]] = [
        .gobgp: [
            .extendedMessages: "GoBGP 3.10 does not know RFC 8654",
            .role: "GoBGP 3.10 does not know RFC 9234",
            .enhancedRefresh: "GoBGP 3.10 is told of it and never offers it",
            .asking: "GoBGP 3.10 keeps all it has heard and never asks",
            .bfd: "GoBGP has no BFD",
        ],
        .openbgpd: [
            .extendedMessages: "OpenBGPD 7.7 does not know RFC 8654",
            .extendedNextHop: "OpenBGPD 7.7 does not know RFC 8950",
            .bfd: "the portable OpenBGPD has no BFD",
        ],
        .exabgp: [
            .role: "ExaBGP 4.2 does not know RFC 9234",
            .bfd: "ExaBGP has no BFD",
        ],
    ]

    /// Routers that offer IPv6 next hops of IPv4 routes (RFC 8950) unasked, on sessions over IPv6:
    /// they get them.
    static let alwaysExtendsNextHop: Set<RouterKind> = [.gobgp]

    static func canDo(_ feature: RouterFeature, _ kind: RouterKind) -> Bool {
        lacking[kind]?[feature] == nil
    }

    static func routers(with feature: RouterFeature) -> [RouterKind] {
        RouterKind.chosen.filter { canDo(feature, $0) }
    }
}
