import Foundation
import Testing

extension RealNetwork {
    @Suite struct RouterRecipeTests {}
}

/// The router configurations in deploy/routers, each run as it stands, with the nodes' side that
/// stands beside them.
extension RealNetwork.RouterRecipeTests {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "deploy/routers")

    /// A program that runs one of the files, and how it is looked at.
    enum Recipe: String, CaseIterable, CustomStringConvertible {
        case bird = "bird.conf"
        case frr = "frr.conf"
        case openbgpd = "bgpd.conf"
        case gobgp = "gobgp.toml"

        var description: String { rawValue }
        /// Whether it puts routes into the kernel.
        var hasKernel: Bool { self == .bird || self == .frr }
        var file: String { folder.appending(path: rawValue).path }
    }

    private static let router = "router"
    private static let prefixes = ["198.18.0.10", "2001:db8:100::a"]

    /// Starts the program, and says with which command its routes are shown.
    private func start(_ recipe: Recipe, _ lan: NamespacedLAN) throws -> String {
        let place = try lan.makeFolder(of: Self.router)
        func run(_ name: String, _ arguments: [String]) throws -> Background {
            try lan.start(Self.router, arguments, log: "router-\(name).log")
        }
        switch recipe {
        case .bird:
            _ = try run(
                "bird",
                ["bird", "-f", "-c", recipe.file, "-s", "\(place)/ctl", "-P", "\(place)/pid"])
            return "birdc -s \(place)/ctl show bfd sessions"
        case .frr:
            try Shell.run(["chown", "frr:frr", place])
            for program in ["zebra", "bfdd", "bgpd"] {
                let control = program == "bfdd" ? ["--bfdctl", "\(place)/bfd.ctl"] : []
                let process = try run(
                    program,
                    [
                        "/usr/lib/frr/\(program)", "-i", "\(place)/\(program).pid", "-z",
                        "\(place)/zebra.api", "--vty_socket", place, "-f", "/dev/null",
                    ] + control)
                try lan.waitUntil("\(program) starts", log: process) {
                    FileManager.default.fileExists(atPath: "\(place)/\(program).vty")
                        && FileManager.default.fileExists(atPath: "\(place)/zebra.api")
                }
            }
            try lan.run(Self.router, "vtysh --vty_socket \(place) -f \(recipe.file)")
            return "vtysh --vty_socket \(place) -c 'show bfd peers brief'"
        case .openbgpd:
            // A copy, closed to others as it has to be, and a /run of its own.
            let script = """
                cp \(recipe.file) \(place)/bgpd.conf && chmod 600 \(place)/bgpd.conf &&
                mount -t tmpfs none /run && mkdir -p /run/openbgpd &&
                exec /usr/sbin/bgpd -d -f \(place)/bgpd.conf
                """
            let process = try run("bgpd", ["unshare", "-m", "bash", "-c", script])
            let root = "/proc/\(process.processID)/root"
            return "bgpctl -s \(root)/run/openbgpd/bgpd.sock.0 show rib"
        case .gobgp:
            _ = try run("gobgpd", ["gobgpd", "-f", recipe.file, "--pprof-disable", "-p"])
            return "gobgp global rib -a ipv4; gobgp global rib -a ipv6"
        }
    }

    /// The nodes that a router forwards an address to or, without a part in the kernel, its table
    /// holds; the best one begins with `>`.
    private func holders(
        of address: String, _ recipe: Recipe, _ show: String, _ lan: NamespacedLAN
    ) throws -> [String] {
        let line =
            recipe.hasKernel
            ? "ip \(address.contains(":") ? "-6" : "-4") route show \(address)" : show
        let lines = try lan.run(Self.router, line, allowFailure: true).text
            .split(separator: "\n")
            .filter { recipe.hasKernel ? $0.contains("via") : $0.contains(address) }
        return try ["a", "b"].compactMap { letter in
            let hops = try self.hops(letter, address, lan)
            let held = lines.first { line in
                line.split(whereSeparator: \.isWhitespace).contains { hops.contains(String($0)) }
            }
            return held.map { $0.hasPrefix("*>") ? ">\(letter)" : letter }
        }
    }

    /// The next hops that stand for a node.
    private func hops(
        _ letter: String, _ address: String, _ lan: NamespacedLAN
    ) throws -> Set<String> {
        let number = letter == "a" ? 11 : 12
        guard address.contains(":") else { return ["192.0.2.\(number)"] }
        let own =
            try lan.run("node-\(letter)", "ip -6 -o addr show dev eth0 scope link").text
            .split(whereSeparator: \.isWhitespace).first { $0.hasPrefix("fe80") } ?? ""
        return ["2001:db8:2::\(number)", String(own.prefix { $0 != "/" })]
    }

    @Test(
        "a router's configuration takes both nodes, prefers who stays, and follows who goes",
        arguments: Recipe.allCases)
    func recipe(_ recipe: Recipe) throws {
        let lan = try NamespacedLAN(nodes: 2)
        try lan.attach(Self.router, host: 1)
        try lan.write("nodes.yaml", Manifests.nodes(lan.nodes))
        let own = Self.folder.appending(path: "martlet.yaml")
        try lan.write("martlet.yaml", String(contentsOf: own, encoding: .utf8))
        try lan.write(
            "web.yaml",
            Manifests.service(
                "web", nodes: lan.nodes,
                annotations:
                    "metallb.io/loadBalancerIPs: \"\(Self.prefixes.joined(separator: ","))\""))
        let show = try start(recipe, lan)
        let daemons = try lan.nodes.map {
            try lan.martlet($0, extra: ["--bgp-drain-time", "4"])
        }

        func expect(_ states: [[String]], _ what: String, within seconds: Double) throws {
            let isSo = try eventually(within: seconds, every: 0.1) {
                try Self.prefixes.allSatisfy {
                    states.contains(try holders(of: $0, recipe, show, lan))
                }
            }
            let seen = try Self.prefixes.map { try holders(of: $0, recipe, show, lan) }
            #expect(isSo != nil, "\(what): \(seen) \(lan.lastWords)")
        }
        try expect([["a", "b"], [">a", "b"], ["a", ">b"]], "both nodes", within: 30)
        if recipe.hasKernel {
            // FRR's first BFD sessions are not its last ones.
            let isUp = try eventually(within: 15, every: 0.2) {
                let text = try lan.run(Self.router, show, allowFailure: true).text
                return text.matches(of: /(?i)\bup\b/).count == 2
            }
            #expect(isUp != nil, lan.lastWords)
            try expect([["a", "b"]], "both nodes, watched", within: 15)
        }
        // GoBGP does not always compare anew what changes in the second in which it came.
        if recipe == .gobgp { usleep(2_000_000) }

        daemons[0].signal(SIGTERM, wait: false)
        try expect([["b"], ["a", ">b"]], "who is about to go is not preferred", within: 3.5)
        #expect(daemons[0].isRunning, lan.lastWords)
        try expect([["b"], [">b"]], "who has gone", within: 8)
    }
}
