import Foundation
import Testing

/// `martlet drain`, `undrain`, `move` and `simulate`: what they print and how they end. No root
/// needed: the daemon asked has no interface to answer on.
@Suite struct HandOverCommandTests {
    struct Answer: Decodable {
        var done: Bool
        var message: String
    }

    private static let address = "192.0.2.200"

    /// A folder with manifests of three nodes and a Service, removed after the test.
    private func withFolder(_ body: (URL) throws -> Void) throws {
        let folder = URL(filePath: NSTemporaryDirectory())
            .appending(path: "martlet-\(getpid())-\(UUID().uuidString)")
        let manifests = folder.appending(path: "manifests")
        try FileManager.default.createDirectory(
            at: manifests, withIntermediateDirectories: true)
        // Nothing more can be done about a folder that does not go.
        defer { try? FileManager.default.removeItem(at: folder) }
        let nodes = ["node-a", "node-b", "node-c"]
        for (name, text) in [
            ("pool.yaml", Manifests.pool), ("nodes.yaml", Manifests.nodes(nodes)),
            ("web.yaml", Manifests.service("web", stack: "SingleStack")),
            ("mail.yaml", Manifests.service("mail", stack: "SingleStack", port: 25)),
        ] {
            try text.write(
                to: manifests.appending(path: name), atomically: true, encoding: .utf8)
        }
        try body(folder)
    }

    private func martlet(_ arguments: [String]) throws -> Shell.Output {
        try Shell.run([NamespacedLAN.executable] + arguments, allowFailure: true)
    }

    /// A daemon of node-a that has no interface, once it is ready, asked by `ask`.
    private func withDaemon(
        _ extra: [String] = [],
        _ body: (_ ask: ([String]) throws -> Shell.Output, _ socket: String) throws -> Void
    ) throws {
        try withFolder { folder in
            let socket = folder.appending(path: "admin.sock").path
            let daemon = try Background(
                [
                    NamespacedLAN.executable, "run", "--manifests",
                    folder.appending(path: "manifests").path, "--state",
                    folder.appending(path: "state").path, "--node", "node-a", "--interface", "none",
                    "--admin", socket,
                ] + (extra.isEmpty ? ["--gossip", "off"] : extra),
                log: folder.appending(path: "log"), patience: 5)
            defer { daemon.stop() }
            let ask = { arguments in try martlet(arguments + ["--admin", socket]) }
            let isUp = try eventually(within: 20) {
                let shown = try ask(["status", "-o", "json"])
                return shown.status == 0 && shown.text.contains(Self.address)
            }
            #expect(isUp != nil, "\(daemon.text)")
            try body(ask, socket)
        }
    }

    @Test(
        "the help says what happens, and what does not",
        arguments: [
            ("drain", ["Hand over every address", "undrain", "goes on forwarding", "outlives"]),
            ("undrain", ["take part again", "preemption"]),
            ("move", ["--to", "must be able to own", "preemption Always"]),
            ("simulate", ["--fail", "--manifests", "Nothing is changed"]),
        ])
    func help(command: String, words: [String]) throws {
        let output = try martlet([command, "--help"])
        #expect(output.status == 0)
        let text = output.text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        for words in words { #expect(text.contains(words), "\(output.text)") }
    }

    @Test("what makes no sense is refused with 64 before anybody is asked")
    func usage() throws {
        for (arguments, words) in [
            (["move", "192.0.2", "--to", "node-b"], "no IP address"),
            (["move", Self.address], "--to"),
            (["simulate", "--manifests", "."], "--fail"),
            (["simulate", "--manifests", ".", "--fail", ","], "at least one node"),
            (["drain", "--admin", "nowhere"], "--admin nowhere"),
        ] {
            let output = try martlet(arguments)
            #expect(output.status == 64, "\(arguments): \(output.text)")
            #expect(output.text.contains(words), "\(output.text)")
        }
    }

    @Test("without a daemon they end with 1 and one line that says so")
    func nobodyThere() throws {
        try withFolder { folder in
            let socket = folder.appending(path: "none.sock").path
            for arguments in [
                ["drain"], ["undrain", "node-b"], ["move", Self.address, "--to", "node-b"],
            ] {
                let output = try martlet(arguments + ["--admin", socket])
                #expect(output.status == 1)
                #expect(output.text.contains("none.sock"), "\(output.text)")
                #expect(output.text.split(separator: "\n").count == 1, "\(output.text)")
            }
        }
    }

    @Test("drain and undrain say what was done, and a repeated one says the same")
    func drain() throws {
        try withDaemon { ask, _ in
            for _ in 0..<2 {
                let drained = try ask(["drain"])
                #expect(drained.status == 0)
                #expect(drained.text.contains("node-a has handed over 0 addresses"))
            }
            let status = try ask(["status", "-o", "json"])
            #expect(status.text.contains("\"drained\""), "\(status.text)")
            let undrained = try ask(["undrain", "node-a"])
            #expect(undrained.status == 0)
            #expect(undrained.text == "node-a takes part again\n")
        }
    }

    @Test("what cannot be done ends with 1, and the refusal says why")
    func refused() throws {
        try withDaemon { ask, _ in
            for (arguments, words) in [
                (["move", Self.address, "--to", "node-a"], "node-a has no usable interface"),
                (
                    ["move", "192.0.2.77", "--to", "node-a"],
                    "no Service has the address 192.0.2.77"
                ),
                (["move", Self.address, "--to", "node-b"], "runs without gossip"),
                (["drain", "node-b"], "ask the daemon on node-b itself"),
            ] {
                let output = try ask(arguments)
                #expect(output.status == 1, "\(output.text)")
                #expect(output.text.contains(words), "\(output.text)")
                #expect(output.text.split(separator: "\n").count == 1, "\(output.text)")
            }
        }
    }

    @Test("with gossip, a node that is not there is named beside those that are")
    func nobodyOfThatName() throws {
        try withDaemon(["--gossip", "127.0.0.1:27481"]) { ask, _ in
            let output = try ask(["drain", "node-z"])
            #expect(output.status == 1)
            #expect(output.text.contains("node-z"), "\(output.text)")
            #expect(output.text.contains("alive are node-a"), "\(output.text)")
        }
    }

    @Test("the admin socket takes the same as JSON, and refuses what is none")
    func post() throws {
        try withDaemon { _, socket in
            func post(_ path: String, _ body: String, type: String = "application/json") throws
                -> (status: String, text: String)
            {
                let output = try Shell.run([
                    "curl", "-s", "--unix-socket", socket, "-X", "POST", "-H",
                    "Content-Type: \(type)", "-d", body, "-w", "\n%{http_code}",
                    "http://localhost\(path)",
                ])
                let lines = output.text.split(separator: "\n")
                return (String(lines.last ?? ""), lines.dropLast().joined(separator: "\n"))
            }
            func answer(_ path: String, _ body: String) throws -> Answer {
                let (status, text) = try post(path, body)
                #expect(status == "200", "\(text)")
                return try JSONDecoder().decode(Answer.self, from: Data(text.utf8))
            }
            #expect(try answer("/drain", "{}").done)
            #expect(try answer("/undrain", "{\"node\": \"node-a\"}").done)
            let move = try answer(
                "/move", "{\"node\": \"node-a\", \"address\": \"\(Self.address)\"}")
            #expect(!move.done)
            #expect(move.message.contains("node-a has no usable interface"))
            #expect(try post("/drain", "node-a").status == "400")
            #expect(try post("/move", "{\"node\": \"node-a\"}").status == "400")
            #expect(try post("/move", "{\"address\": \"192.0.2\"}").status == "400")
            #expect(try post("/reboot", "{}").status == "404")
            #expect(try post("/drain", "{}", type: "text/plain").status == "415")
        }
    }

    @Test("simulate tells where every address of the failing nodes goes, and agrees with itself")
    func simulate() throws {
        struct Report: Decodable {
            struct Address: Decodable {
                var address: String
                var before: String?
                var after: String?
                var cause: String
                var reasons: [String: String]?
            }
            struct Load: Decodable {
                var node: String
                var before: Int
                var after: Int
            }
            var failing: [String]
            var moved: [Address]
            var unmoved: Int
            var loads: [Load]
        }
        try withFolder { folder in
            let place = ["--manifests", folder.appending(path: "manifests").path]
            let all = ["node-a", "node-b", "node-c"]
            for node in all {
                let output = try martlet(["simulate", "--fail", node, "-o", "json"] + place)
                #expect(output.status == 0, "\(output.text)")
                let report = try JSONDecoder().decode(Report.self, from: Data(output.text.utf8))
                #expect(report.failing == [node])
                #expect(report.loads.map(\.node) == all)
                #expect(report.loads.map(\.before).reduce(0, +) == 2)
                #expect(report.loads.map(\.after).reduce(0, +) == 2)
                #expect(report.moved.count + report.unmoved == 2)
                // Only what the failing node has moves, and to one of the others.
                #expect(report.moved.allSatisfy { $0.before == node })
                #expect(report.moved.allSatisfy { $0.after != nil && $0.after != node })
                #expect(report.loads.first { $0.node == node }?.after == 0)
                let text = try martlet(["simulate", "--fail", node] + place)
                for outcome in report.moved {
                    #expect(
                        text.text.contains(
                            "\(outcome.address): \(node) -> \(outcome.after ?? ""), which "
                                + outcome.cause), "\(text.text)")
                }
            }
            let none = try martlet(
                ["simulate", "--fail", "node-c, node-a,node-b", "-o", "json"] + place)
            let report = try JSONDecoder().decode(Report.self, from: Data(none.text.utf8))
            #expect(report.failing == all)
            #expect(report.moved.count == 2)
            #expect(report.moved.allSatisfy { $0.after == nil })
            let unknown = try martlet(["simulate", "--fail", "node-z"] + place)
            #expect(unknown.status == 1)
            #expect(unknown.text.contains("node-z: no such node; there are node-a, node-b, node-c"))
        }
    }
}
