import Foundation

/// FRRouting: zebra, bgpd and, where a session wants it, bfdd.
final class FRRRouter: Router {
    private let lan: NamespacedLAN
    private let configuration: RouterConfiguration
    private let folder: String
    let process: Background

    init(_ lan: NamespacedLAN, _ configuration: RouterConfiguration) throws {
        self.lan = lan
        self.configuration = configuration
        let place = try lan.makeFolder(of: configuration.host)
        folder = place
        // The daemons give up root for the package's user.
        try Shell.run(["chown", "frr:frr", place])
        try Self.text(configuration).write(
            toFile: "\(place)/bgpd.conf", atomically: true, encoding: .utf8)
        // They find each other's sockets only when they start in this order.
        func start(_ program: String, _ arguments: [String]) throws -> Background {
            try lan.start(
                configuration.host,
                [
                    "/usr/lib/frr/\(program)", "-i", "\(place)/\(program).pid", "-z",
                    "\(place)/zebra.api", "--vty_socket", place, "--log", "stdout",
                ] + arguments, log: "\(configuration.host)-\(program).log")
        }
        let zebra = try start("zebra", ["-f", "/dev/null"])
        try lan.waitUntil("zebra starts", log: zebra) {
            FileManager.default.fileExists(atPath: "\(place)/zebra.api")
        }
        if configuration.sessions.contains(where: { $0.bfdInterval != nil }) {
            let bfdd = try start("bfdd", ["-f", "/dev/null", "--bfdctl", "\(place)/bfd.ctl"])
            try lan.waitUntil("bfdd starts", log: bfdd) {
                FileManager.default.fileExists(atPath: "\(place)/bfdd.vty")
            }
        }
        process = try start(
            "bgpd",
            ["-f", "\(place)/bgpd.conf"] + configuration.addresses.flatMap { ["-l", $0] })
        try lan.waitUntil("FRR answers", log: process) {
            try ask("show bgp summary json", allowFailure: true).contains("{")
        }
    }

    @discardableResult
    func ask(_ command: String, allowFailure: Bool = false) throws -> String {
        try lan.run(
            configuration.host, "vtysh --vty_socket \(folder) -c '\(command)' 2>/dev/null",
            allowFailure: allowFailure
        ).text
    }

    private static func text(_ configuration: RouterConfiguration) -> String {
        var lines = [
            "router bgp \(configuration.asn)", " bgp router-id \(configuration.identifier)",
            " no bgp ebgp-requires-policy", " no bgp default ipv4-unicast",
            " bgp graceful-restart",
        ]
        for session in configuration.sessions {
            let own = " neighbor \(session.neighbor)"
            if session.isUnnumbered {
                lines.append("\(own) interface remote-as external")
            } else {
                lines.append("\(own) remote-as \(session.neighborAS)")
                lines.append("\(own) update-source \(configuration.local(session))")
            }
            lines.append("\(own) timers \(session.holdTime / 3) \(session.holdTime)")
            lines.append("\(own) timers connect 1")
            if session.port != 179 { lines.append("\(own) port \(session.port)") }
            switch session.distance {
            case .direct: break
            case .hops(let count): lines.append("\(own) ebgp-multihop \(count)")
            case .secured(let count): lines.append("\(own) ttl-security hops \(count)")
            }
            if let password = session.password { lines.append("\(own) password \(password)") }
            if session.isPassive { lines.append("\(own) passive") }
            if let role = session.role { lines.append("\(own) local-role \(role)") }
            if session.hasExtendedNextHop { lines.append("\(own) capability extended-nexthop") }
            if let interval = session.bfdInterval {
                lines.append("\(own) bfd 3 \(interval) \(interval)")
            }
        }
        for family in ["ipv4", "ipv6"] {
            lines.append(" address-family \(family) unicast")
            lines += configuration.sessions.map { "  neighbor \($0.neighbor) activate" }
            lines.append(" exit-address-family")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    func routes() throws -> [RouterRoute] {
        try ["ipv4", "ipv6"].flatMap { family in
            let table = try RouterJSON(text: ask("show bgp \(family) unicast json"))
            return try table["routes"].object.keys.sorted().flatMap { prefix in
                try paths(RouterJSON(text: ask("show bgp \(family) unicast \(prefix) json")))
            }
        }
    }

    private func paths(_ entry: RouterJSON) -> [RouterRoute] {
        entry["paths"].list.compactMap { path in
            let peer = path["peer"]["interface"].text ?? path["peer"]["peerId"].text
            guard
                let session = configuration.sessions.first(where: { $0.neighbor == peer }),
                let prefix = entry["prefix"].text
            else { return nil }
            let segments = path["aspath"]["segments"].list
            let nextHops = path["nexthops"].list
                .sorted { $0["scope"].text ?? "" < $1["scope"].text ?? "" }
            return RouterRoute(
                session: session.name, prefix: prefix, nextHops: nextHops.compactMap(\.["ip"].text),
                asPath: segments.flatMap(\.["list"].list).compactMap(\.number).map(UInt32.init),
                localPreference: (path["locPrf"].number ?? path["localPref"].number)
                    .map(UInt32.init),
                communities: Set(path["community"]["list"].list.compactMap(\.text)),
                largeCommunities: Set(path["largeCommunity"]["list"].list.compactMap(\.text)))
        }
    }

    private static let capabilities: [RouterFeature: String] = [
        .refresh: "routeRefresh", .enhancedRefresh: "enhancedRouteRefresh",
        .gracefulRestart: "gracefulRestart", .extendedMessages: "extendedMessage", .role: "role",
        .extendedNextHop: "extendedNexthop",
    ]

    func neighbor(_ session: RouterSession) throws -> RouterNeighbor? {
        let text = try ask("show bgp neighbors \(session.neighbor) json", allowFailure: true)
        guard let entry = try? RouterJSON(text: text)[session.neighbor], entry.isThere else {
            return nil
        }
        let known = entry["neighborCapabilities"]
        let offers = Self.capabilities.filter { _, name in
            known[name].text?.contains("eceived") ?? known[name].isThere
        }
        return RouterNeighbor(
            isEstablished: entry["bgpState"].text == "Established", offers: Set(offers.keys),
            incarnation: "\(entry["connectionsEstablished"].number ?? 0)")
    }

    func askAgain(_ session: RouterSession) throws {
        for family in ["ipv4", "ipv6"] {
            try ask("clear bgp \(family) unicast \(session.neighbor) soft in")
        }
    }
}
