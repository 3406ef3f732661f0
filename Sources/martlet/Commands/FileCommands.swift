import ArgumentParser
import Foundation
import Kubernetes

/// `martlet validate`: everything wrong with manifests, before they are in force.
struct ValidateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "validate",
        abstract: "Check manifests: exit 0 when they hold no error, else 1 and every error.",
        discussion: """
            Files, or folders that are read as `martlet run` reads them. The same code checks here \
            and in the daemons, rules between objects included. A file called - is standard input.
            """)

    @Argument(help: ArgumentHelp("Files or folders.", valueName: "path"))
    var paths: [String]
    @Option(help: ArgumentHelp("Namespace of the configuration objects.", valueName: "namespace"))
    var namespace = "metallb-system"
    @Flag(help: "Several daemons will run without a shared --state folder: warn accordingly.")
    var withoutSharedState = false
    @Option(name: .shortAndLong, help: "text or json.") var output: OutputFormat = .text

    /// What programs read.
    struct Verdict: Codable {
        var valid: Bool
        var files: Int
        var objects: Int
        var problems: [ProblemReport]
    }

    func run() throws {
        let validation = Validation(
            namespace: namespace, withoutSharedState: withoutSharedState)
        let verdict = try validation.verdict(on: paths)
        switch output {
        case .json: emit(try verdict.json())
        case .text:
            let terminal = Terminal()
            for problem in verdict.problems { emit(problem.styled(terminal) + "\n") }
            let errors = verdict.problems.count { $0.severity == "error" }
            let warnings = verdict.problems.count { $0.severity == "warning" }
            let result =
                verdict.valid
                ? terminal.styled("valid", .good)
                : terminal.styled(Self.count(errors, "error"), .bad)
            emit(
                "\(Self.count(verdict.objects, "object")) in \(Self.count(verdict.files, "file")): "
                    + result + (warnings > 0 ? ", " + Self.count(warnings, "warning") : "") + "\n")
        }
        if !verdict.valid { throw ExitCode.failure }
    }

    private static func count(_ number: Int, _ noun: String) -> String {
        "\(number) \(noun)\(number == 1 ? "" : "s")"
    }
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
