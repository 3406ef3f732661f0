import Foundation
import Testing

/// A cluster on a LAN: an API server on a host of its own beside the controllers, a speaker a node,
/// and a judge of one address. Nobody has anything in common with another but the API server.
final class ClusterScene: JudgedScene {
    /// The host of the API server and of controllers, and its number on the LAN.
    static let control = (name: "control", number: 60)

    let lan: NamespacedLAN
    let server: ServerProcess
    let judge: AddressJudge
    private(set) var daemons: [String: Background] = [:]

    /// Starts the API server, and no daemon yet.
    ///
    /// - Parameters:
    ///   - parts: further parts of `deploy/kubernetes` that are applied.
    ///   - objects: beside the nodes.
    init(nodes count: Int, parts: [String] = [], objects: String = ClusterScene.pool) throws {
        lan = try NamespacedLAN(nodes: count)
        try lan.prepareFaults()
        try lan.attach(Self.control.name, host: Self.control.number)
        server = try ServerProcess(
            in: lan.folder, at: "192.0.2.\(Self.control.number)", host: (lan, Self.control.name),
            parts: ["namespace.yaml", "crds", "rbac"] + parts,
            objects: objects + "---\n" + FailoverScene.nodeObjects(lan.nodes))
        judge = try AddressJudge(lan, "192.0.2.200")
    }

    static let pool = """
        apiVersion: metallb.io/v1beta1
        kind: IPAddressPool
        metadata: {name: lan, namespace: metallb-system}
        spec: {addresses: [192.0.2.200-192.0.2.219]}
        ---
        apiVersion: metallb.io/v1beta1
        kind: L2Advertisement
        metadata: {name: lan, namespace: metallb-system}

        """

    func startController(_ name: String = "controller-1") throws {
        daemons[name] = try lan.start(
            Self.control.name,
            [
                NamespacedLAN.executable, "controller", "--kubeconfig",
                server.kubeconfig(of: .controller), "--node", name, "--admin",
                lan.adminSocket(name), "--log-level", "debug",
            ], log: "\(name).log", patience: 5)
    }

    /// Starts, or starts again, the speaker of a node.
    func startSpeaker(_ node: String, extra: [String] = []) throws {
        let state = lan.folder.appending(path: "state-\(node)").path
        try FileManager.default.createDirectory(atPath: state, withIntermediateDirectories: true)
        daemons[node] = try lan.start(
            node,
            [
                NamespacedLAN.executable, "speaker", "--kubeconfig",
                server.kubeconfig(of: .speaker), "--node", node, "--state", state, "--admin",
                lan.adminSocket(node), "--log-level", "debug",
            ] + extra, log: "\(node).log", patience: 10)
    }

    /// Starts everything, makes a Service, and waits until one node answers and says so.
    ///
    /// Returns that node.
    func begin(
        service nodes: [String], policy: String = "Cluster", speaker extra: [String] = []
    ) throws -> String {
        try startController()
        for node in lan.nodes { try startSpeaker(node, extra: extra) }
        let isReady = eventually(within: 20, every: 0.1) {
            lan.nodes.allSatisfy { lan.status(at: $0)?.gossip?.aliveCount == lan.nodes.count }
        }
        #expect(isReady != nil, lastWords)
        let begin = wallClock()
        try server.create(
            Manifests.service("web", nodes: nodes, policy: policy, stack: "SingleStack"))
        let isGiven = try eventually(within: 10, every: 0.05) {
            try server.addresses()["web"] == judge.address
        }
        #expect(isGiven != nil, lastWords)
        let isAnswered = eventually(within: 10, every: 0.05) { owner() != nil }
        #expect(isAnswered != nil, lastWords)
        if let answer = judge.answers(since: begin).first {
            report("Service created by curl, first answer", answer.time - begin)
        }
        let first = try #require(owner(), lastWords)
        try expectStatus(first)
        return first
    }

    /// Expects that the ServiceL2Statuses of the Service come to name one node.
    func expectStatus(_ node: String) throws {
        var named: [String] = []
        let isSo = try eventually(within: 5, every: 0.1) {
            named = try server.answeringNodes(of: "web")
            return named == [node]
        }
        #expect(isSo != nil, "\(named) instead of \(node): \(lastWords)")
    }

    /// Cuts a node off from everything but those that ask for the address.
    func strand(_ node: String) throws {
        let clients = #"{ "to-judge", "to-client" }"#
        try lan.run(
            "switch",
            """
            nft add rule bridge faults forward iifname to-\(node) oifname != '\(clients)' drop
            nft add rule bridge faults forward oifname to-\(node) iifname != '\(clients)' drop
            """)
    }

    func signal(_ daemon: String, _ number: Int32) { daemons[daemon]?.signal(number) }

    /// The last lines of the logs of daemons.
    var lastWords: Comment {
        let controllers = daemons.filter { !lan.nodes.contains($0.key) }.map { name, daemon in
            "\(name):\n" + daemon.text.split(separator: "\n").suffix(15).joined(separator: "\n")
        }
        return Comment(
            rawValue: ([lan.lastWords.rawValue] + controllers).joined(separator: "\n"))
    }
}
