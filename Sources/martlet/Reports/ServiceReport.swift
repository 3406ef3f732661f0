/// Everything there is to say about one Service, as programs read it.
struct ServiceReport: Codable, Sendable, Equatable {
    /// `namespace/name`.
    var service: String
    /// `spec.type`.
    var type: String
    /// Why the Service gets no address; absent when it may have one.
    var excluded: String?
    /// Where an ExternalName Service points.
    var externalName: String?
    /// The pool of the first address.
    var pool: String?
    /// The rule that chose the pool.
    var poolRule: String?
    /// Pools that came first and could not serve, with the reason.
    var poolsPassedOver: [String]
    /// What is asked for and cannot be had, with the way out.
    var unmet: String?
    /// The addresses.
    var addresses: [AddressReport]
    /// What speakers say of it; only where their status objects were read.
    var speakers: [SpeakerReport]?
    /// The way down, port by port.
    var ports: [PortReport]
    /// The cluster's own addresses; absent where there are none, or an older daemon says it.
    var clusterIPs: [String]?
    /// Who may enter at its addresses; absent when everybody may.
    var sourceRanges: [String]?
    /// Who takes traffic on at the asked node; absent where nobody has looked.
    var proxy: String?
    /// What breaks its way.
    var findings: [ProblemReport]?
    /// Flows that were followed, where that was asked for.
    var flows: [FlowReport]?

    /// One address.
    struct AddressReport: Codable, Sendable, Equatable {
        var address: String
        /// The pool around it.
        var pool: String?
        /// The node that answers for it; absent when none can.
        var owner: String?
        /// Why that node.
        var cause: String
        /// All Services that use the address.
        var services: [String]
        /// How it came there, as far as the asked node had a part in it.
        var lastMove: MoveReport?
        /// Every node with its verdict, the owner first.
        var nodes: [NodeReport]
        /// What this node does on the wire; absent offline.
        var wire: [WireReport]?
        /// What this node tells its routers; absent without BGP peers.
        var routes: [RouteReport]?
    }

    /// A change of hands.
    struct MoveReport: Codable, Sendable, Equatable {
        var from: String?
        var to: String
        /// Why it moved.
        var cause: String
        /// The epoch of the new claim.
        var epoch: UInt64
        var agoSeconds: Double
    }

    /// What one node is to an address.
    struct NodeReport: Codable, Sendable, Equatable {
        var node: String
        var owns: Bool
        var reason: String
        var remedy: String?
    }

    /// What is so on one interface of this node.
    struct WireReport: Codable, Sendable, Equatable {
        var interface: String
        var state: String
        /// Seconds for which questions have been answered; absent while they are not.
        var answeringForSeconds: Double?
        var conflictWith: String?
    }

    /// One port and its endpoints.
    struct PortReport: Codable, Sendable, Equatable {
        /// `http 80/TCP`.
        var port: String
        /// The number of it; absent when an older daemon says it.
        var number: UInt16?
        /// `TCP`, `UDP` or `SCTP`.
        var transport: String?
        /// Where traffic enters, from the outside in.
        var entrances: [String]
        /// `Cluster` or `Local`.
        var externalTrafficPolicy: String
        var endpoints: [EndpointReport]
        /// What happens to a connection; for a port without usable endpoints, the reason.
        var outcome: String
    }

    /// One endpoint.
    struct EndpointReport: Codable, Sendable, Equatable {
        var address: String
        var node: String?
        var target: String?
        /// Whether it could be used.
        var usable: Bool
        /// Whether it gets new connections.
        var chosen: Bool?
        /// `ready`, `not ready`, `not ready, serving` …
        var condition: String
    }
}

extension ServiceReport {
    /// The report as indented lines.
    func text(_ terminal: Terminal) -> String {
        var lines = ["\(terminal.styled(service, .strong))  type \(type)"]
        if let excluded { lines.append("  no address: it \(excluded)") }
        if let unmet {
            let word = addresses.isEmpty ? "no address" : "waiting"
            lines.append("  \(terminal.styled(word, .bad)): \(unmet)")
        }
        if let pool, let poolRule { lines.append("  pool \(pool): \(poolRule)") }
        lines += poolsPassedOver.map { "    passed over: \($0)" }
        for address in addresses { lines += address.lines(terminal) }
        lines += (speakers ?? []).map { $0.line(terminal) }
        if speakers?.isEmpty == true, !addresses.isEmpty {
            lines.append("  no speaker says that it answers or has told a router")
        }
        for port in ports { lines += port.lines(terminal) }
        if let sourceRanges {
            lines.append("  only from \(sourceRanges.joined(separator: ", ")) at its addresses")
        }
        if let proxy, !ports.isEmpty { lines.append("  taken on here by \(proxy)") }
        for finding in findings ?? [] {
            lines.append(
                "  \(finding.severity): \(finding.field.map { $0 + ": " } ?? "")\(finding.rule)"
                    + terminal.styled("; \(finding.remedy)", .faint))
        }
        return lines.joined(separator: "\n") + "\n"
            + (flows ?? []).map { $0.text(terminal) }.joined()
    }
}

extension ServiceReport.AddressReport {
    fileprivate func lines(_ terminal: Terminal) -> [String] {
        let answer = owner.map { "\(terminal.styled($0, .good)) \(cause)" } ?? cause
        var lines = ["  address \(terminal.styled(address, .strong)): \(answer)"]
        if services.count > 1 {
            lines.append("    shared by \(services.joined(separator: ", "))")
        }
        if let lastMove {
            lines.append(
                "    moved \(Int(lastMove.agoSeconds)) s ago from \(lastMove.from ?? "nobody") to "
                    + "\(lastMove.to): it \(lastMove.cause) (epoch \(lastMove.epoch))")
        }
        for node in nodes {
            let verdict = node.owns ? terminal.styled("owner", .good) : "no"
            let remedy = node.remedy.map { terminal.styled("; \($0)", .faint) } ?? ""
            lines.append("    \(node.node)  \(verdict): \(node.reason)\(remedy)")
        }
        for wire in wire ?? [] {
            let since = wire.answeringForSeconds.map { ", answering for \(Int($0)) s" } ?? ""
            let conflict = wire.conflictWith.map {
                ", " + terminal.styled("in conflict with \($0)", .bad)
            }
            lines.append(
                "    on this node's \(wire.interface): \(wire.state)\(since)\(conflict ?? "")")
        }
        for route in routes ?? [] { lines.append(route.line(terminal)) }
        return lines
    }
}

extension ServiceReport.PortReport {
    fileprivate func lines(_ terminal: Terminal) -> [String] {
        var lines = ["  port \(terminal.styled(port, .strong)): \(outcome)"]
        lines += entrances.map { "    enters at \($0)" }
        for endpoint in endpoints {
            let place = [endpoint.target, endpoint.node.map { "on \($0)" }]
                .compactMap(\.self).joined(separator: " ")
            let style: Terminal.Style = endpoint.chosen ?? endpoint.usable ? .good : .doubtful
            lines.append(
                "    → \(endpoint.address)  \(terminal.styled(endpoint.condition, style))"
                    + (place.isEmpty ? "" : "  \(place)"))
        }
        return lines
    }
}
