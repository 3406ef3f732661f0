import Foundation

/// OpenBGPD, the portable edition.
final class OpenBGPDRouter: Router {
    private let configuration: RouterConfiguration
    private let socket: String
    let process: Background

    init(_ lan: NamespacedLAN, _ configuration: RouterConfiguration) throws {
        self.configuration = configuration
        let folder = try lan.makeFolder(of: configuration.host)
        socket = "\(folder)/bgpd.sock"
        let file = "\(folder)/bgpd.conf"
        try Self.text(configuration, socket: socket).write(
            toFile: file, atomically: true, encoding: .utf8)
        // Its reader insists on a file that nobody else may read, and its parts on a place under
        // /run that only the package's service makes: a /run of its own, seen by nobody else.
        let script = """
            chmod 600 \(file) && mount -t tmpfs none /run && mkdir -p /run/openbgpd &&
            exec /usr/sbin/bgpd -d -v -f \(file)
            """
        process = try lan.start(
            configuration.host, ["bash", "-c", script], log: "\(configuration.host).log")
        try lan.waitUntil("OpenBGPD answers", log: process) {
            try ask("show summary", allowFailure: true).contains("Neighbor")
        }
    }

    @discardableResult
    private func ask(_ command: String, allowFailure: Bool = false) throws -> String {
        try Shell.run("bgpctl -s \(socket) \(command) 2>&1", allowFailure: allowFailure).text
    }

    private static func text(_ configuration: RouterConfiguration, socket: String) -> String {
        let listen = configuration.addresses.map { "listen on \($0)\n" }.joined()
        return """
            AS \(configuration.asn)
            router-id \(configuration.identifier)
            socket "\(socket)"
            fib-update no
            \(listen)
            \(configuration.sessions.map { text($0, configuration) }.joined())
            allow from any
            deny to any

            """
    }

    private static func text(
        _ session: RouterSession, _ configuration: RouterConfiguration
    ) -> String {
        var lines = [
            "remote-as \(session.neighborAS)", "descr \"\(session.name)\"",
            "holdtime \(session.holdTime)",
            "announce IPv4 unicast", "announce IPv6 unicast", "announce enhanced refresh yes",
            "announce restart yes", "announce policy \(session.role ?? "no")",
        ]
        // With an address of its own for a session, 7.7 gives its listener no key for the
        // neighbour.
        if let local = session.local { lines.append("local-address \(local)") }
        if session.port != 179 { lines.append("port \(session.port)") }
        switch session.distance {
        case .direct: break
        case .hops(let count): lines.append("multihop \(count)")
        case .secured: lines.append("ttl-security yes")
        }
        if let password = session.password { lines.append("tcp md5sig password \"\(password)\"") }
        if session.isPassive { lines.append("passive") }
        return "neighbor \(session.neighbor) {\n  \(lines.joined(separator: "\n  "))\n}\n"
    }

    func routes() throws -> [RouterRoute] {
        try RouterJSON(text: ask("-j show rib in detail"))["rib"].list.compactMap { entry in
            guard let prefix = entry["prefix"].text,
                let session = entry["neighbor"]["description"].text
            else { return nil }
            return RouterRoute(
                session: session, prefix: prefix,
                nextHops: [entry["exit_nexthop"].text].compactMap(\.self),
                asPath: (entry["aspath"].text ?? "").split(separator: " ").compactMap(Self.asn),
                localPreference: entry["localpref"].number.map(UInt32.init),
                communities: Set(entry["communities"].list.compactMap(\.text)),
                largeCommunities: Set(entry["large_communities"].list.compactMap(\.text)))
        }
    }

    /// `64501`, or `64086.59905` for one of four octets.
    private static func asn(_ text: Substring) -> UInt32? {
        let parts = text.split(separator: ".").compactMap { UInt32($0) }
        return parts.count == 2 ? parts[0] << 16 | parts[1] : parts.first
    }

    private static let capabilities: [RouterFeature: String] = [
        .refresh: "refresh", .enhancedRefresh: "enhanced_refresh",
        .gracefulRestart: "graceful_restart", .role: "open_policy_role",
    ]

    func neighbor(_ session: RouterSession) throws -> RouterNeighbor? {
        let text = try ask("-j show neighbor \(session.neighbor)", allowFailure: true)
        guard let entry = try? RouterJSON(text: text)["neighbors"].list.first else { return nil }
        let known = entry["session"]["remote"]["capabilities"]
        return RouterNeighbor(
            isEstablished: entry["state"].text == "Established",
            offers: Set(Self.capabilities.filter { known[$0.value].isThere }.keys),
            incarnation: "\(entry["stats"]["message"]["received"]["open"].number ?? 0)")
    }

    func askAgain(_ session: RouterSession) throws {
        try ask("neighbor \(session.neighbor) refresh")
    }
}
