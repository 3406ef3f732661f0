import Foundation

/// A train of numbered probes at an even pace: the program of the benchmarks, built when first
/// needed.
final class ProbeTrain {
    /// What became of the probes.
    struct Outcome {
        var sent: Int
        /// Probes whose echo did not come within 100 ms.
        var lost: Int
        /// The longest time between two echoes, in seconds.
        var longestGap: Double
        /// The longest pause between two probes: the prober's own doing.
        var hole: Double
    }

    private static let sources = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Benchmarks/Sources")
    private static let counter = Counter()

    private let process: Background
    private let file: URL

    /// The path of a tool, compiled into the LAN's folder.
    static func tool(_ name: String, _ lan: NamespacedLAN) throws -> String {
        let program = lan.folder.appending(path: name).path
        if !FileManager.default.fileExists(atPath: program) {
            let source = sources.appending(path: "\(name)/main.c").path
            try Shell.run(["gcc", "-O2", "-o", program, source])
        }
        return program
    }

    /// Datagrams from the client to a Service.
    init(_ lan: NamespacedLAN, to address: String, port: Int, every milliseconds: Int) throws {
        file = lan.folder.appending(path: "train-\(Self.counter.next())")
        process = try lan.start(
            "client",
            [
                try Self.tool("ProbeTrain", lan), file.path, "\(milliseconds * 1000)", "600",
                "udp", address, "\(port)",
            ], log: "train.log")
    }

    /// Questions who has an address, asked by a host that keeps no answer.
    init(_ lan: NamespacedLAN, asking address: String, from host: String, number: Int) throws {
        file = lan.folder.appending(path: "train-\(Self.counter.next())")
        let own = address.contains(":") ? "2001:db8:2::\(number)" : "192.0.2.\(number)"
        process = try lan.start(
            host,
            [
                try Self.tool("ProbeTrain", lan), file.path, "5000", "600", "ask", "eth0", own,
                address, "1", "1",
            ], log: "asker.log")
    }

    /// Ends the train and reads what became of it.
    func end() throws -> Outcome {
        process.signal(SIGTERM)
        let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
        let probes = lines.dropFirst().map { line in
            line.split(separator: " ").map { Double($0) ?? 0 }
        }
        let lost = probes.count { !($0[1] > 0 && $0[1] <= $0[0] + 0.1) }
        let echoes = probes.map { $0[1] }.filter { $0 > 0 }.sorted()
        let sent = probes.map { $0[0] }
        return Outcome(
            sent: probes.count, lost: lost, longestGap: Self.longest(echoes),
            hole: Self.longest(sent))
    }

    private static func longest(_ times: [Double]) -> Double {
        zip(times, times.dropFirst()).map { $1 - $0 }.max() ?? .infinity
    }
}
