import ArgumentParser
import ClusterSource
import Controller
import FoundationEssentials
import Kubernetes
import LinuxNetwork
import LoadBalancing
import NetworkTypes
import Speaker

/// `martlet simulate`: where addresses would go.
struct SimulateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulate",
        abstract: "Show where addresses would go if nodes failed.",
        discussion: """
            Works it out from a folder (--manifests) or an API server (--kubeconfig, --context, \
            --in-cluster, and as kubectl martlet), with the code that decides in the daemons: \
            first who owns what now, then who would if the nodes named had died together. Nothing \
            is changed.
            """)

    @OptionGroup var cluster: ClusterOptions
    @Option(
        help: ArgumentHelp(
            "With --manifests: what has been given, and who claims what now.", valueName: "dir"))
    var state: String?
    @Option(
        name: .customLong("fail"),
        help: ArgumentHelp("The nodes that fail together.", valueName: "node[,node]"))
    var failing: String
    @OptionGroup var view: ViewOptions
    @Option(name: .shortAndLong, help: "text or json.") var output: OutputFormat = .text

    /// What programs read.
    struct Report: Codable {
        struct Address: Codable {
            var address: String
            var before: String?
            var after: String?
            var cause: String
            /// Where nobody would own it: why not, by node.
            var reasons: [String: String]?
        }

        struct Load: Codable {
            var node: String
            var before: Int
            var after: Int
        }

        var failing: [String]
        var moved: [Address]
        var unmoved: Int
        var loads: [Load]
    }

    private var names: [String] {
        failing.split { $0 == "," || $0 == " " }.map(String.init)
    }

    func validate() throws {
        guard !names.isEmpty else { throw ValidationError("--fail: name at least one node") }
        guard cluster.commandChoice != nil else {
            throw ValidationError(
                "which cluster? --manifests DIR for a folder, --kubeconfig FILE or --in-cluster "
                    + "for an API server")
        }
        guard state == nil || cluster.manifests != nil else {
            throw ValidationError("--state belongs to --manifests")
        }
    }

    func run() async throws {
        let forecast = FailureForecast(try await facts(), failing: names)
        guard forecast.unknown.isEmpty else {
            let known = forecast.loads.map(\.node).joined(separator: ", ")
            complain(
                "martlet: \(forecast.unknown.joined(separator: ", ")): no such node; there are "
                    + (known.isEmpty ? "none" : known))
            throw ExitCode.failure
        }
        switch output {
        case .text: emit(forecast.description + "\n")
        case .json: emit(try Report(forecast).json())
        }
    }

    private func facts() async throws -> Tenure.Facts {
        guard let choice = cluster.commandChoice else { throw ExitCode.validationFailure }
        let explainer = try await view.explainer(choice, state: state)
        var facts = ElectionInput(explainer.state, node: "", scope: view.scope).facts(for: "")
        // Nobody in particular asks, and so nobody in particular can own an address.
        facts.nodes[""] = nil
        return facts
    }
}

extension SimulateCommand.Report {
    fileprivate init(_ forecast: FailureForecast) {
        failing = forecast.failing
        moved = forecast.moved.map { outcome in
            Address(
                address: "\(outcome.address)", before: outcome.before, after: outcome.after,
                cause: "\(outcome.cause)",
                reasons: outcome.reasons.isEmpty ? nil : outcome.reasons.mapValues { "\($0)" })
        }
        unmoved = forecast.outcomes.count - forecast.moved.count
        loads = forecast.loads.map { Load(node: $0.node, before: $0.before, after: $0.after) }
    }
}
