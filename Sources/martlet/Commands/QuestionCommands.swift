import AdminServer
import ArgumentParser
import ClusterSource
import FoundationEssentials
import Kubernetes
import LinuxNetwork
import NetworkTypes

/// Where a running daemon is asked.
struct AdminOption: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The daemon's admin server: ADDR:PORT or the path of its Unix socket (default: "
                + "\(DaemonOptions.defaultAdmin[1])).",
            valueName: "place"))
    var admin: String?

    /// Where the daemon is.
    var place: String { admin ?? DaemonOptions.defaultAdmin[1] }

    func validate() throws {
        guard AdminAddress(place) != nil else {
            throw ValidationError("--admin \(place): write ADDR:PORT, [V6]:PORT or /a/path")
        }
    }

    /// The answer of the daemon to a path; a failure is said in one line and ends the program.
    func get<Value: Decodable>(_ path: String, as type: Value.Type) async throws -> Value {
        guard let address = AdminAddress(place) else { throw ExitCode.validationFailure }
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

    /// The cluster to look at instead of asking a daemon; `nil` when a daemon is meant.
    func instead(_ choice: ClusterOptions.Choice?, given: Bool) throws -> ClusterOptions.Choice? {
        guard admin != nil else { return choice }
        guard !given else {
            throw ValidationError(
                "--admin asks a daemon, the other options look at a cluster; give one of them")
        }
        return nil
    }
}

/// `martlet status`: what a running daemon does, or what a cluster says of all of them.
struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Show Services, addresses, owners, pools and problems.",
        discussion: """
            Asks a running daemon, which knows most of its own node; or with --kubeconfig, \
            --context or --in-cluster, and as kubectl martlet, looks at what all of them have \
            written to the API server.
            """)

    @OptionGroup var server: AdminOption
    @OptionGroup var cluster: ServerOptions
    @OptionGroup var view: ViewOptions
    @Option(name: .shortAndLong, help: "text or json.") var output: OutputFormat = .text

    func validate() throws {
        _ = try server.instead(cluster.commandChoice, given: cluster.chosen != nil)
    }

    func run() async throws {
        let report: StateReport
        let choice = try server.instead(cluster.commandChoice, given: cluster.chosen != nil)
        if let choice {
            report = StateReport(
                try await view.read(choice), scope: view.scope, now: MonotonicClock.now())
        } else {
            report = try await server.get("/state", as: StateReport.self)
        }
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
            Asks a running daemon; or works it out, with the same code, from a folder \
            (--manifests) or an API server (--kubeconfig, --context, --in-cluster, and as kubectl \
            martlet). With --probe the way is also tried, from here: run it on the node that owns \
            the address, in its network namespace; the kernel's table takes CAP_NET_ADMIN to read. \
            It ends with 1 when a flow does not arrive.
            """)

    @Argument(help: "A Service (namespace/name or name) or an address.") var subject: String
    @OptionGroup var server: AdminOption
    @OptionGroup var cluster: ClusterOptions
    @Option(help: ArgumentHelp("With --manifests: what has been given.", valueName: "dir"))
    var state: String?
    @Option(help: ArgumentHelp("With a cluster: seen from this node.", valueName: "name"))
    var node: String = ""
    @Flag(
        help: "Follow each flow through this node's kernel to the endpoints, and say where it ends."
    )
    var probe = false
    @Option(help: ArgumentHelp("With --probe: the client's address.", valueName: "address"))
    var from: String?
    @OptionGroup var view: ViewOptions
    @Option(name: .shortAndLong, help: "text or json.") var output: OutputFormat = .text

    private var choice: ClusterOptions.Choice? {
        get throws {
            try server.instead(
                cluster.commandChoice,
                given: cluster.manifests != nil || cluster.server.chosen != nil)
        }
    }

    func validate() throws {
        _ = try choice
        guard state == nil || cluster.manifests != nil else {
            throw ValidationError("--state belongs to --manifests")
        }
        guard let from else { return }
        guard probe else { throw ValidationError("--from belongs to --probe") }
        guard IPAddress(from) != nil else {
            throw ValidationError("--from \(from): write an address, such as 192.0.2.7")
        }
    }

    func run() async throws {
        var reports: [ServiceReport]
        if let choice = try choice {
            let explainer = try await view.explainer(choice, state: state, node: node)
            reports = explainer.reports(on: explainer.services(named: subject))
        } else {
            reports = try await server.get(
                "/explain?subject=\(subject.percentEncoded)", as: [ServiceReport].self)
        }
        guard !reports.isEmpty else {
            complain("martlet: no Service and no address is called \(subject)")
            throw ExitCode.failure
        }
        if probe {
            let follower = FlowProbe(from: from.flatMap { IPAddress($0) })
            for index in reports.indices {
                reports[index].flows = follower.flows(to: reports[index])
            }
        }
        switch output {
        case .text: emit(reports.map { $0.text(Terminal()) }.joined(separator: "\n"))
        case .json: emit(try reports.json())
        }
        if reports.contains(where: { $0.flows?.contains { !$0.arrives } ?? false }) {
            throw ExitCode.failure
        }
    }
}
