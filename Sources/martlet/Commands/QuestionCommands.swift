import AdminServer
import ArgumentParser
import ClusterSource
import FoundationEssentials
import Kubernetes
import LinuxNetwork

/// Where a running daemon is asked.
struct AdminOption: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The daemon's admin server: ADDR:PORT or the path of its Unix socket.",
            valueName: "place"))
    var admin = DaemonOptions.defaultAdmin[1]

    func validate() throws {
        guard AdminAddress(admin) != nil else {
            throw ValidationError("--admin \(admin): write ADDR:PORT, [V6]:PORT or /a/path")
        }
    }

    /// The answer of the daemon to a path; a failure is said in one line and ends the program.
    func get<Value: Decodable>(_ path: String, as type: Value.Type) async throws -> Value {
        guard let address = AdminAddress(admin) else { throw ExitCode.validationFailure }
        do {
            let bytes = try await AdminClient(address).get(path)
            let decoder = JSONDecoder()
            decoder.dateDecodingStrategy = .iso8601
            return try decoder.decode(type, from: Data(bytes))
        } catch let failure as AdminClient.Failure {
            complain("martlet: \(failure)")
            throw ExitCode.failure
        }
    }
}

/// `martlet status`: what a running daemon does.
struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Show Services, addresses, owners, pools and problems of a running daemon.")

    @OptionGroup var server: AdminOption
    @Option(name: .shortAndLong, help: "text or json.") var output: OutputFormat = .text

    func run() async throws {
        let report = try await server.get("/state", as: StateReport.self)
        switch output {
        case .text: emit(report.text(Terminal()))
        case .json: emit(try report.json())
        }
    }
}

/// `martlet explain`: why things are as they are.
struct ExplainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Say why a Service has its address, who answers for it, and where traffic goes.",
        discussion: """
            Asks a running daemon, or with --manifests works it out from a folder: the same code \
            decides.
            """)

    @Argument(help: "A Service (namespace/name or name) or an address.") var subject: String
    @OptionGroup var server: AdminOption
    @Option(help: ArgumentHelp("Work it out from this folder instead.", valueName: "dir"))
    var manifests: String?
    @Option(help: ArgumentHelp("With --manifests: what has been given.", valueName: "dir"))
    var state: String?
    @Option(help: ArgumentHelp("With --manifests: seen from this node.", valueName: "name"))
    var node: String = ""
    @Option(help: ArgumentHelp("With --manifests: as a daemon of this class.", valueName: "class"))
    var loadBalancerClass: String?
    @Option(
        help: ArgumentHelp(
            "With --manifests: namespace of the configuration objects.", valueName: "namespace"))
    var namespace = "metallb-system"
    @Option(name: .shortAndLong, help: "text or json.") var output: OutputFormat = .text

    func run() async throws {
        let reports: [ServiceReport]
        if let manifests {
            reports = try offline(manifests)
        } else {
            reports = try await server.get(
                "/explain?subject=\(subject.percentEncoded)", as: [ServiceReport].self)
        }
        guard !reports.isEmpty else {
            complain("martlet: no Service and no address is called \(subject)")
            throw ExitCode.failure
        }
        switch output {
        case .text: emit(reports.map { $0.text(Terminal()) }.joined(separator: "\n"))
        case .json: emit(try reports.json())
        }
    }

    private func offline(_ manifests: String) throws -> [ServiceReport] {
        let cluster = try FolderSource.read(
            manifests: manifests, state: state, configurationNamespace: namespace)
        for problem in cluster.snapshot.problems where problem.severity == .error {
            complain(ProblemReport(problem).text)
        }
        let explainer = Explainer(
            state: cluster, node: node,
            scope: ServiceScope(loadBalancerClass: loadBalancerClass), isOffline: true,
            now: MonotonicClock.now())
        return explainer.services(named: subject).map(explainer.report)
    }
}
