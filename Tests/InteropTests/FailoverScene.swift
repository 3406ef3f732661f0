import Foundation
import Testing

/// Three speakers as on three machines, with a Service behind all of them, and a judge.
///
/// Each has a state folder of its own; they share a key and find each other by their Node objects.
final class FailoverScene: JudgedScene {
    static let addresses = ["192.0.2.200", "2001:db8:2::200"]
    static let port = 7000

    let lan: NamespacedLAN
    let judge: AddressJudge
    /// The address that the judge asks for.
    var address: String { judge.address }
    private(set) var daemons: [String: Background] = [:]

    /// Starts everything and waits until exactly one node answers and all see each other.
    ///
    /// - Parameter joined: node c is named by no Node object's address; it knows node a by --join.
    init(_ address: String = addresses[0], joined: Bool = false) throws {
        lan = try NamespacedLAN(nodes: 3)
        try lan.prepareFaults()
        try Self.makeKey(lan.folder.appending(path: "gossip.keys"))
        try lan.write("pool.yaml", Manifests.pool)
        try lan.write("nodes.yaml", Self.nodeObjects(lan.nodes, hidden: joined ? ["node-c"] : []))
        try lan.write(
            "web.yaml",
            Manifests.service(
                "web", nodes: lan.nodes, policy: "Local", port: Self.port, target: Self.port,
                transport: "UDP"))
        for node in lan.nodes {
            let backend = "backend-\(node.suffix(1))"
            _ = try lan.start(
                backend, [try ProbeTrain.tool("Echo", lan), "\(Self.port)"], log: "\(backend).log")
        }
        judge = try AddressJudge(lan, address)
        for node in lan.nodes {
            try start(node, extra: joined && node == "node-c" ? ["--join", "192.0.2.11"] : [])
        }
        let isReady = eventually(within: 15, every: 0.05) {
            owner() != nil && lan.nodes.allSatisfy { alive(at: $0) == lan.nodes }
        }
        #expect(isReady != nil, lan.lastWords)
        // Until the opening announcements are over.
        usleep(1_000_000)
    }

    /// Starts, or starts again, the speaker of a node.
    func start(_ node: String, as name: String? = nil, key: String? = nil, extra: [String] = [])
        throws
    {
        let state = lan.folder.appending(path: "state-\(node)").path
        try FileManager.default.createDirectory(atPath: state, withIntermediateDirectories: true)
        let keys = key ?? lan.folder.appending(path: "gossip.keys").path
        daemons[node] = try lan.start(
            node,
            [
                NamespacedLAN.executable, "run", "--manifests", lan.manifests, "--node",
                name ?? node, "--dataplane", "nftables", "--admin", lan.adminSocket(node),
                "--log-level", "debug", "--state", state, "--gossip-keys", keys,
            ] + extra, log: "\(node).log", patience: 10)
    }

    func signal(_ node: String, _ number: Int32) {
        daemons[node]?.signal(number, wait: number == SIGKILL || number == SIGTERM)
    }

    /// `martlet VERB …` asked of a node's daemon.
    func command(_ arguments: String..., at node: String) throws -> Shell.Output {
        try Shell.run(
            [NamespacedLAN.executable] + arguments + ["--admin", lan.adminSocket(node)],
            allowFailure: true)
    }

    /// The nodes that a daemon counts as alive, itself included.
    func alive(at node: String) -> [String] {
        guard let members = lan.status(at: node)?.gossip?.members else { return [] }
        return Set(members.filter { $0.state == "alive" }.map(\.node) + [node]).sorted()
    }

    /// Starts a train of datagrams from the client to the Service.
    func train(every milliseconds: Int = 5) throws -> ProbeTrain {
        try ProbeTrain(lan, to: address, port: Self.port, every: milliseconds)
    }

    static func makeKey(_ file: URL) throws {
        let key = (0..<32).map { _ in UInt8.random(in: .min ... .max) }
        guard
            FileManager.default.createFile(
                atPath: file.path, contents: Data((Data(key).base64EncodedString() + "\n").utf8),
                attributes: [.posixPermissions: 0o600])
        else { throw POSIXError(.EIO) }
    }

    /// Nodes that say where they are, except those that are hidden.
    static func nodeObjects(_ names: [String], hidden: Set<String> = []) -> String {
        names.enumerated().map { index, name in
            let addresses =
                hidden.contains(name) ? "" : "{type: InternalIP, address: 192.0.2.\(11 + index)}"
            return """
                apiVersion: v1
                kind: Node
                metadata: {name: \(name)}
                status:
                  addresses: [\(addresses)]
                  conditions: [{type: Ready, status: "True"}]

                """
        }.joined(separator: "---\n")
    }
}

extension FailoverScene {
    /// Expects that every living daemon names the same owner as the wire.
    func expectAgreement(_ owner: String, at nodes: [String]) {
        for node in nodes {
            let agrees = eventually { lan.owner(of: address, at: node) == owner }
            #expect(agrees != nil, "\(node): \(lan.lastWords)")
        }
    }
}
