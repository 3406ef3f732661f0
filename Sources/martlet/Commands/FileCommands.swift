import ArgumentParser
import Foundation
import Kubernetes

/// `martlet validate`: everything wrong with manifests, before they are in force.
struct ValidateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "validate",
        abstract: "Check manifests: exit 0 when they hold no error, else 1 and every error.",
        discussion: """
            Files, or folders that are read as `martlet run` reads them; a file called - is \
            standard input. Or, without any, what is in an API server (--kubeconfig, --context, \
            --in-cluster, and as kubectl martlet). The same code checks here and in the daemons, \
            rules between objects included.
            """)

    @Argument(help: ArgumentHelp("Files or folders.", valueName: "path"))
    var paths: [String] = []
    @OptionGroup var cluster: ServerOptions
    @Option(help: ArgumentHelp("Namespace of the configuration objects.", valueName: "namespace"))
    var namespace = "metallb-system"
    @Flag(help: "Several daemons will run without a shared --state folder: warn accordingly.")
    var withoutSharedState = false
    @Option(
        help: ArgumentHelp("With files: where node ports may be.", valueName: "first-last"))
    var nodePorts: PortRange = PortRange(ServiceChainReview.usualNodePorts)
    @Flag(
        name: .customLong("allow-external-ips"),
        help: "With files: the speakers will serve externalIPs, too.")
    var allowExternalIPs = false
    @Option(name: .shortAndLong, help: "text or json.") var output: OutputFormat = .text

    /// What programs read.
    struct Verdict: Codable {
        var valid: Bool
        /// The API server, where that was looked at.
        var server: String?
        /// False when something of it could not be read, and so not be checked.
        var complete = true
        var files: Int
        var objects: Int
        var problems: [ProblemReport]
    }

    func validate() throws {
        guard paths.isEmpty else {
            guard cluster.chosen == nil else {
                throw ValidationError("check files or a cluster; give one of them")
            }
            return
        }
        guard cluster.commandChoice != nil else {
            throw ValidationError(
                "what is to be checked? Name files or folders, or a cluster with --kubeconfig FILE")
        }
        guard !withoutSharedState else {
            throw ValidationError("--without-shared-state is about files")
        }
    }

    func run() async throws {
        var validation = Validation(
            namespace: namespace, withoutSharedState: withoutSharedState)
        validation.ways.nodePorts = nodePorts.range
        validation.ways.allowsExternalIPs = allowExternalIPs
        let verdict: Verdict
        if paths.isEmpty, let choice = cluster.commandChoice {
            verdict = validation.verdict(on: try await .of(choice, namespace: namespace))
        } else {
            verdict = try validation.verdict(on: paths)
        }
        switch output {
        case .json: emit(try verdict.json())
        case .text: emit(Self.text(of: verdict, Terminal()))
        }
        if !verdict.valid { throw ExitCode.failure }
    }

    private static func text(of verdict: Verdict, _ terminal: Terminal) -> String {
        let errors = verdict.problems.count { $0.severity == "error" }
        let warnings = verdict.problems.count { $0.severity == "warning" }
        let result =
            if !verdict.valid {
                terminal.styled(count(errors, "error"), .bad)
            } else if verdict.complete {
                terminal.styled("valid", .good)
            } else {
                terminal.styled("valid as far as it could be read", .doubtful)
            }
        let place = verdict.server.map { "in \($0)" } ?? "in \(count(verdict.files, "file"))"
        return verdict.problems.map { $0.styled(terminal) + "\n" }.joined()
            + "\(count(verdict.objects, "object")) \(place): \(result)"
            + (warnings > 0 ? ", " + count(warnings, "warning") : "") + "\n"
    }

    private static func count(_ number: Int, _ noun: String) -> String {
        "\(number) \(noun)\(number == 1 ? "" : "s")"
    }
}

/// A range of ports, written `30000-32767`.
struct PortRange: ExpressibleByArgument {
    let range: ClosedRange<UInt16>

    init(_ range: ClosedRange<UInt16>) { self.range = range }

    init?(argument: String) {
        let bounds = argument.split(separator: "-", omittingEmptySubsequences: false)
            .map { UInt16($0) }
        guard bounds.count == 2, let first = bounds[0], let last = bounds[1], 0 < first,
            first <= last
        else { return nil }
        range = first...last
    }

    var defaultValueDescription: String { "\(range.lowerBound)-\(range.upperBound)" }
}

/// `martlet convert`: the older configuration file as kinds.
struct ConvertCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "convert",
        abstract: "Print the kinds that say what an older configuration file says.")

    @Argument(help: "The older file, or the ConfigMap that holds it; - is standard input.")
    var file: String
    @Option(help: ArgumentHelp("Namespace of the objects.", valueName: "namespace"))
    var namespace = "metallb-system"

    func run() throws {
        let text = try ManifestText.read(file)
        let (objects, problems) = LegacyConfiguration.convert(
            text, file: file, namespace: namespace)
        for problem in problems { complain(problem.description) }
        if !objects.isEmpty { emit(try ManifestWriter.text(objects)) }
        if problems.contains(where: { $0.severity == .error }) { throw ExitCode.failure }
    }
}

/// Reading files for commands.
enum ManifestText {
    /// The text of a file, or of standard input for `-`; failure ends the program with one line.
    static func read(_ path: String) throws -> String {
        do {
            let data =
                path == "-"
                ? FileHandle.standardInput.readDataToEndOfFile()
                : try Data(contentsOf: URL(filePath: path))
            return String(decoding: data, as: UTF8.self)
        } catch {
            complain("martlet: \(path) cannot be read: \(error.localizedDescription)")
            throw ExitCode.failure
        }
    }
}
