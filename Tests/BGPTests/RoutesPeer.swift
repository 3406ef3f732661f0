import BGP
import NetworkTypes
import Testing

/// A peer that reads what an Adj-RIB-Out writes and keeps what it is told, as a router would; what
/// it is told in vain, or against the session's terms, is a failed test.
struct RoutesPeer {
    let context: DecodingContext
    private(set) var routes: [Prefix: PathAttributes] = [:]
    /// What came, in order, one entry for each message.
    private(set) var heard: [Heard] = []
    private var isRefreshing = false
    /// Whether to be told something once more is a fault.
    var tolerates = false

    enum Heard: Equatable {
        case announced([Prefix])
        case withdrawn([Prefix])
        case endOfRIB(RouteFamily)
        case mark(RouteRefreshMessage)
    }

    init(_ session: OutboundSession) {
        context = DecodingContext(
            hasFourOctetAS: session.parameters.hasFourOctetAS,
            families: session.parameters.families, isInternal: session.parameters.isInternal,
            maximumLength: session.parameters.maximumLength,
            extendedNextHop: session.parameters.extendedNextHop,
            remoteAS: session.localAS)
    }

    mutating func read(_ bytes: [UInt8]) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let start = rest.startIndex
            try #require(rest.count >= 19)
            let length = Int(rest[start + 16]) << 8 | Int(rest[start + 17])
            try #require((19...context.maximumLength).contains(length) && length <= rest.count)
            let message = Array(rest.prefix(length))
            rest = rest.dropFirst(length)
            switch try BGPMessage(decoding: message.span, context: context) {
            case .update(let update): try apply(update)
            case .routeRefresh(let mark): heard.append(.mark(mark))
            case let other: Issue.record("an Adj-RIB-Out sends no \(other)")
            }
        }
    }

    private mutating func apply(_ update: UpdateMessage) throws {
        #expect(update.faults.isEmpty)
        if let family = update.endOfRIB {
            #expect(update.announced.isEmpty && update.withdrawn.isEmpty)
            heard.append(.endOfRIB(family))
            return
        }
        try #require(update.announced.isEmpty != update.withdrawn.isEmpty)
        for prefix in update.withdrawn {
            #expect(routes.removeValue(forKey: prefix) != nil, "withdrawn but never told")
        }
        for prefix in update.announced {
            let before = routes.updateValue(update.attributes, forKey: prefix)
            if !tolerates { #expect(before != update.attributes, "told twice") }
        }
        heard.append(
            update.announced.isEmpty ? .withdrawn(update.withdrawn) : .announced(update.announced))
    }

    mutating func forgetHeard() { heard = [] }
}

/// Sessions and prefixes that tests of routes are about.
enum RoutesGround {
    static let nextHopIPv4 = NextHop(IPAddress(ipv4: 0xc000_0201))
    static let nextHopIPv6 = NextHop(
        IPAddress(family: .ipv6, bits: 0x2001_0db8_0000_0000_0000_0000_0000_0001))

    /// A session of AS 64496 with AS 64497, or inside AS 64496, in both families.
    static func session(
        isInternal: Bool = false, role: PeerRole? = nil,
        change: (inout SessionParameters) -> Void = { _ in }
    ) -> OutboundSession {
        var parameters = SessionParameters(
            remoteAS: isInternal ? 64496 : 64497, remoteRouterID: 0xc633_6401,
            isInternal: isInternal, holdTime: 90, keepaliveTime: 30)
        parameters.families = [.ipv4, .ipv6]
        parameters.hasFourOctetAS = true
        parameters.hasRouteRefresh = true
        change(&parameters)
        return OutboundSession(
            parameters: parameters, localAS: 64496,
            nextHops: [.ipv4: nextHopIPv4, .ipv6: nextHopIPv6], role: role)
    }

    /// The `index`th prefix of a family: host routes, then ever wider ones, of documentation and
    /// benchmarking blocks.
    static func prefix(_ index: Int, _ family: IPAddress.Family = .ipv4) throws -> Prefix {
        let length = family.bitWidth - (index >> 17)
        let base: UInt128 = family == .ipv4 ? 0xc612_0000 : 0x2001_0db8 << 96
        let host = UInt128(index & 0x1ffff) << UInt128(index >> 17)
        let address = IPAddress(family: family, bits: base | host)
        return try #require(Prefix(address, length: length))
    }

    static func prefix(_ text: String) throws -> Prefix { try #require(Prefix(text)) }

    /// A table of the first `count` prefixes, all with one route.
    static func table(
        _ count: Int, _ families: [IPAddress.Family] = [.ipv4], _ route: Route = Route()
    ) throws -> RouteTable {
        var table = RouteTable()
        for family in families {
            table.reserve(count, family)
            for index in 0..<count { table[try prefix(index, family)] = route }
        }
        return table
    }
}

extension AdjRIBOut {
    /// All that is pending, as bytes.
    mutating func drain(limit: Int = .max) -> [UInt8] {
        var bytes: [UInt8] = []
        write(into: &bytes, limit: limit)
        return bytes
    }
}
