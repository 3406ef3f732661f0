/// One flow that was followed through this node, as programs read it.
struct FlowReport: Codable, Sendable, Equatable {
    /// `namespace/name`.
    var service: String
    /// The address that a client asks for; empty where there is none, and the port with it.
    var address: String
    /// `http 80/TCP`.
    var port: String
    /// The client's address, where one was given.
    var from: String?
    /// The stations, in the order of a packet.
    var steps: [Step]
    /// Where it ends.
    var end: String
    /// Whether that is an endpoint that answers.
    var arrives: Bool

    /// One station.
    struct Step: Codable, Sendable, Equatable {
        /// Which one.
        var station: String
        /// Whether a packet goes on from here; absent where nobody can tell.
        var passes: Bool?
        /// What was found.
        var finding: String
    }
}

extension FlowReport {
    /// The report as indented lines.
    func text(_ terminal: Terminal) -> String {
        let source = from.map { " from \($0)" } ?? ""
        let place = address.isEmpty ? "" : "  \(address) port \(port)\(source)"
        var lines = [terminal.styled(service, .strong) + place]
        for step in steps {
            let mark: String =
                switch step.passes {
                case true?: terminal.styled("ok", .good)
                case false?: terminal.styled("NO", .bad)
                case nil: terminal.styled("??", .doubtful)
                }
            lines.append("  \(mark)  \(step.station): \(step.finding)")
        }
        lines.append("  \(terminal.styled(end, arrives ? .good : .bad))")
        return lines.joined(separator: "\n") + "\n"
    }
}
