import Kubernetes
import Subprocess

/// A program that makes credentials, as a kubeconfig names it.
package struct ExecPlugin: Sendable, Equatable {
    /// What is spoken with it.
    package enum Version: String, Sendable {
        case v1 = "client.authentication.k8s.io/v1"
        case v1beta1 = "client.authentication.k8s.io/v1beta1"
    }

    /// Where a cluster has what it says to plugins.
    static let extensionName = "client.authentication.k8s.io/exec"
    /// What a plugin may answer, and how much of its complaints is read.
    static let outputBound = 1 << 20

    /// A path, or a name to look for along `PATH`.
    package var command: String
    package var version: Version
    package var arguments: [String] = []
    /// Variables beside those of this process.
    package var environment: [String: String] = [:]
    /// How to get the program.
    package var installHint: String?
    var clusterInfo: ExecCredential.ClusterInfo?

    package init(command: String, version: Version) {
        self.command = command
        self.version = version
    }

    /// Runs the program, with nothing to read from, and takes its answer.
    func run(within limit: Duration) async throws(APIFailure) -> ExecCredential {
        let outcome = await TimeLimit.result(within: limit) { () throws(APIFailure) in
            try await self.run()
        }
        guard let outcome else {
            throw failure(
                "it has not answered within \(limit.components.seconds) s; it may be waiting for a "
                    + "person")
        }
        return try outcome.get()
    }

    private func run() async throws(APIFailure) -> ExecCredential {
        var variables: [Environment.Key: String?] = [:]
        for (name, value) in environment { variables[.init(stringLiteral: name)] = value }
        variables["KUBERNETES_EXEC_INFO"] = try ExecCredential.question(
            version: version, cluster: clusterInfo)
        var options = PlatformOptions()
        // In a group of its own, so that what a script has started ends with it.
        options.processGroupID = 0
        options.teardownSequence = [
            .gracefulShutDown(toProcessGroup: true, allowedDurationToNextStep: .seconds(2))
        ]
        let status: TerminationStatus
        let output: [UInt8]
        let complaint: [UInt8]
        do {
            let result = try await Subprocess.run(
                command.contains("/") ? .path(Self.literal(command)) : .name(command),
                arguments: Arguments(arguments),
                environment: .inherit.updating(variables), platformOptions: options,
                input: .none, output: .bytes(limit: Self.outputBound),
                error: .bytes(limit: Self.outputBound))
            (status, output, complaint) =
                (result.terminationStatus, result.standardOutput, result.standardError)
        } catch let error as SubprocessError {
            throw failure(reason(error))
        } catch {
            throw failure("it could not be run: \(error)")
        }
        guard case .exited(0) = status else {
            let said = CredentialFile.line(Array(complaint.suffix(500)))
            throw failure("it ended with \(status)" + (said.isEmpty ? "" : ", saying: \(said)"))
        }
        do {
            return try ExecCredential(output, version: version)
        } catch {
            guard case .credentials(let reason) = error else { throw error }
            throw failure(reason)
        }
    }

    /// A path of the library's type, whose module is not otherwise needed.
    private static func literal<Path: ExpressibleByStringLiteral>(_ text: String) -> Path
    where Path.StringLiteralType == String {
        Path(stringLiteral: text)
    }

    private func reason(_ error: SubprocessError) -> String {
        switch error.code {
        case .executableNotFound:
            let hint = installHint.map { "; " + $0 }
            return "there is no such program" + (hint ?? ", or PATH lacks its folder; install it")
        case .outputLimitExceeded: return "it writes more than \(Self.outputBound >> 20) MiB"
        case .spawnFailed: return "it could not be started: \(error)"
        default: return "it could not be run: \(error)"
        }
    }

    private func failure(_ reason: String) -> APIFailure {
        .credentials("exec plugin \(command): \(reason)")
    }
}
