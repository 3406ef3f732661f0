import Foundation

/// ExaBGP 4: it has no table, so what it hears is put together from the messages that it tells.
final class ExaBGPRouter: Router {
    private let configuration: RouterConfiguration
    private let heard: URL
    private let orders: String
    let process: Background

    init(_ lan: NamespacedLAN, _ configuration: RouterConfiguration) throws {
        self.configuration = configuration
        let folder = try lan.makeFolder(of: configuration.host)
        heard = URL(filePath: "\(folder)/heard.json")
        orders = "\(folder)/orders"
        // One process takes down what is told, and passes on what a test orders.
        let scribe = """
            #!/usr/bin/python3
            import os, sys, threading
            def order():
                while True:
                    with open("\(orders)") as pipe:
                        for line in pipe:
                            sys.stdout.write(line)
                            sys.stdout.flush()
            os.mkfifo("\(orders)")
            threading.Thread(target=order, daemon=True).start()
            with open("\(heard.path)", "a", buffering=1) as file:
                for line in iter(sys.stdin.readline, ""):
                    file.write(line)
            """
        try scribe.write(toFile: "\(folder)/scribe", atomically: true, encoding: .utf8)
        try Shell.run(["chmod", "755", "\(folder)/scribe"])
        try Self.text(configuration, scribe: "\(folder)/scribe").write(
            toFile: "\(folder)/exabgp.conf", atomically: true, encoding: .utf8)
        let settings = [
            "daemon.user=root", "daemon.drop=false", "api.cli=false", "api.ack=false",
            "tcp.bind=\(configuration.addresses.joined(separator: " "))",
        ]
        process = try lan.start(
            configuration.host,
            ["env"] + settings.map { "exabgp.\($0)" } + ["exabgp", "\(folder)/exabgp.conf"],
            log: "\(configuration.host).log")
        try lan.waitUntil("ExaBGP answers", log: process) {
            FileManager.default.fileExists(atPath: orders)
        }
    }

    private static func text(_ configuration: RouterConfiguration, scribe: String) -> String {
        let head = "process heard { run \(scribe); encoder json; }\n"
        return head
            + configuration.sessions.map { session in
                let password = session.password.map { "md5-password \"\($0)\";" } ?? ""
                // RFC 8950 has a block of its own.
                let nextHop = session.hasExtendedNextHop ? "nexthop { ipv4 unicast ipv6; }" : ""
                let nextHopFlag = session.hasExtendedNextHop ? "nexthop enable;" : ""
                let asn4 = session.hasFourOctetAS ? "enable" : "disable"
                return """
                    neighbor \(session.neighbor) {
                      local-address \(configuration.local(session));
                      local-as \(configuration.asn); peer-as \(session.neighborAS);
                      router-id \(configuration.identifier); hold-time \(session.holdTime);
                      passive \(session.isPassive); \(password)
                      family { ipv4 unicast; ipv6 unicast; } \(nextHop)
                      capability {
                        graceful-restart 60; route-refresh enable; asn4 \(asn4);
                        extended-message enable; \(nextHopFlag)
                      }
                      api {
                        processes [ heard ]; neighbor-changes;
                        receive { parsed; open; update; notification; refresh; }
                      }
                    }

                    """
            }.joined()
    }

    /// What it told of a session, in order.
    private func events(_ session: RouterSession) -> [RouterJSON] {
        let text = (try? String(contentsOf: heard, encoding: .utf8)) ?? ""
        return text.split(separator: "\n").compactMap { try? RouterJSON(text: String($0)) }
            .filter { $0["neighbor"]["address"]["peer"].text == session.neighbor }
    }

    func routes() throws -> [RouterRoute] {
        configuration.sessions.flatMap { session in
            var held: [String: RouterRoute] = [:]
            for event in events(session) {
                if event["neighbor"]["state"].text == "down" { held = [:] }
                let update = event["neighbor"]["message"]["update"]
                for prefix in update["withdraw"].object.values.flatMap(\.list) {
                    prefix["nlri"].text.map { held[$0] = nil }
                }
                let announced = update["announce"].object.values.flatMap(\.object)
                // The same prefix comes once for each next hop: the global one first.
                let ordered = announced.sorted { !$0.key.hasPrefix("fe80:") && $1.key > $0.key }
                var fresh: [String: RouterRoute] = [:]
                for (nextHop, prefixes) in ordered {
                    for prefix in prefixes.list.compactMap(\.["nlri"].text) {
                        let route = Self.route(prefix, update["attribute"], session)
                        fresh[prefix, default: route].nextHops.append(nextHop)
                    }
                }
                held.merge(fresh) { $1 }
            }
            return Array(held.values)
        }
    }

    private static func route(
        _ prefix: String, _ attributes: RouterJSON, _ session: RouterSession
    ) -> RouterRoute {
        func numbers(_ name: String) -> Set<String> {
            Set(
                attributes[name].list.map { community in
                    community.list.compactMap(\.number).map(String.init).joined(separator: ":")
                })
        }
        return RouterRoute(
            session: session.name, prefix: prefix, nextHops: [],
            asPath: attributes["as-path"].list.compactMap(\.number).map(UInt32.init),
            localPreference: attributes["local-preference"].number.map(UInt32.init),
            communities: numbers("community"), largeCommunities: numbers("large-community"))
    }

    private static let capabilities: [RouterFeature: String] = [
        .extendedNextHop: "5", .extendedMessages: "6", .role: "9", .gracefulRestart: "64",
        .refresh: "2", .enhancedRefresh: "70",
    ]

    func neighbor(_ session: RouterSession) throws -> RouterNeighbor? {
        let events = events(session)
        let opens = events.filter { $0["neighbor"]["open"].isThere }
        let changes = events.compactMap(\.["neighbor"]["state"].text)
        let known = opens.last?["neighbor"]["open"]["capabilities"].object ?? [:]
        return RouterNeighbor(
            isEstablished: changes.last == "up",
            offers: Set(Self.capabilities.filter { known[$0.value] != nil }.keys),
            incarnation: "\(changes.count { $0 == "up" })")
    }

    func askAgain(_ session: RouterSession) throws {
        for family in ["ipv4", "ipv6"] {
            try Shell.run(
                """
                timeout 2 bash -c \
                'echo neighbor \(session.neighbor) announce route-refresh \(family) unicast \
                > \(orders)'
                """)
        }
    }
}
