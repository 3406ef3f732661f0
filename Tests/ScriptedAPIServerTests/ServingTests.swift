import Foundation
import ScriptedAPIServer
import Testing

/// Connections, what the server says of itself, and what tools see.
@Suite struct ServingTests {
    @Test("HTTP/2 where it is offered, HTTP/1.1 where it is not", arguments: [true, false])
    func protocols(offersHTTP2: Bool) async throws {
        var settings = ServerSettings()
        settings.certificates = try ServerCertificates.make()
        settings.offersHTTP2 = offersHTTP2
        try await ServerClient.with(settings) { server, client async throws in
            let answer = try await client.send("POST", Sample.services, Sample.service("a"))
            #expect(answer.code == 201)
            #expect(answer.isHTTP2 == offersHTTP2)
            let events = try await client.watch("\(Sample.services)?watch=1", 2) {
                _ = try await client.patch("\(Sample.services)/a/status", Sample.ingress)
            }
            #expect(events.map { $0["type"] } == ["ADDED", "MODIFIED"])
        }
    }

    @Test("every request is in the log with its code and the time it took inside")
    func log() async throws {
        try await ServerClient.with { server, client async throws in
            _ = try await client.send("POST", Sample.services, Sample.service("a"))
            let answer = try await client.patch("\(Sample.services)/b/status", [:])
            #expect(answer.code == 404)
            #expect(answer.headers.contains { $0.0 == "x-scripted-microseconds" })
            let records = server.requests.all()
            #expect(records.map(\.verb) == ["create", "patch"])
            #expect(records.map(\.code) == [201, 404])
            #expect(records.last?.resource == "services/status")
            #expect(records.allSatisfy { $0.nanoseconds > 0 && $0.user == "kubernetes-admin" })
            #expect(server.requests.count(verb: "create", resource: "services", code: 201) == 1)
        }
    }

    @Test("rows for people have the columns of the definition")
    func tables() async throws {
        try await ServerClient.with { server, client async throws in
            try server.cluster.apply(yaml: Sample.widgets)
            try server.cluster.create(Sample.widget("w", ["size": 7]))
            let answer = try await client.send(
                "GET", "/apis/example.org/v1/widgets",
                accept: "application/json;as=Table;v=v1;g=meta.k8s.io,application/json")
            #expect(answer.body["kind"] == "Table")
            let columns = answer.body["columnDefinitions"]?.array ?? []
            #expect(columns.map { $0["name"] } == ["Name", "Size", "Age"])
            #expect(answer.body["rows"]?[0]?["cells"]?[1] == 7)
        }
    }

    @Test("discovery names every kind, also one that was just defined")
    func discovery() async throws {
        try await ServerClient.with { server, client async throws in
            #expect(try await client.get("/apis/example.org/v1").code == 404)
            try server.cluster.apply(yaml: Sample.widgets)
            let list = try await client.get("/apis/example.org/v1")
            let names = (list.body["resources"]?.array ?? []).compactMap { $0["name"]?.string }
            #expect(names == ["widgets", "widgets/status"])
            let groups = try await client.get("/apis").body["groups"]?.array ?? []
            #expect(groups.contains { $0["name"] == "example.org" })
            #expect(try await client.get("/version").body["gitVersion"] == "v1.34.0")
        }
    }

    @Test("patch types that a kind does not have are refused with 415")
    func mediaTypes() async throws {
        try await ServerClient.with { server, client async throws in
            try server.cluster.apply(yaml: Sample.widgets)
            try server.cluster.create(Sample.widget("w"))
            let path = "/apis/example.org/v1/namespaces/default/widgets/w"
            #expect(try await client.patch(path, ["spec": ["size": 4]]).code == 200)
            #expect(try await client.patch(path, ["spec": ["size": 5]], as: .strategic).code == 415)
        }
    }

    @Test(
        "kubectl applies, reads and deletes",
        .enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/kubectl")))
    func kubectl() async throws {
        var settings = ServerSettings()
        settings.certificates = try ServerCertificates.make()
        try await ServerClient.with(settings) { server, _ async throws in
            let folder = FileManager.default.temporaryDirectory
                .appending(path: "kubectl-\(UUID().uuidString)")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(at: folder) }
            func write(_ text: String, _ name: String) throws -> String {
                let file = folder.appending(path: name)
                try text.write(to: file, atomically: true, encoding: .utf8)
                return file.path
            }
            let config = try write(
                server.kubeconfig(for: .admin, namespace: "default"), "config")
            func run(_ arguments: String...) async throws -> String {
                try await Self.kubectl(["--kubeconfig", config] + arguments, home: folder)
            }
            let widgets = try write(Sample.widgets, "widgets.yaml")
            let widget = try write(Sample.widget("w", ["size": 7]).text, "widget.json")
            #expect(try await run("apply", "-f", widgets).contains("created"))
            #expect(try await run("apply", "-f", widget).contains("widget.example.org/w created"))
            #expect(try await run("apply", "-f", widget).contains("unchanged"))
            let rows = try await run("get", "wd").split(separator: "\n")
            #expect(rows.first?.contains("SIZE") == true)
            #expect(rows.last?.contains("7") == true)
            #expect(try await run("delete", "widget", "w").contains("deleted"))
            #expect(try server.cluster.list("widgets.example.org").isEmpty)
        }
    }

    private static func kubectl(_ arguments: [String], home: URL) async throws -> String {
        try await withCheckedThrowingContinuation { continuation in
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/kubectl")
            process.arguments = arguments
            process.environment = ["HOME": home.path, "PATH": "/usr/bin:/bin"]
            let output = Pipe()
            process.standardOutput = output
            process.standardError = output
            process.terminationHandler = { _ in
                let data = output.fileHandleForReading.readDataToEndOfFile()
                continuation.resume(returning: String(decoding: data, as: UTF8.self))
            }
            do { try process.run() } catch { continuation.resume(throwing: error) }
        }
    }
}
