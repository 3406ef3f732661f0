import Foundation

/// A scripted API server as a process, and an administrator who speaks HTTP to it.
///
/// Its definitions and the roles that it enforces are those of `deploy/kubernetes`.
final class ServerProcess {
    /// Who has a kubeconfig.
    enum Account: String, CaseIterable {
        case administrator
        case controller = "martlet-controller"
        case speaker = "martlet-speaker"
    }

    /// What it answered.
    struct Answer {
        let code: Int
        let body: RouterJSON
    }

    /// A request that was made of it.
    struct Request {
        let verb: String
        /// With the subresource: `services/status`.
        let resource: String
        let name: String
        let user: String
        let code: Int

        var isWrite: Bool { ["create", "update", "patch", "delete"].contains(verb) }
    }

    static let deployment = Fixture.folder.deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "deploy/kubernetes")

    private let folder: URL
    private let prefix: [String]
    private let address: String
    private let port: Int
    private let token: String
    let process: Background

    /// Starts it and waits until it listens.
    ///
    /// - Parameters:
    ///   - folder: for its files, and those of kubeconfigs.
    ///   - address: where it listens.
    ///   - host: the host that it runs in, on a LAN; none: this machine.
    ///   - parts: what is there from the start, below `deploy/kubernetes`.
    ///   - objects: what else is there from the start.
    init(
        in folder: URL, at address: String = "127.0.0.1", host: (lan: NamespacedLAN, name: String)?,
        parts: [String] = ["namespace.yaml", "crds", "rbac"], objects: String = ""
    ) throws {
        self.folder = folder
        self.address = address
        prefix = host.map { ["ip", "netns", "exec", $0.lan.namespace($0.name)] } ?? []
        let file = folder.appending(path: "objects.yaml")
        try objects.write(to: file, atomically: true, encoding: .utf8)
        var arguments = [Self.executable, "--listen", "\(address):0"]
        for part in parts {
            arguments += ["--apply", Self.deployment.appending(path: part).path]
        }
        arguments += ["--apply", file.path]
        for account in Account.allCases {
            let place = Self.kubeconfig(of: account, in: folder)
            arguments +=
                account == .administrator
                ? ["--kubeconfig-out", place]
                : ["--kubeconfig-for", "\(place)=metallb-system:\(account.rawValue)"]
        }
        let log = folder.appending(path: "server.log")
        let process =
            try host?.lan.start(host?.name ?? "", arguments, log: "server.log", patience: 5)
            ?? Background(arguments, log: log, patience: 5)
        self.process = process
        let pattern = /https:\/\/\S+:(\d+)\n/
        let isListening = eventually(within: 20) {
            !process.isRunning || process.text.contains(pattern)
        }
        guard isListening != nil, let match = process.text.firstMatch(of: pattern),
            let port = Int(match.1)
        else {
            throw Shell.Failed(
                command: "scripted-apiserver", output: .init(status: -1, text: process.text))
        }
        self.port = port
        token = try Self.prepare(folder)
    }

    /// Beside the executable under test.
    private static var executable: String {
        if let given = ProcessInfo.processInfo.environment["SCRIPTED_APISERVER"] { return given }
        return URL(filePath: NamespacedLAN.executable).deletingLastPathComponent()
            .appending(path: "scripted-apiserver").path
    }

    func kubeconfig(of account: Account) -> String { Self.kubeconfig(of: account, in: folder) }

    private static func kubeconfig(of account: Account, in folder: URL) -> String {
        folder.appending(path: "\(account.rawValue).kubeconfig").path
    }

    /// The server's certificate is for `localhost`, wherever it listens. Returns the token of the
    /// administrator, and leaves the certificate of the authority in a file.
    private static func prepare(_ folder: URL) throws -> String {
        var text = ""
        for account in Account.allCases.reversed() {
            let file = kubeconfig(of: account, in: folder)
            text = try String(contentsOfFile: file, encoding: .utf8)
            try text.replacing("    server: ", with: "    tls-server-name: localhost\n    server: ")
                .write(toFile: file, atomically: true, encoding: .utf8)
        }
        guard let token = text.firstMatch(of: /token: (\S+)/),
            let authority = text.firstMatch(of: /certificate-authority-data: (\S+)/),
            let certificate = Data(base64Encoded: String(authority.1))
        else { throw Shell.Failed(command: "kubeconfig", output: .init(status: -1, text: text)) }
        try certificate.write(to: folder.appending(path: "authority.pem"))
        return String(token.1)
    }
}

/// Requests of the administrator.
extension ServerProcess {
    /// What a YAML or JSON document is called in a path of the API.
    private static let collections = [
        "Service": "/api/v1/namespaces/default/services",
        "EndpointSlice": "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices",
    ]

    @discardableResult
    func request(
        _ method: String, _ path: String, _ body: String? = nil, type: String = "application/json"
    ) throws -> Answer {
        var arguments = [
            "curl", "-sS", "-X", method, "--max-time", "10", "-w", "\n%{http_code}",
            "--cacert", folder.appending(path: "authority.pem").path,
            "--connect-to", "localhost:\(port):\(address):\(port)",
            "-H", "Authorization: Bearer \(token)", "-H", "Content-Type: \(type)",
        ]
        if let body { arguments += ["--data-binary", body] }
        let text = try Shell.run(prefix + arguments + ["https://localhost:\(port)\(path)"]).text
        let end = text.lastIndex(of: "\n") ?? text.endIndex
        return Answer(
            code: Int(text[end...].dropFirst()) ?? 0,
            body: try RouterJSON(text: String(text[..<end])))
    }

    /// The same, where only success will do.
    @discardableResult
    func demand(
        _ method: String, _ path: String, _ body: String? = nil, type: String = "application/json"
    ) throws -> RouterJSON {
        let answer = try request(method, path, body, type: type)
        guard (200..<300).contains(answer.code) else {
            throw Shell.Failed(
                command: "\(method) \(path)",
                output: .init(
                    status: Int32(answer.code), text: answer.body["message"].text ?? ""))
        }
        return answer.body
    }

    func merge(_ path: String, _ body: String) throws {
        try demand("PATCH", path, body, type: "application/merge-patch+json")
    }

    /// Creates the Services and EndpointSlices of a YAML text in namespace `default`.
    func create(_ yaml: String) throws {
        for document in yaml.split(separator: "---\n") {
            guard let kind = document.firstMatch(of: /(?m)^kind: (\w+)/),
                let path = Self.collections[String(kind.1)]
            else { throw Shell.Failed(command: "create", output: .init(status: -1, text: yaml)) }
            try demand("POST", path, String(document), type: "application/yaml")
        }
    }

    /// Sends requests over one connection, one after the other, from a process of its own. It
    /// prints for each its code, and the time at which its answer was there.
    func series(
        _ method: String, type: String, pause: Double, _ requests: [(path: String, body: String)]
    ) throws -> Background {
        let program = """
            import http.client, json, socket, ssl, sys, time
            context = ssl.create_default_context(cafile=sys.argv[2])
            wire = http.client.HTTPSConnection("localhost", context=context)
            wire.sock = context.wrap_socket(
                socket.create_connection(("\(address)", \(port))), server_hostname="localhost")
            head = {"Authorization": "Bearer \(token)", "Content-Type": "\(type)"}
            for line in open(sys.argv[1]):
                path, body = json.loads(line)
                wire.request("\(method)", path, body, head)
                answer = wire.getresponse()
                answer.read()
                print(answer.status, time.time(), flush=True)
                time.sleep(\(pause))
            """
        let name = "series-\(UUID().uuidString)"
        let file = folder.appending(path: name)
        let lines = try requests.map { request in
            String(
                decoding: try JSONSerialization.data(withJSONObject: [request.path, request.body]),
                as: UTF8.self)
        }
        try lines.joined(separator: "\n").write(to: file, atomically: true, encoding: .utf8)
        return try Background(
            prefix + [
                "python3", "-c", program, file.path,
                folder.appending(path: "authority.pem").path,
            ], log: folder.appending(path: "\(name).log"), patience: 0)
    }

    /// When the answers of a series were there; waits for its end.
    func answers(of series: Background) throws -> [Double] {
        _ = eventually(within: 30) { !series.isRunning }
        return try series.text.split(separator: "\n").map { line in
            let words = line.split(separator: " ")
            guard words.count == 2, words[0].hasPrefix("2"), let time = Double(words[1]) else {
                throw Shell.Failed(
                    command: "series", output: .init(status: -1, text: series.text))
            }
            return time
        }
    }

    /// What has been asked of it so far, as a number for ``requests(after:)``.
    func requestCount() throws -> Int {
        try demand("GET", "/scripted/counters")["total"].number ?? 0
    }

    /// What was asked of it, the administrator's questions left out.
    func requests(after number: Int) throws -> [Request] {
        try demand("GET", "/scripted/requests?after=\(number)")["requests"].list.map { request in
            Request(
                verb: request["verb"].text ?? "", resource: request["resource"].text ?? "",
                name: request["name"].text ?? "", user: request["user"].text ?? "",
                code: request["code"].number ?? 0)
        }.filter { $0.user.hasPrefix("system:serviceaccount:") }
    }
}

/// What the objects of the cluster say.
extension ServerProcess {
    /// The addresses of every Service in namespace `default` that has one.
    func addresses() throws -> [String: String] {
        let list = try demand("GET", "/api/v1/namespaces/default/services")["items"].list
        return list.reduce(into: [:]) { addresses, service in
            let ingress = service["status"]["loadBalancer"]["ingress"].list
            guard let name = service["metadata"]["name"].text else { return }
            addresses[name] = ingress.first?["ip"].text
        }
    }

    /// The nodes that a Service's ServiceL2Statuses name, with an interface.
    func answeringNodes(of service: String) throws -> [String] {
        let path = "/apis/metallb.io/v1beta1/namespaces/metallb-system/servicel2statuses"
        let list = try demand("GET", path)["items"].list.map { $0["status"] }
        return list.filter {
            $0["serviceName"].text == service && !$0["interfaces"].list.isEmpty
        }.compactMap { $0["node"].text }.sorted()
    }

    /// The node part of the identity of the controller that holds the Lease.
    func leader() throws -> String? {
        let path =
            "/apis/coordination.k8s.io/v1/namespaces/metallb-system/leases/martlet-controller"
        let answer = try request("GET", path)
        guard let holder = answer.body["spec"]["holderIdentity"].text, !holder.isEmpty else {
            return nil
        }
        return holder.split(separator: "_").first.map(String.init)
    }
}
