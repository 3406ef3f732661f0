import Foundation
import Testing

extension NamespacedLAN {
    /// The executable under test, beside the test runner.
    static var executable: String {
        if let given = ProcessInfo.processInfo.environment["MARTLET"] { return given }
        let runner = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"))
        return URL(filePath: runner ?? CommandLine.arguments[0]).deletingLastPathComponent()
            .appending(path: "martlet").path
    }

    var manifests: String { folder.appending(path: "manifests").path }
    var state: String { folder.appending(path: "state").path }

    func adminSocket(_ node: String) -> String { folder.appending(path: "\(node).sock").path }

    /// Writes a manifest as an editor does: beside it, then renamed over it.
    func write(_ name: String, _ text: String) throws {
        let target = folder.appending(path: "manifests/\(name)")
        let draft = folder.appending(path: "manifests/.\(name).draft")
        try text.write(to: draft, atomically: false, encoding: .utf8)
        guard rename(draft.path, target.path) == 0 else { throw POSIXError(.EIO) }
    }

    func delete(_ name: String) throws {
        try FileManager.default.removeItem(at: folder.appending(path: "manifests/\(name)"))
    }

    /// Starts `martlet run` on a node.
    @discardableResult
    func martlet(
        _ node: String, dataplane: String = "none", shared: Bool = true, extra: [String] = []
    ) throws -> Background {
        try start(
            node,
            [
                Self.executable, "run", "--manifests", manifests, "--node", node, "--dataplane",
                dataplane, "--admin", adminSocket(node), "--log-level", "debug",
            ] + (shared ? ["--state", state] : []) + extra, log: "\(node).log", patience: 5)
    }

    /// `martlet explain SUBJECT -o json` of a node's daemon; `nil` while there is no answer.
    func explain(_ subject: String, at node: String) -> [ExplainedService]? {
        guard
            let output = try? Shell.run(
                [
                    Self.executable, "explain", subject, "--admin", adminSocket(node), "-o", "json",
                ], allowFailure: true),  // no daemon yet is no answer yet
            output.status == 0
        else { return nil }
        return try? JSONDecoder().decode([ExplainedService].self, from: Data(output.text.utf8))
    }

    /// The owner of an address, as a node's daemon sees it.
    func owner(of address: String, at node: String = "node-a") -> String? {
        explain(address, at: node)?.first?.addresses.first { $0.address == address }?.owner
    }

    /// The link-layer address of a node's `eth0`.
    func macAddress(_ host: String, _ interface: String = "eth0") throws -> String {
        try run(host, "cat /sys/class/net/\(interface)/address").text
            .trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// Who answers ARP or NDP for an address within a short while: the set of link-layer addresses.
    func answerers(_ address: String, from host: String = "client") throws -> Set<String> {
        let text: String
        if address.contains(":") {
            text = try run(host, "ndisc6 -m -r 1 -w 400 \(address) eth0", allowFailure: true).text
        } else {
            text = try run(
                host, "arping -c 2 -w 0.4 -i eth0 \(address)", allowFailure: true
            ).text
        }
        let pattern = /(?i)\b(?:[0-9a-f]{2}:){5}[0-9a-f]{2}\b/
        return Set(text.matches(of: pattern).map { String($0.output).lowercased() })
    }

    /// The last lines of every daemon's log, for failures.
    var lastWords: Comment {
        let logs = nodes.map { node -> String in
            let text =
                (try? String(
                    contentsOf: folder.appending(path: "\(node).log"), encoding: .utf8)) ?? ""
            return "\(node):\n" + text.split(separator: "\n").suffix(25).joined(separator: "\n")
        }
        return Comment(rawValue: logs.joined(separator: "\n"))
    }
}

/// What the tests read of `explain -o json`.
struct ExplainedService: Decodable {
    struct Address: Decodable {
        struct Node: Decodable {
            var node: String
            var owns: Bool
            var reason: String
        }
        var address: String
        var owner: String?
        var cause: String
        var nodes: [Node]
        var wire: [Wire]?
        var lastMove: Move?
    }
    struct Move: Decodable {
        var from: String?
        var to: String
        var cause: String
    }
    struct Wire: Decodable {
        var interface: String
        var state: String
        var answeringForSeconds: Double?
        var conflictWith: String?
    }
    struct Port: Decodable {
        struct Endpoint: Decodable {
            var address: String
            var usable: Bool
        }
        var port: String
        var entrances: [String]
        var endpoints: [Endpoint]
        var outcome: String
    }
    var service: String
    var type: String
    var externalName: String?
    var excluded: String?
    var unmet: String?
    var pool: String?
    var addresses: [Address]
    var ports: [Port]
}

/// Tries until it holds or the time is over; returns how long it took.
@discardableResult
func eventually(
    within seconds: Double = 5, every pause: Double = 0.01, _ condition: () throws -> Bool
) rethrows -> Double? {
    let begin = Date()
    repeat {
        if try condition() { return Date().timeIntervalSince(begin) }
        usleep(UInt32(pause * 1e6))
    } while Date().timeIntervalSince(begin) < seconds
    return nil
}

/// Manifests that the tests share.
enum Manifests {
    static let pool = """
        apiVersion: metallb.io/v1beta1
        kind: IPAddressPool
        metadata: {name: lan}
        spec: {addresses: [192.0.2.200-192.0.2.219, "2001:db8:2::200/120"]}
        ---
        apiVersion: metallb.io/v1beta1
        kind: L2Advertisement
        metadata: {name: lan}

        """

    static func nodes(_ names: [String], notReady: Set<String> = []) -> String {
        names.map { name in
            let ready = notReady.contains(name) ? "False" : "True"
            return """
                apiVersion: v1
                kind: Node
                metadata: {name: \(name)}
                status: {conditions: [{type: Ready, status: "\(ready)"}]}

                """
        }.joined(separator: "---\n")
    }

    /// A Service with an EndpointSlice of one endpoint a node, for each of its families.
    static func service(
        _ name: String, nodes: [String] = ["node-a"], policy: String = "Cluster",
        stack: String = "PreferDualStack", port: Int = 80, target: Int = 8080,
        transport: String = "TCP", annotations: String = ""
    ) -> String {
        var text = """
            apiVersion: v1
            kind: Service
            metadata:
              name: \(name)
              namespace: default
              annotations: {\(annotations)}
            spec:
              type: LoadBalancer
              ipFamilyPolicy: \(stack)
              externalTrafficPolicy: \(policy)
              ports: [{port: \(port), targetPort: \(target), protocol: \(transport)}]

            """
        for family in stack == "SingleStack" ? ["IPv4"] : ["IPv4", "IPv6"] {
            text += """
                ---
                apiVersion: discovery.k8s.io/v1
                kind: EndpointSlice
                metadata:
                  name: \(name)-\(family.lowercased())
                  namespace: default
                  labels: {kubernetes.io/service-name: \(name)}
                addressType: \(family)
                ports: [{port: \(target), protocol: \(transport)}]
                endpoints:\(nodes.isEmpty ? " []" : "")

                """
            for node in nodes {
                let letter = String(node.suffix(1))
                let index = NamespacedLAN.letters.firstIndex(of: letter) ?? 0
                let address =
                    family == "IPv4"
                    ? "198.51.100.\(64 * index + 10)" : "'2001:db8:\(letter)::10'"
                text +=
                    "- {addresses: [\(address)], nodeName: \(node), conditions: {ready: true}}\n"
            }
        }
        return text
    }
}
