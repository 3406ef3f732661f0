import Foundation
import NIOSSL

/// A private authority and the server's certificate of it, as PEM.
package struct ServerCertificates: Sendable {
    /// What clients trust.
    package var authority: String
    package var authorityKey: String
    package var certificate: String
    package var key: String

    package init(authority: String, authorityKey: String, certificate: String, key: String) {
        self.authority = authority
        self.authorityKey = authorityKey
        self.certificate = certificate
        self.key = key
    }

    /// Why certificates could not be made.
    package struct Fault: Error, CustomStringConvertible {
        package var description: String
    }

    /// Makes an authority and a certificate for 127.0.0.1, ::1 and localhost, with `openssl`.
    package static func make(name: String = "scripted") throws -> ServerCertificates {
        try inTemporaryFolder { folder in
            try openssl(
                [
                    "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                    "-nodes", "-days", "30", "-subj", "/CN=\(name)-authority", "-keyout", "ca.key",
                    "-out", "ca.pem",
                ], in: folder)
            try issue(
                "/CN=\(name)",
                extensions: "subjectAltName=IP:127.0.0.1,IP:::1,DNS:localhost\n"
                    + "extendedKeyUsage=serverAuth\n", in: folder)
            return ServerCertificates(
                authority: try read("ca.pem", folder), authorityKey: try read("ca.key", folder),
                certificate: try read("leaf.pem", folder), key: try read("leaf.key", folder))
        }
    }

    /// A client certificate of a user, and its key.
    package func client(_ user: ServerUser) throws -> (certificate: String, key: String) {
        try Self.inTemporaryFolder { folder in
            try Self.write(authority, "ca.pem", folder)
            try Self.write(authorityKey, "ca.key", folder)
            let groups = user.groups.filter { $0 != "system:authenticated" }
            let subject = groups.map { "/O=\($0)" }.joined() + "/CN=\(user.name)"
            try Self.issue(subject, extensions: "extendedKeyUsage=clientAuth\n", in: folder)
            return (try Self.read("leaf.pem", folder), try Self.read("leaf.key", folder))
        }
    }

    func configuration(protocols: [String]) throws -> TLSConfiguration {
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: try NIOSSLCertificate.fromPEMBytes(Array(certificate.utf8))
                .map { .certificate($0) },
            privateKey: .privateKey(try NIOSSLPrivateKey(bytes: Array(key.utf8), format: .pem)))
        configuration.applicationProtocols = protocols
        configuration.trustRoots = .certificates(
            try NIOSSLCertificate.fromPEMBytes(Array(authority.utf8)))
        configuration.certificateVerification = .optionalVerification
        return configuration
    }

    private static func issue(
        _ subject: String, extensions: String, in folder: URL
    ) throws {
        try write(extensions, "leaf.ext", folder)
        try openssl(
            [
                "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                "-subj", subject, "-keyout", "leaf.key", "-out", "leaf.csr",
            ], in: folder)
        try openssl(
            [
                "x509", "-req", "-in", "leaf.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
                "-CAcreateserial", "-days", "30", "-extfile", "leaf.ext", "-out", "leaf.pem",
            ], in: folder)
    }

    private static func inTemporaryFolder<Value>(
        _ body: (URL) throws -> Value
    ) throws -> Value {
        let folder = FileManager.default.temporaryDirectory
            .appending(path: "scripted-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        return try body(folder)
    }

    private static func read(_ name: String, _ folder: URL) throws -> String {
        try String(contentsOf: folder.appending(path: name), encoding: .utf8)
    }

    private static func write(_ text: String, _ name: String, _ folder: URL) throws {
        try text.write(to: folder.appending(path: name), atomically: true, encoding: .utf8)
    }

    private static func openssl(_ arguments: [String], in folder: URL) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
        process.arguments = arguments
        process.currentDirectoryURL = folder
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw Fault(description: "openssl \(arguments.joined(separator: " ")) failed")
        }
    }
}
