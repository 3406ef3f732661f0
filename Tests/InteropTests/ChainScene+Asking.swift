import Foundation
import Testing

/// What became of one question.
struct ChainReply: Sendable {
    /// `tcp/192.0.2.201/80`, with the source behind it where it was chosen.
    let target: String
    /// `ENDPOINT saw CLIENT`, `refused`, `silent`, or what the kernel said.
    let text: String
    /// How long it took.
    let seconds: Double

    private var words: [Substring] { text.split(separator: " ") }
    /// The endpoint's address; `nil` when there was no answer.
    var endpoint: String? { words.count > 2 && words[1] == "saw" ? String(words[0]) : nil }
    /// The client's address, as the endpoint saw it.
    var client: String? { endpoint == nil ? nil : String(words[2]) }

    /// Whether one of these Pods answered.
    func isFrom(_ pods: [ChainPod]) -> Bool {
        endpoint.map { pods.flatMap(\.addresses).contains($0) } ?? false
    }
}

extension ChainScene {
    /// Starts the servers of Pods of one backend.
    ///
    /// - Parameter ports: `tcp/80` …
    func serve(_ pods: [ChainPod], _ ports: [String]) throws -> Background {
        let host = pods[0].host
        let process = try lan.start(
            host,
            [
                "python3", "-c", ChainProgram.sctp + ChainProgram.serve,
                pods.flatMap(\.addresses).joined(separator: ","), ports.joined(separator: ","),
            ], log: "\(host)-\(UUID().uuidString).log")
        let isUp = eventually(within: 10) { process.text.contains("listening") }
        guard isUp != nil else {
            throw Shell.Failed(command: "serve", output: .init(status: -1, text: process.text))
        }
        return process
    }

    /// Asks each target once, all at the same time.
    func ask(
        _ targets: [String], from host: String = "client", patience: Double = 1
    ) throws -> [ChainReply] {
        let output = try Shell.run(
            [
                "ip", "netns", "exec", lan.namespace(host), "python3", "-c",
                ChainProgram.sctp + ChainProgram.ask, "\(patience)",
            ] + targets)
        return output.text.split(separator: "\n").compactMap { line in
            let parts = line.split(separator: "\t").map(String.init)
            guard parts.count == 3, let seconds = Double(parts[2]) else { return nil }
            return ChainReply(target: parts[0], text: parts[1], seconds: seconds)
        }
    }

    /// Asks until each target has had such a reply, and returns these in order.
    @discardableResult
    func expect(
        _ targets: [String], from host: String = "client", within seconds: Double = 8,
        location: SourceLocation = #_sourceLocation, _ holds: (ChainReply) -> Bool
    ) throws -> [ChainReply] {
        var replies: [String: ChainReply] = [:]
        var open = targets
        _ = try eventually(within: seconds) {
            for reply in try ask(open, from: host) { replies[reply.target] = reply }
            open = open.filter { target in !(replies[target].map(holds) ?? false) }
            return open.isEmpty
        }
        let last = open.map { "\($0): \(replies[$0]?.text ?? "nothing")" }
        #expect(
            open.isEmpty, "from \(host): \(last.joined(separator: "; ")); \(lastWords)",
            sourceLocation: location)
        return targets.compactMap { replies[$0] }
    }

    /// Asks until each target was answered by one of these Pods.
    @discardableResult
    func expectAnswers(
        _ targets: [String], from host: String = "client", by pods: [ChainPod],
        location: SourceLocation = #_sourceLocation
    ) throws -> [ChainReply] {
        try expect(targets, from: host, location: location) { $0.isFrom(pods) }
    }

    /// What the daemons said last, in short.
    var lastWords: String {
        lan.nodes.map { node in
            let lines = daemons[node]?.text.split(separator: "\n").suffix(5) ?? []
            return "\(node):\n" + lines.joined(separator: "\n")
        }.joined(separator: "\n")
    }

    /// The node that answers for an address.
    func owner(of service: ChainService) throws -> String {
        let owner = eventually { lan.owner(of: service.addresses[0]) != nil }
        #expect(owner != nil, lan.lastWords)
        return try #require(lan.owner(of: service.addresses[0]))
    }
}
