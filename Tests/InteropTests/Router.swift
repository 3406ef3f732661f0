import Foundation

/// A router of others that the daemon is tested against: a program in a host of its own, with a
/// configuration, sockets and files of its own in the LAN's folder. What it holds is read from it.
protocol Router: AnyObject {
    init(_ lan: NamespacedLAN, _ configuration: RouterConfiguration) throws

    /// The process, for signals.
    var process: Background { get }

    /// Every path that it has heard and holds, best or not.
    func routes() throws -> [RouterRoute]

    /// What it says of a session; `nil` while it says nothing.
    func neighbor(_ session: RouterSession) throws -> RouterNeighbor?

    /// Has it ask the neighbour for its routes again (RFC 2918), where it can.
    func askAgain(_ session: RouterSession) throws
}

/// The programs.
enum RouterKind: String, CaseIterable, CustomStringConvertible, Sendable {
    case bird = "BIRD"
    case frr = "FRR"
    case gobgp = "GoBGP"
    case openbgpd = "OpenBGPD"
    case exabgp = "ExaBGP"

    var description: String { rawValue }

    /// All, unless MARTLET_ROUTERS names some: `BIRD,FRR`.
    static let chosen: [RouterKind] = {
        let names = ProcessInfo.processInfo.environment["MARTLET_ROUTERS"]?.split(separator: ",")
        return names?.compactMap { RouterKind(rawValue: String($0)) } ?? allCases
    }()

    func start(_ lan: NamespacedLAN, _ configuration: RouterConfiguration) throws -> any Router {
        let type: any Router.Type =
            switch self {
            case .bird: BIRDRouter.self
            case .frr: FRRRouter.self
            case .gobgp: GoBGPRouter.self
            case .openbgpd: OpenBGPDRouter.self
            case .exabgp: ExaBGPRouter.self
            }
        return try type.init(lan, configuration)
    }
}

/// What two ends may agree on beside routes.
enum RouterFeature: String, CaseIterable, Sendable {
    case refresh = "route refresh"
    case asking = "asking for a refresh"
    case enhancedRefresh = "enhanced route refresh"
    case gracefulRestart = "graceful restart"
    case extendedMessages = "extended messages"
    case role = "role"
    case extendedNextHop = "extended next hop"
    case bfd = "BFD"
}

/// A router as a test wants it.
struct RouterConfiguration {
    /// The host that it runs in, and the name of its folder.
    var host: String
    /// Its router ID; one of its IPv4 addresses.
    var identifier: String
    var asn: UInt32 = 64500
    /// Where it listens; none: it does not.
    var addresses: [String]
    var sessions: [RouterSession]
    /// Prefixes that it announces to all (BIRD).
    var exports: [String] = []

    /// A router at 192.0.2.`number` and 2001:db8:2::`number`.
    init(_ host: String, number: Int, sessions: [RouterSession]) {
        self.host = host
        identifier = "192.0.2.\(number)"
        addresses = ["192.0.2.\(number)", "2001:db8:2::\(number)"]
        self.sessions = sessions
    }

    /// Its own address for a session: the one of the neighbour's family, unless given.
    func local(_ session: RouterSession) -> String {
        session.local
            ?? addresses.first { $0.contains(":") == session.neighbor.contains(":") }
            ?? identifier
    }
}

/// The router's end of a session.
struct RouterSession {
    /// How far away the neighbour is, and what is believed of the TTL.
    enum Distance: Equatable {
        case direct
        case hops(Int)
        /// RFC 5082.
        case secured(Int)
    }

    /// Letters and digits.
    let name: String
    /// The neighbour's address, or the interface that it is heard on.
    var neighbor: String
    var neighborAS: UInt32
    var local: String?
    var port = 179
    var password: String?
    var isPassive = false
    var holdTime = 9
    /// The router's own role (RFC 9234).
    var role: String?
    var distance = Distance.direct
    /// Whether the neighbour's IPv4 routes may have IPv6 next hops (RFC 8950).
    var hasExtendedNextHop = false
    /// Interval in milliseconds of BFD beside, times 3.
    var bfdInterval: Int?
    /// Whether the router has AS numbers of four octets.
    var hasFourOctetAS = true

    init(_ name: String, _ neighbor: String, as neighborAS: UInt32) {
        self.name = name
        self.neighbor = neighbor
        self.neighborAS = neighborAS
    }

    /// Whether the neighbour is whoever is heard on an interface.
    var isUnnumbered: Bool { !neighbor.contains(".") && !neighbor.contains(":") }
}

/// A path as a router holds it.
struct RouterRoute: Hashable {
    /// The name of the session that brought it.
    var session: String
    var prefix: String
    /// The global one first, where there are two.
    var nextHops: [String]
    var asPath: [UInt32]
    var localPreference: UInt32?
    var communities: Set<String> = []
    var largeCommunities: Set<String> = []

    var isIPv6: Bool { prefix.contains(":") }
}

/// A session as a router sees it.
struct RouterNeighbor {
    var isEstablished: Bool
    /// What the neighbour offered.
    var offers: Set<RouterFeature>
    /// Another text as soon as the session is another one.
    var incarnation: String
}

/// What routers print: JSON of any shape.
struct RouterJSON {
    let value: Any?

    init(_ value: Any?) { self.value = value }

    init(text: String) throws {
        value = try JSONSerialization.jsonObject(
            with: Data(text.utf8), options: [.fragmentsAllowed])
    }

    subscript(key: String) -> RouterJSON { RouterJSON((value as? [String: Any])?[key]) }
    var list: [RouterJSON] { (value as? [Any] ?? []).map { RouterJSON($0) } }
    var object: [String: RouterJSON] {
        (value as? [String: Any] ?? [:]).mapValues { RouterJSON($0) }
    }
    var text: String? { value as? String }
    var number: Int? { (value as? NSNumber)?.intValue }
    var isThere: Bool { value != nil }
}
