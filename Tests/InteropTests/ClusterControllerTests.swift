import Foundation
import Testing

/// Controllers as processes, and the manifests as `kubectl` applies them. No root needed: they talk
/// to an API server on this machine's loopback address.
@Suite(.serialized) final class ClusterControllerTests {
    private let folder = URL(filePath: NSTemporaryDirectory())
        .appending(path: "martlet-\(getpid())-\(UUID().uuidString)")
    private var controllers: [String: Background] = [:]

    init() throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    deinit {
        controllers.values.forEach { $0.stop() }
        // Nothing more can be done about a folder that does not go.
        try? FileManager.default.removeItem(at: folder)
    }

    private static let pool = """
        apiVersion: metallb.io/v1beta1
        kind: IPAddressPool
        metadata: {name: many, namespace: metallb-system}
        spec: {addresses: [198.18.0.0/23]}

        """

    private func start(_ name: String, at server: ServerProcess) throws {
        controllers[name] = try Background(
            [
                NamespacedLAN.executable, "controller", "--kubeconfig",
                server.kubeconfig(of: .controller), "--node", name, "--admin",
                folder.appending(path: "\(name).sock").path,
            ], log: folder.appending(path: "\(name).log"), patience: 5)
    }

    private var lastWords: Comment {
        let logs = controllers.map { name, process in
            "\(name):\n" + process.text.split(separator: "\n").suffix(20).joined(separator: "\n")
        }
        return Comment(rawValue: logs.joined(separator: "\n"))
    }

    /// Creates `count` Services one after the other, `pause` seconds apart.
    private func create(
        _ server: ServerProcess, from first: Int, count: Int
    ) throws -> Background {
        try server.series(
            "POST", type: "application/json", pause: 0.005,
            (first..<first + count).map { number in
                let spec = #"{"type": "LoadBalancer", "ports": [{"port": 80}]}"#
                let metadata = #"{"name": "s\#(number)", "namespace": "default"}"#
                return (
                    "/api/v1/namespaces/default/services",
                    #"{"apiVersion": "v1", "kind": "Service", "metadata": \#(metadata), "#
                        + #""spec": \#(spec)}"#
                )
            })
    }

    @Test(
        "killed while it allocates, or told to end, the writer is followed without an address lost"
    )
    func succession() throws {
        let server = try ServerProcess(in: folder, host: nil, objects: Self.pool)
        try start("one", at: server)
        try start("two", at: server)
        var known: [String: String] = [:]
        let batch = 50
        for round in 0..<2 {
            let found = try eventually(within: 10, every: 0.02) { try server.leader() != nil }
            #expect(found != nil, lastWords)
            let leader = try #require(try server.leader())
            let series = try create(server, from: round * batch, count: batch)
            let isAmidst = try eventually(within: 10) {
                try server.addresses().count >= round * batch + 10
            }
            #expect(isAmidst != nil, lastWords)
            let isLast = round == 1
            let begin = wallClock()
            controllers[leader]?.signal(isLast ? SIGTERM : SIGKILL, wait: !isLast)
            if !isLast { try start(leader, at: server) }
            _ = try server.answers(of: series)
            let isDone = try eventually(within: isLast ? 5 : 25, every: 0.02) {
                try server.addresses().count == (round + 1) * batch
            }
            #expect(isDone != nil, lastWords)
            #expect(try server.leader() != leader || !isLast)
            report(
                isLast ? "told to end: the other has allocated the rest" : "killed: the same",
                wallClock() - begin)
            let addresses = try server.addresses()
            #expect(Set(addresses.values).count == addresses.count)
            for (service, address) in known { #expect(addresses[service] == address) }
            known = addresses
        }
        let writes = try server.requests(after: 0).filter {
            $0.resource == "services/status" && $0.code == 200
        }
        let counts = Dictionary(grouping: writes, by: \.name).mapValues(\.count)
        #expect(counts.count == known.count)
        #expect(counts.filter { $0.value > 1 } == [:])
    }

    static let kubectl: Bool = {
        let output = try? Shell.run(["kubectl", "version", "--client"], allowFailure: true)
        return output?.status == 0 || ProcessInfo.processInfo.environment["CI"] != nil
    }()

    private func kubectl(_ server: ServerProcess, _ arguments: String...) throws -> String {
        try Shell.run(
            ["kubectl", "--kubeconfig", server.kubeconfig(of: .administrator)] + arguments
        ).text
    }

    @Test(
        "kubectl applies deploy/kubernetes, and what it has applied is enough to allocate",
        .enabled(if: kubectl, "kubectl is missing: apt install kubernetes-client"))
    func deployment() throws {
        let server = try ServerProcess(in: folder, host: nil, parts: [])
        let place = ServerProcess.deployment.path
        let first = try kubectl(server, "apply", "-k", place)
        #expect(first.contains("deployment.apps/martlet-controller created"), "\(first)")
        #expect(first.contains("daemonset.apps/martlet-speaker created"), "\(first)")
        let second = try kubectl(server, "apply", "-k", place).split(separator: "\n")
        #expect(second.count >= 20, "\(second)")
        // kubectl always writes the selector of a PodDisruptionBudget: it is of the kind that a
        // patch replaces as a whole.
        let changed = second.filter {
            !$0.hasSuffix(" unchanged") && !$0.hasPrefix("poddisruptionbudget.policy/")
        }
        #expect(changed == [])

        let file = folder.appending(path: "mine.yaml")
        try (Self.pool + "---\n" + Manifests.service("web", stack: "SingleStack"))
            .write(to: file, atomically: true, encoding: .utf8)
        _ = try kubectl(server, "apply", "-f", file.path)
        try start("one", at: server)
        let isGiven = try eventually(within: 10, every: 0.05) {
            try server.addresses()["web"] != nil
        }
        #expect(isGiven != nil, lastWords)
        let isTold = try eventually(within: 10, every: 0.1) {
            let pools = try kubectl(server, "get", "ipaddresspools", "-n", "metallb-system")
            return pools.contains(/many\s.*\b511\b/)
        }
        #expect(isTold != nil, lastWords)
    }
}
