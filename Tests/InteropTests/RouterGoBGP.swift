import Foundation

/// GoBGP 3.
final class GoBGPRouter: Router {
    private let lan: NamespacedLAN
    private let configuration: RouterConfiguration
    let process: Background

    init(_ lan: NamespacedLAN, _ configuration: RouterConfiguration) throws {
        self.lan = lan
        self.configuration = configuration
        let file = "\(try lan.makeFolder(of: configuration.host))/gobgpd.json"
        try JSONSerialization.data(withJSONObject: Self.document(configuration))
            .write(to: URL(filePath: file))
        process = try lan.start(
            configuration.host,
            [
                "gobgpd", "-t", "json", "-f", file, "--api-hosts", "127.0.0.1:50051",
                "--pprof-disable", "-p",
            ], log: "\(configuration.host).log")
        try lan.waitUntil("GoBGP answers", log: process) {
            try ask("neighbor", allowFailure: true).contains("[")
        }
    }

    @discardableResult
    private func ask(_ command: String, allowFailure: Bool = false) throws -> String {
        try lan.run(
            configuration.host, "gobgp \(command) -j 2>/dev/null", allowFailure: allowFailure
        ).text
    }

    private static func document(_ configuration: RouterConfiguration) -> [String: Any] {
        let global: [String: Any] = [
            "as": configuration.asn, "router-id": configuration.identifier, "port": 179,
            "local-address-list": configuration.addresses,
        ]
        return [
            "global": ["config": global],
            "neighbors": configuration.sessions.map { document($0, configuration) },
        ]
    }

    private static func document(
        _ session: RouterSession, _ configuration: RouterConfiguration
    ) -> [String: Any] {
        var peer: [String: Any] = [
            "neighbor-address": session.neighbor, "peer-as": session.neighborAS,
        ]
        if let password = session.password { peer["auth-password"] = password }
        let families = ["ipv4-unicast", "ipv6-unicast"].map { name -> [String: Any] in
            [
                "config": ["afi-safi-name": name],
                "mp-graceful-restart": ["config": ["enabled": true]],
            ]
        }
        let timers: [String: Any] = [
            "hold-time": session.holdTime, "keepalive-interval": session.holdTime / 3,
            "connect-retry": 1, "idle-hold-time-after-reset": 1,
        ]
        var multihop: [String: Any] = [:]
        var security: [String: Any] = [:]
        switch session.distance {
        case .direct: break
        case .hops(let count): multihop = ["enabled": true, "multihop-ttl": count]
        case .secured(let count): security = ["enabled": true, "ttl-min": 256 - count]
        }
        return [
            "config": peer, "ebgp-multihop": ["config": multihop],
            "ttl-security": ["config": security], "timers": ["config": timers],
            "afi-safis": families,
            "transport": [
                "config": [
                    "passive-mode": session.isPassive,
                    "local-address": configuration.local(session),
                ] as [String: Any]
            ],
            "graceful-restart": [
                "config": [
                    "enabled": true, "restart-time": 60, "notification-enabled": true,
                ] as [String: Any]
            ],
        ]
    }

    func routes() throws -> [RouterRoute] {
        try ["ipv4", "ipv6"].flatMap { family in
            let text = try ask("global rib -a \(family)", allowFailure: true)
            guard let table = try? RouterJSON(text: text) else { return [RouterRoute]() }
            return table.object.flatMap { prefix, paths in
                paths.list.compactMap { path in
                    configuration.sessions.first { $0.neighbor == path["neighbor-ip"].text }
                        .map { self.path(path, prefix, $0) }
                }
            }
        }
    }

    private func path(
        _ path: RouterJSON, _ prefix: String, _ session: RouterSession
    ) -> RouterRoute {
        var route = RouterRoute(session: session.name, prefix: prefix, nextHops: [], asPath: [])
        for attribute in path["attrs"].list {
            switch attribute["type"].number {
            case 2:
                route.asPath = attribute["as_paths"].list.flatMap(\.["asns"].list)
                    .compactMap(\.number).map(UInt32.init)
            case 3, 14: route.nextHops = [attribute["nexthop"].text].compactMap(\.self)
            case 5: route.localPreference = attribute["value"].number.map(UInt32.init)
            case 8:
                route.communities = Set(
                    attribute["communities"].list.compactMap(\.number)
                        .map { "\($0 >> 16):\($0 & 0xffff)" })
            case 32:
                route.largeCommunities = Set(
                    attribute["value"].list.map { value in
                        ["ASN", "LocalData1", "LocalData2"]
                            .map { "\(value[$0].number ?? 0)" }.joined(separator: ":")
                    })
            default: break
            }
        }
        return route
    }

    private static let capabilities: [RouterFeature: String] = [
        .refresh: "RouteRefresh", .enhancedRefresh: "EnhancedRouteRefresh",
        .gracefulRestart: "GracefulRestart", .extendedNextHop: "ExtendedNexthop",
    ]

    func neighbor(_ session: RouterSession) throws -> RouterNeighbor? {
        let text = try ask("neighbor \(session.neighbor)", allowFailure: true)
        guard let entry = try? RouterJSON(text: text), entry["state"].isThere else { return nil }
        let types = entry["state"]["remote_cap"].list.compactMap(\.["type_url"].text)
        let offers = Self.capabilities.filter { _, name in
            types.contains { $0.hasSuffix(".\(name)Capability") }
        }
        return RouterNeighbor(
            isEstablished: entry["state"]["session_state"].number == 6,
            offers: Set(offers.keys),
            incarnation: "\(entry["timers"]["state"]["uptime"]["seconds"].number ?? 0)")
    }

    func askAgain(_ session: RouterSession) throws {
        throw Unmet(description: "GoBGP asks nobody again")
    }
}
