import Foundation
import Subprocess
import Testing

/// A certificate authority in a folder of its own, made with the `openssl` of the system.
struct TestAuthority: Sendable {
    /// A certificate with its key, as files.
    struct Identity: Sendable {
        var certificate: String
        var key: String
    }

    let folder: TemporaryFolder
    let name: String
    var certificate: String { folder.path("\(name).crt") }
    private var key: String { folder.path("\(name).key") }

    init(_ name: String) async throws {
        folder = try TemporaryFolder()
        self.name = name
        try await openssl(
            ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
                + ["-days", "2", "-subj", "/CN=\(name)", "-keyout", key, "-out", certificate])
    }

    /// A certificate for the names and addresses, as `openssl` writes them: `IP:127.0.0.1`.
    func identity(_ subject: String, names: String) async throws -> Identity {
        let made = Identity(
            certificate: folder.path("\(subject).crt"), key: folder.path("\(subject).key"))
        let request = folder.path("\(subject).csr")
        try await openssl(
            ["req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
                + ["-subj", "/CN=\(subject)", "-keyout", made.key, "-out", request])
        try folder.write("subjectAltName=\(names)\n", to: "\(subject).ext")
        try await openssl(
            ["x509", "-req", "-in", request, "-CA", certificate, "-CAkey", key, "-days", "2"]
                + ["-CAcreateserial", "-extfile", folder.path("\(subject).ext")]
                + ["-out", made.certificate])
        return made
    }

    private func openssl(_ arguments: [String]) async throws {
        let result = try await Subprocess.run(
            .name("openssl"), arguments: Arguments(arguments), output: .discarded,
            error: .string(limit: 1 << 16))
        guard result.terminationStatus.isSuccess else {
            throw TestFailure("openssl: \(result.standardError)")
        }
    }
}

struct TestFailure: Error, CustomStringConvertible {
    var description: String
    init(_ description: String) { self.description = description }
}

/// A folder that goes away with the last one who holds it.
final class TemporaryFolder: Sendable {
    let root: String

    init() throws {
        root = NSTemporaryDirectory() + "/access-\(UUID().uuidString)"
        try FileManager.default.createDirectory(
            atPath: root, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: root)  // What is left over harms nobody.
    }

    func path(_ name: String) -> String { "\(root)/\(name)" }

    /// Writes a file as others replace theirs: at once.
    @discardableResult
    func write(_ text: String, to name: String, mode: Int = 0o600) throws -> String {
        let path = path(name)
        try Data(text.utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
        return path
    }

    func text(_ name: String) throws -> String {
        try String(contentsOfFile: path(name), encoding: .utf8)
    }
}
