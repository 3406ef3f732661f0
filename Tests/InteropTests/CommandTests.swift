import Foundation
import Testing

/// `martlet validate` and `martlet convert`: what they print and how they end. No root needed.
@Suite struct CommandTests {
    /// A file with one fault, and what must be said about it.
    struct Fault: Sendable, CustomTestStringConvertible {
        let name: String
        let text: String
        let line: Int
        let words: [String]
        var testDescription: String { name }
    }

    private static func object(_ kind: String, _ spec: String) -> String {
        let version = ["Service", "Pod", "Node"].contains(kind) ? "v1" : "metallb.io/v1beta1"
        return "apiVersion: \(version)\nkind: \(kind)\nmetadata: {name: x}\nspec: {\(spec)}\n"
    }

    static let faults = [
        Fault(
            name: "backwards.yaml",
            text: object("IPAddressPool", "addresses: [192.0.2.9-192.0.2.1]"), line: 4,
            words: ["spec.addresses[0]", "backwards", "192.0.2.1-192.0.2.9"]),
        Fault(
            name: "unknown.yaml",
            text: object("IPAddressPool", "addresses: [192.0.2.0/24], autoassign: true"), line: 4,
            words: ["spec.autoassign", "not a known field", "did you mean \"autoAssign\"?"]),
        Fault(
            name: "type.yaml",
            text: object("Service", "type: LoadBalanced, ports: [{port: 80}]"), line: 4,
            words: ["spec.type", "did you mean \"LoadBalancer\"?"]),
        Fault(
            name: "port.yaml", text: object("Service", "ports: [{port: 99999}]"), line: 4,
            words: ["spec.ports[0].port", "out of range", "1 to 65535"]),
        Fault(
            name: "dangling.yaml",
            text: object("L2Advertisement", "ipAddressPools: [nowhere]"), line: 4,
            words: ["spec.ipAddressPools[0]", "no pool nowhere"]),
        Fault(
            name: "half.yaml", text: "kind: [\n", line: 2, words: ["cannot be parsed"]),
    ]

    /// A folder that is removed after the test.
    private func withFolder(_ body: (String) throws -> Void) throws {
        let folder = URL(filePath: NSTemporaryDirectory())
            .appending(path: "martlet-\(getpid())-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        // Nothing more can be done about a folder that does not go.
        defer { try? FileManager.default.removeItem(at: folder) }
        try body(folder.path)
    }

    private func martlet(_ arguments: String...) throws -> Shell.Output {
        try Shell.run([NamespacedLAN.executable] + arguments, allowFailure: true)
    }

    @Test("validate names file, line, field, rule and remedy, and ends with 1", arguments: faults)
    func fault(_ fault: Fault) throws {
        try withFolder { folder in
            let file = "\(folder)/\(fault.name)"
            try fault.text.write(toFile: file, atomically: true, encoding: .utf8)
            let output = try martlet("validate", folder)
            #expect(output.status == 1)
            let line = output.text.split(separator: "\n")
                .first { $0.hasPrefix("\(file):\(fault.line): error: ") }
            #expect(line != nil, "\(output.text)")
            for words in fault.words {
                #expect(line?.contains(words) == true, "\(words) in \(output.text)")
            }
        }
    }

    @Test("validate says all errors of a folder, not only the first; text and JSON agree")
    func allFaults() throws {
        struct Verdict: Decodable {
            struct Problem: Decodable {
                var severity: String
                var file: String?
            }
            var valid: Bool
            var problems: [Problem]
        }
        try withFolder { folder in
            for fault in Self.faults {
                try fault.text.write(
                    toFile: "\(folder)/\(fault.name)", atomically: true, encoding: .utf8)
            }
            try Manifests.pool.write(
                toFile: "\(folder)/good.yaml", atomically: true, encoding: .utf8)
            let text = try martlet("validate", folder)
            #expect(text.status == 1)
            let json = try martlet("validate", "-o", "json", folder)
            #expect(json.status == 1)
            let verdict = try JSONDecoder().decode(Verdict.self, from: Data(json.text.utf8))
            #expect(!verdict.valid)
            let errors = verdict.problems.filter { $0.severity == "error" }
            for fault in Self.faults {
                #expect(errors.contains { $0.file?.hasSuffix(fault.name) == true }, "\(fault.name)")
                #expect(text.text.contains("\(fault.name):\(fault.line): error:"))
            }
            #expect(!errors.contains { $0.file?.hasSuffix("good.yaml") == true })
            #expect(
                text.text.split(separator: "\n").count { $0.contains(": error: ") }
                    == errors.count)
        }
    }

    @Test(
        "the examples are valid as they stand",
        arguments: [
            "clusterip-service", "nodeport-order-service", "nodeport-nginx", "loadbalancer-service",
            "externalname-service", "sise-one-pod", "sise-two-pods", "legacy-config",
            "legacy-layer2-configmap", "kubectl-list",
        ])
    func example(_ name: String) throws {
        let output = try martlet("validate", Fixture.folder.appending(path: "\(name).yaml").path)
        #expect(output.status == 0, "\(output.text)")
        #expect(output.text.contains("valid"))
    }

    @Test(
        "what convert prints of an older file is valid",
        arguments: ["legacy-config", "legacy-layer2-configmap"])
    func convert(_ name: String) throws {
        let output = try martlet("convert", Fixture.folder.appending(path: "\(name).yaml").path)
        #expect(output.status == 0)
        #expect(output.text.contains("kind: IPAddressPool"))
        try withFolder { folder in
            try output.text.write(
                toFile: "\(folder)/kinds.yaml", atomically: true, encoding: .utf8)
            let verdict = try martlet("validate", folder)
            #expect(verdict.status == 0, "\(verdict.text)")
            #expect(!verdict.text.contains("older configuration format"))
        }
    }

    @Test("explain says of a headless Service that clients go to the endpoints themselves")
    func headless() throws {
        try withFolder { folder in
            let text =
                "apiVersion: v1\nkind: Service\nmetadata: {name: db}\n"
                + "spec: {clusterIP: None, selector: {app: db}, ports: [{port: 5432}]}\n"
            try text.write(toFile: "\(folder)/a.yaml", atomically: true, encoding: .utf8)
            let output = try martlet("explain", "db", "--manifests", folder)
            #expect(output.status == 0)
            #expect(output.text.contains("is headless: the DNS gives"), "\(output.text)")
            #expect(!output.text.contains("is refused"))
        }
    }

    @Test("--probe counts the flows beyond those that it follows")
    func manyFlows() throws {
        try withFolder { folder in
            let ports = (1...40).map { "{name: p\($0), port: \(8_000 + $0), protocol: SCTP}" }
                .joined(separator: ", ")
            let text =
                "apiVersion: v1\nkind: Service\nmetadata: {name: wide}\n"
                + "spec: {clusterIP: 198.18.0.7, ports: [\(ports)]}\n"
            try text.write(toFile: "\(folder)/a.yaml", atomically: true, encoding: .utf8)
            let output = try martlet("explain", "wide", "--manifests", folder, "--probe")
            #expect(output.text.contains("8 more flows are not followed"), "\(output.text)")
        }
    }

    @Test("what cannot be done ends with 1 and one line that says why")
    func refusals() throws {
        try withFolder { folder in
            for (arguments, words) in [
                (["validate", "\(folder)/none"], "does not exist"),
                (["validate", folder], "no .yaml, .yml or .json file"),
                (["explain", "nobody", "--manifests", folder], "is called nobody"),
                (["status", "--admin", "\(folder)/none.sock"], "none.sock"),
                (
                    ["convert", Fixture.folder.appending(path: "clusterip-service.yaml").path],
                    "no configuration"
                ),
            ] {
                let output = try Shell.run(
                    [NamespacedLAN.executable] + arguments, allowFailure: true)
                #expect(output.status == 1, "\(arguments)")
                #expect(output.text.contains(words), "\(output.text)")
                #expect(output.text.split(separator: "\n").count == 1, "\(output.text)")
            }
        }
    }

    /// A kubeconfig of a server on whose port nobody listens.
    private static let deserted = """
        apiVersion: v1
        kind: Config
        current-context: here
        clusters: [{name: c, cluster: {server: "http://127.0.0.1:1"}}]
        users: [{name: u, user: {token: t}}]
        contexts: [{name: here, context: {cluster: c, user: u}}]

        """

    @Test(
        "a cluster that cannot be looked at: 1 and one line with file, context and the way out",
        arguments: [["status"], ["explain", "web"], ["simulate", "--fail", "n1"], ["validate"]])
    func cluster(_ command: [String]) throws {
        try withFolder { folder in
            let file = "\(folder)/config"
            try Self.deserted.write(toFile: file, atomically: true, encoding: .utf8)
            for (arguments, words) in [
                (["--kubeconfig", file], [file, "\"here\"", "127.0.0.1:1", "is it up?"]),
                (["--kubeconfig", file, "--context", "there"], [file, "\"there\"", "here"]),
                (["--kubeconfig", "\(folder)/none"], ["\(folder)/none", "--kubeconfig"]),
            ] {
                let output = try Shell.run(
                    [NamespacedLAN.executable] + command + arguments, allowFailure: true)
                #expect(output.status == 1, "\(output.text)")
                #expect(output.text.split(separator: "\n").count == 1, "\(output.text)")
                for word in words {
                    #expect(output.text.contains(word), "\(word) in \(output.text)")
                }
            }
        }
    }

    @Test("as kubectl martlet, the cluster is the one that kubectl would take")
    func plugin() throws {
        try withFolder { folder in
            let link = "\(folder)/kubectl-martlet"
            try FileManager.default.createSymbolicLink(
                atPath: link,
                withDestinationPath: URL(filePath: NamespacedLAN.executable).standardized.path)
            let file = "\(folder)/config"
            try Self.deserted.write(toFile: file, atomically: true, encoding: .utf8)
            let asked = try Shell.run(
                ["KUBECONFIG=\(file)", link, "status"], allowFailure: true)
            #expect(asked.status == 1)
            #expect(asked.text.contains("\(file), context \"here\""), "\(asked.text)")
            // A daemon that is named is asked, and files are read, all the same.
            let daemon = try Shell.run(
                [link, "status", "--admin", "\(folder)/none.sock"], allowFailure: true)
            #expect(daemon.text.contains("none.sock"))
            let example = Fixture.folder.appending(path: "loadbalancer-service.yaml").path
            #expect(try Shell.run([link, "validate", example]).text.contains("valid"))
        }
    }

    @Test(
        "two places to look at, or none, are a wrong command line",
        arguments: [
            ["status", "--kubeconfig", "a", "--in-cluster"],
            ["status", "--kubeconfig", "a", "--admin", "/b"],
            ["explain", "web", "--manifests", "a", "--kubeconfig", "b"],
            ["explain", "web", "--manifests", "a", "--context", "b"],
            ["explain", "web", "--state", "a"],
            ["simulate", "--fail", "n1"], ["validate"],
            ["validate", "a", "--kubeconfig", "b"],
        ])
    func contradictions(_ arguments: [String]) throws {
        let output = try Shell.run([NamespacedLAN.executable] + arguments, allowFailure: true)
        #expect(output.status == 64, "\(output.text)")
    }

    @Test("without a shared state folder, a Service that asks for no address is warned about")
    func pinning() throws {
        let file = Fixture.folder.appending(path: "loadbalancer-service.yaml").path
        let output = try martlet("validate", "--without-shared-state", file)
        #expect(output.status == 0)
        #expect(output.text.contains("warning:"))
        #expect(output.text.contains("metallb.io/loadBalancerIPs"))
    }
}
