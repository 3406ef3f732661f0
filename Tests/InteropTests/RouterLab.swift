import Foundation
import Testing

extension NamespacedLAN {
    /// A folder for the files of a host's program.
    func makeFolder(of host: String) throws -> String {
        let place = folder.appending(path: "of-\(host)")
        try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
        return place.path
    }

    /// Waits for a program that was started; throws what it printed when it does not come.
    func waitUntil(
        _ what: String, log process: Background, within seconds: Double = 10,
        _ condition: () throws -> Bool
    ) throws {
        let begin = Date()
        while try !condition() {
            guard process.isRunning, Date().timeIntervalSince(begin) < seconds else {
                throw Shell.Failed(command: what, output: .init(status: -1, text: process.text))
            }
            usleep(20_000)
        }
    }
}

/// Daemons on nodes, routers beside them, and Services that the routers are to learn of.
final class RouterLab {
    static let routerAS: UInt32 = 64500
    static let password = "sesame-street"

    let lan: NamespacedLAN
    private(set) var daemons: [String: Background] = [:]
    private(set) var routers: [String: any Router] = [:]
    private var configurations: [String: RouterConfiguration] = [:]

    /// Makes the LAN, with a pool that all nodes announce and no Service yet.
    ///
    /// - Parameter advertisement: `spec` of the BGPAdvertisement.
    init(nodes count: Int = 1, advertisement: String = "{}") throws {
        lan = try NamespacedLAN(nodes: count)
        try lan.write("nodes.yaml", Self.nodeObjects(lan.nodes))
        try lan.write("pool.yaml", Self.pool)
        try advertise("all", advertisement)
    }

    static let pool = """
        apiVersion: metallb.io/v1beta1
        kind: IPAddressPool
        metadata: {name: routed, namespace: metallb-system}
        spec: {addresses: [198.18.0.0/24, "2001:db8:100::/120"]}

        """

    /// Nodes that can be chosen by their name.
    private static func nodeObjects(_ names: [String]) -> String {
        names.enumerated().map { index, name in
            """
            apiVersion: v1
            kind: Node
            metadata: {name: \(name), labels: {kubernetes.io/hostname: \(name)}}
            status:
              addresses: [{type: InternalIP, address: 192.0.2.\(11 + index)}]
              conditions: [{type: Ready, status: "True"}]

            """
        }.joined(separator: "---\n")
    }

    func advertise(_ name: String, _ spec: String) throws {
        try lan.write(
            "advertisement-\(name).yaml",
            """
            apiVersion: metallb.io/v1beta1
            kind: BGPAdvertisement
            metadata: {name: \(name), namespace: metallb-system}
            spec: \(spec)

            """)
    }

    /// Writes a BGPPeer.
    ///
    /// - Parameters:
    ///   - node: the only node that has it; none: all have it.
    ///   - fields: further fields, in braces' notation.
    func peer(
        _ name: String, at address: String, as asn: UInt32 = RouterLab.routerAS, my own: UInt32,
        node: String? = nil, _ fields: String...
    ) throws {
        let place = address.contains(".") || address.contains(":") ? "peerAddress" : "interface"
        let selector = node.map {
            "nodeSelectors: [{matchLabels: {kubernetes.io/hostname: \($0)}}]"
        }
        let spec =
            ["myASN: \(own)", "peerASN: \(asn)", "\(place): \"\(address)\"", "connectTime: 1s"]
            + [selector].compactMap(\.self) + fields.filter { !$0.isEmpty }
        try lan.write(
            "peer-\(name).yaml",
            """
            apiVersion: metallb.io/v1beta2
            kind: BGPPeer
            metadata: {name: \(name), namespace: metallb-system}
            spec: {\(spec.joined(separator: ", "))}

            """)
    }

    /// Writes a Service with 198.18.0.`number` and 2001:db8:100::`number`.
    func service(
        _ name: String, _ number: Int, nodes: [String]? = nil, policy: String = "Cluster"
    ) throws {
        let addresses = Self.addresses(number).joined(separator: ",")
        try lan.write(
            "\(name).yaml",
            Manifests.service(
                name, nodes: nodes ?? lan.nodes, policy: policy,
                annotations: "metallb.io/loadBalancerIPs: \"\(addresses)\""))
    }

    /// A Service's addresses.
    static func addresses(_ number: Int) -> [String] {
        ["198.18.0.\(number)", "2001:db8:100::\(String(number, radix: 16))"]
    }

    /// A Service's routes.
    static func prefixes(_ number: Int) -> Set<String> {
        let addresses = addresses(number)
        return ["\(addresses[0])/32", "\(addresses[1])/128"]
    }

    @discardableResult
    func start(_ node: String, extra: [String] = []) throws -> Background {
        let daemon = try lan.martlet(node, extra: extra)
        daemons[node] = daemon
        return daemon
    }

    /// Adds a router in a host of its own on the LAN, at 192.0.2.`number`.
    @discardableResult
    func router(
        _ kind: RouterKind, number: Int = 50, sessions: [RouterSession],
        _ change: (inout RouterConfiguration) -> Void = { _ in }
    ) throws -> any Router {
        let host = "router-\(number)"
        try lan.attach(host, host: number)
        return try router(kind, in: host, number: number, sessions: sessions, change)
    }

    /// Starts a router in a host that is there.
    @discardableResult
    func router(
        _ kind: RouterKind, in host: String, number: Int, sessions: [RouterSession],
        _ change: (inout RouterConfiguration) -> Void = { _ in }
    ) throws -> any Router {
        var configuration = RouterConfiguration(host, number: number, sessions: sessions)
        change(&configuration)
        let router = try kind.start(lan, configuration)
        routers[host] = router
        configurations[host] = configuration
        return router
    }
}

/// What a router never came to hold; the rest of the test would say the same again.
struct Unmet: Error, CustomStringConvertible {
    let description: String
}

/// What the routers see.
extension RouterLab {
    /// Logs of daemons and routers, for failures.
    var lastWords: Comment {
        let logs = routers.map { host, router in
            "\(host):\n"
                + router.process.text.split(separator: "\n").suffix(15)
                .joined(separator: "\n")
        }
        return Comment(rawValue: ([lan.lastWords.rawValue] + logs).joined(separator: "\n"))
    }

    /// Expects that every session of every router is established; asks four times a second.
    func expectEstablished(within seconds: Double = 20) throws {
        var missing: [String] = []
        let begin = Date()
        repeat {
            missing = try configurations.flatMap { host, configuration in
                try configuration.sessions
                    .filter { try routers[host]?.neighbor($0)?.isEstablished != true }
                    .map { "\(host) \($0.name)" }
            }
            if missing.isEmpty { return }
            usleep(250_000)
        } while Date().timeIntervalSince(begin) < seconds
        throw Unmet(description: "not established: \(missing.sorted())\n\(lastWords)")
    }

    /// Expects that a router holds exactly these prefixes from each of its sessions; returns its
    /// routes.
    @discardableResult
    func expect(
        _ prefixes: Set<String>, at router: any Router, sessions: [String],
        within seconds: Double = 10
    ) throws -> [RouterRoute] {
        var routes: [RouterRoute] = []
        let isHeld = try eventually(within: seconds, every: 0.1) {
            routes = try router.routes()
            return sessions.allSatisfy { name in
                Set(routes.filter { $0.session == name }.map(\.prefix)) == prefixes
            }
        }
        if isHeld == nil {
            let summary = routes.map { "\($0.session) \($0.prefix)" }.sorted()
            throw Unmet(
                description:
                    "wanted \(prefixes.sorted()) from \(sessions), held \(summary)\n\(lastWords)")
        }
        return routes
    }
}
