import Foundation

/// A BIRD with a configuration that the test writes out.
final class RawRouter {
    let lan: NamespacedLAN
    let host: String
    let process: Background
    private let folder: String

    /// - Parameter number: its address, 192.0.2.`number`; the host must be there.
    init(_ lan: NamespacedLAN, in host: String, number: Int, _ configuration: String) throws {
        self.lan = lan
        self.host = host
        folder = try lan.makeFolder(of: host)
        let text = """
            router id 192.0.2.\(number);
            log stderr all;
            protocol device {}
            \(configuration)

            """
        try text.write(toFile: "\(folder)/bird.conf", atomically: true, encoding: .utf8)
        process = try lan.start(
            host,
            [
                "bird", "-f", "-c", "\(folder)/bird.conf", "-s", "\(folder)/ctl", "-P",
                "\(folder)/pid",
            ], log: "\(host).log")
        try lan.waitUntil("BIRD answers", log: process) {
            try ask("show status").contains("Daemon is up")
        }
    }

    /// What it answers to a command; a refusal is an answer too.
    @discardableResult
    func ask(_ command: String) throws -> String {
        try Shell.run(
            ["birdc", "-s", "\(folder)/ctl"] + command.split(separator: " ").map(String.init),
            allowFailure: true
        ).text
    }
}
