import ArgumentParser
import Foundation
import ScriptedAPIServer

/// Runs the scripted API server as a process of its own: for shells, the demo and benchmarks.
@main
struct ScriptedAPIServerTool: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "scripted-apiserver",
        abstract: "A small Kubernetes API server for tests.",
        discussion: """
            Prints the URL when it listens and runs until it is ended by SIGTERM or SIGINT. \
            Masters find /scripted/counters, /scripted/requests, /scripted/faults and so on, to \
            count requests and to cause faults from outside.
            """)

    @Option(help: "Address and port; port 0 takes one that is free.")
    var listen = "127.0.0.1:0"

    @Option(help: "Folder or file of manifests that are there from the start; repeatable.")
    var apply: [String] = []

    @Option(help: "Folder or file of CustomResourceDefinitions; repeatable.")
    var crds: [String] = []

    @Option(help: "Folder or file of RBAC manifests, which are enforced; repeatable.")
    var rbac: [String] = []

    @Option(help: "Where the kubeconfig of an administrator is written.")
    var kubeconfigOut: String?

    @Option(
        help: "FILE=NAMESPACE:NAME: where the kubeconfig of a ServiceAccount is written.")
    var kubeconfigFor: [String] = []

    @Option(help: "services=N,endpoints=M,nodes=K: objects that are there from the start.")
    var populate: String?

    @Option(help: "What /version says.")
    var serverVersion = "v1.34.0"

    @Option(help: "served, refused or ignored.")
    var streamingLists = "served"

    @Option(help: "Seconds between bookmarks.")
    var bookmarkSeconds = 60.0

    @Option(help: "Threads.")
    var threads = 1

    @Flag(help: "Plain HTTP instead of TLS.")
    var plain = false

    @Flag(help: "Offer HTTP/1.1 only.")
    var http1 = false

    @Flag(help: "Everybody with a good token may everything.")
    var withoutRBAC = false

    func run() async throws {
        let server = ScriptedAPIServer(try settings())
        try server.cluster.apply(documents: try (crds + rbac + apply).flatMap(manifests))
        if let populate {
            let population = try Population(populate)
            try population.fill(server.cluster)
        }
        try await server.start()
        if let kubeconfigOut { try write(server.kubeconfig(for: .admin), to: kubeconfigOut) }
        for item in kubeconfigFor {
            guard let user = item.split(separator: "=", maxSplits: 1).last,
                let file = item.split(separator: "=", maxSplits: 1).first,
                let name = user.split(separator: ":").last,
                let namespace = user.split(separator: ":").first, user != file
            else { throw ValidationError("\(item): FILE=NAMESPACE:NAME is expected") }
            try write(
                server.kubeconfig(for: .serviceAccount(String(namespace), String(name))),
                to: String(file))
        }
        print(server.url)
        fflush(nil)
        await Self.untilEnded()
        try await server.stop()
    }

    private func settings() throws -> ServerSettings {
        var settings = ServerSettings()
        guard let colon = listen.lastIndex(of: ":"),
            let port = Int(listen[listen.index(after: colon)...])
        else { throw ValidationError("--listen \(listen): ADDRESS:PORT is expected") }
        settings.host = String(listen[..<colon])
        settings.port = port
        settings.version = serverVersion
        settings.threads = threads
        settings.offersHTTP2 = !http1
        settings.enforcesRBAC = !withoutRBAC
        settings.bookmarkMilliseconds = Int(bookmarkSeconds * 1000)
        guard let lists = ServerSettings.StreamingLists(rawValue: streamingLists) else {
            throw ValidationError("--streaming-lists is served, refused or ignored")
        }
        settings.streamingLists = lists
        if !plain { settings.certificates = try ServerCertificates.make() }
        return settings
    }

    /// The documents of a file, or of the files of a folder in the order of their names.
    private func manifests(at path: String) throws -> [JSONValue] {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            throw ValidationError("\(path) does not exist")
        }
        var files = [path]
        if isFolder.boolValue {
            files = try FileManager.default.subpathsOfDirectory(atPath: path).sorted()
                .filter { $0.hasSuffix(".yaml") || $0.hasSuffix(".yml") }
                .filter { !$0.hasSuffix("kustomization.yaml") }
                .map { "\(path)/\($0)" }
        }
        var documents: [JSONValue] = []
        for file in files {
            documents += try JSONValue.documents(
                yaml: try String(contentsOfFile: file, encoding: .utf8))
        }
        return documents
    }

    private func write(_ text: String, to file: String) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: file))
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file)
    }

    /// Returns on the first signal.
    private static func untilEnded() async {
        signal(SIGTERM, SIG_IGN)
        signal(SIGINT, SIG_IGN)
        let (signals, continuation) = AsyncStream<Void>.makeStream()
        let sources = [SIGTERM, SIGINT].map { number in
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { continuation.yield() }
            source.resume()
            return source
        }
        for await _ in signals { break }
        sources.forEach { $0.cancel() }
    }
}
