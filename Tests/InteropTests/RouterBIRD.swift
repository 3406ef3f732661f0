import Foundation

/// BIRD 2.
final class BIRDRouter: Router {
    private let lan: NamespacedLAN
    private let configuration: RouterConfiguration
    private let folder: String
    let process: Background
    /// Since when each session has been what it is, as it was told first.
    private var beginnings: [String: (text: String, milliseconds: Int)] = [:]

    init(_ lan: NamespacedLAN, _ configuration: RouterConfiguration) throws {
        self.lan = lan
        self.configuration = configuration
        folder = try lan.makeFolder(of: configuration.host)
        let file = "\(folder)/bird.conf"
        try Self.text(configuration).write(toFile: file, atomically: true, encoding: .utf8)
        process = try lan.start(
            configuration.host,
            ["bird", "-f", "-c", file, "-s", "\(folder)/ctl", "-P", "\(folder)/pid"],
            log: "\(configuration.host).log")
        try lan.waitUntil("BIRD answers", log: process) {
            try ask("show status", allowFailure: true).contains("Daemon is up")
        }
    }

    @discardableResult
    func ask(_ command: String, allowFailure: Bool = false) throws -> String {
        try Shell.run(
            ["birdc", "-s", "\(folder)/ctl"] + command.split(separator: " ").map(String.init),
            allowFailure: allowFailure
        ).text
    }

    private static func text(_ configuration: RouterConfiguration) -> String {
        """
        router id \(configuration.identifier);
        log stderr all;
        protocol device {}
        protocol bfd { interface "*" {}; }
        protocol kernel { ipv4 { import none; export where source = RTS_BGP; }; }
        protocol kernel { ipv6 { import none; export where source = RTS_BGP; }; }
        \(statics(configuration.exports))

        """ + configuration.sessions.map { text($0, configuration) }.joined(separator: "\n")
    }

    private static func statics(_ prefixes: [String]) -> String {
        ["ipv4", "ipv6"].map { family in
            let routes = prefixes.filter { $0.contains(":") == (family == "ipv6") }
                .map { "route \($0) blackhole;" }
            return "protocol static { \(family); \(routes.joined(separator: " ")) }"
        }.joined(separator: "\n")
    }

    private static func text(
        _ session: RouterSession, _ configuration: RouterConfiguration
    ) -> String {
        var lines = [
            "connect delay time 1; connect retry time 1; error wait time 1,2;",
            "hold time \(session.holdTime); graceful restart on; enable extended messages on;",
            "enable as4 \(session.hasFourOctetAS ? "on" : "off");",
        ]
        if session.isUnnumbered {
            lines += [
                "local as \(configuration.asn); interface \"\(session.neighbor)\"; direct;",
                "neighbor range fe80::/10 as \(session.neighborAS); dynamic name \"unnumbered\";",
            ]
        } else {
            let port = session.port == 179 ? "" : "port \(session.port)"
            lines += [
                "local \(configuration.local(session)) as \(configuration.asn);",
                "neighbor \(session.neighbor) \(port) as \(session.neighborAS);",
            ]
        }
        switch session.distance {
        case .direct: if !session.isUnnumbered { lines.append("direct;") }
        case .hops(let count): lines.append("multihop \(count);")
        case .secured: lines.append("direct; ttl security on;")
        }
        if let password = session.password { lines.append("password \"\(password)\";") }
        if session.isPassive { lines.append("passive on;") }
        if let role = session.role { lines.append("local role \(role);") }
        if let interval = session.bfdInterval {
            lines.append("bfd { interval \(interval) ms; multiplier 3; };")
        }
        let extended = session.hasExtendedNextHop ? "extended next hop on;" : ""
        let export = "export where source = RTS_STATIC"
        lines.append("ipv4 { import all; \(export); \(extended) };")
        lines.append("ipv6 { import all; \(export); };")
        var text = "protocol bgp \(session.name) {\n  \(lines.joined(separator: "\n  "))\n}\n"
        if session.isUnnumbered {
            text += """
                protocol radv { interface "\(session.neighbor)" {
                  min ra interval 3; max ra interval 4; default lifetime 0;
                }; }

                """
        }
        return text
    }

    /// A dynamic session has the name that BIRD gave it.
    private func name(_ session: RouterSession) -> String {
        session.isUnnumbered ? "unnumbered1" : session.name
    }

    func routes() throws -> [RouterRoute] {
        var routes: [RouterRoute] = []
        var prefix = ""
        for line in try ask("show route all").split(separator: "\n") {
            let words = line.split(whereSeparator: \.isWhitespace).map(String.init)
            if let open = words.first(where: { $0.hasPrefix("[") && !$0.hasPrefix("[AS") }) {
                if line.first?.isWhitespace != true { prefix = words[0] }
                var name = String(open.dropFirst())
                if name == "unnumbered1" {
                    name = configuration.sessions.first(where: \.isUnnumbered)?.name ?? name
                }
                routes.append(RouterRoute(session: name, prefix: prefix, nextHops: [], asPath: []))
            }
            guard let colon = words.first, colon.hasPrefix("BGP."), !routes.isEmpty else {
                continue
            }
            let values = Array(words.dropFirst())
            let last = routes.count - 1
            switch colon.dropFirst(4).dropLast() {
            case "as_path": routes[last].asPath = values.compactMap { UInt32($0) }
            // An unspecified global address stands for none.
            case "next_hop": routes[last].nextHops = values.filter { $0 != "::" }
            case "local_pref": routes[last].localPreference = values.first.flatMap { UInt32($0) }
            case "community": routes[last].communities = Self.tuples(values)
            case "large_community": routes[last].largeCommunities = Self.tuples(values)
            default: break
            }
        }
        return routes
    }

    /// `(1,2) (3,4)` or `(1, 2, 3)` as `1:2`, `3:4` and `1:2:3`.
    private static func tuples(_ words: [String]) -> Set<String> {
        Set(
            words.joined().split(separator: ")").map {
                $0.dropFirst().split(separator: ",").joined(separator: ":")
            })
    }

    func neighbor(_ session: RouterSession) throws -> RouterNeighbor? {
        let text = try ask("show protocols all \(name(session))", allowFailure: true)
        let lines = text.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
        guard let head = lines.first(where: { $0.hasPrefix("\(name(session)) ") }) else {
            return nil
        }
        let part = lines.drop { $0 != "Neighbor capabilities" }.prefix { !$0.hasPrefix("Session") }
        var offers: Set<RouterFeature> = []
        for line in part {
            switch line {
            case "Route refresh": offers.insert(.refresh)
            case "Enhanced refresh": offers.insert(.enhancedRefresh)
            case "Extended message": offers.insert(.extendedMessages)
            case "Graceful restart": offers.insert(.gracefulRestart)
            case "Extended next hop": offers.insert(.extendedNextHop)
            case let line where line.hasPrefix("Role:"): offers.insert(.role)
            default: break
            }
        }
        let words = head.split(separator: " ")
        return RouterNeighbor(
            isEstablished: words.last == "Established", offers: offers,
            incarnation: words.count > 4 ? beginning(of: session, String(words[4])) : "")
    }

    /// BIRD works the time of day out anew for each answer, from two clocks: the same moment may be
    /// told as the next millisecond.
    private func beginning(of session: RouterSession, _ text: String) -> String {
        let numbers = text.split { ":.".contains($0) }.compactMap { Int($0) }
        guard numbers.count == 4 else { return text }
        let milliseconds =
            ((numbers[0] * 60 + numbers[1]) * 60 + numbers[2]) * 1000 + numbers[3]
        if let known = beginnings[name(session)], abs(known.milliseconds - milliseconds) <= 5 {
            return known.text
        }
        beginnings[name(session)] = (text, milliseconds)
        return text
    }

    func askAgain(_ session: RouterSession) throws { try ask("reload in \(name(session))") }
}
