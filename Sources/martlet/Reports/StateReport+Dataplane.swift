import Dataplane
import Speaker

extension StateReport {
    /// What Martlet's own data plane serves on this node, and how much it is used.
    struct Dataplane: Codable, Sendable, Equatable {
        /// What the kernel counts: `connections`, `traffic` or `none`.
        var counters: String
        /// How often the table was put right after somebody else had changed it.
        var repairs: UInt64
        /// Why the counters cannot be told; absent when they can.
        var trouble: String?
        /// Every Service port in the table, by name.
        var ports: [Port]

        /// One Service port. What is not counted is absent; the rest counts from the start of the
        /// process, or of the one whose table it took over.
        struct Port: Codable, Sendable, Equatable {
            /// `namespace/name`.
            var service: String
            /// The port's name, or its number where it has none.
            var port: String
            /// `TCP`, `UDP` or `SCTP`.
            var transport: String
            /// New connections, refused and dropped ones among them.
            var connections: UInt64?
            /// Packets of both directions.
            var packets: UInt64?
            /// Their bytes with IP headers.
            var bytes: UInt64?
            /// Those that get new connections.
            var endpoints: [Endpoint]
        }

        /// One endpoint of a Service port.
        struct Endpoint: Codable, Sendable, Equatable {
            /// With its port.
            var address: String
            /// New connections that were sent to it.
            var connections: UInt64?
        }
    }
}

extension StateReport.Dataplane {
    init(_ usage: DataplaneUsage) {
        counters =
            switch usage.counters {
            case .none: "none"
            case .connections: "connections"
            case .traffic: "traffic"
            }
        repairs = usage.repairs
        trouble = usage.trouble
        ports = usage.ports.map { port in
            Port(
                service: "\(port.identity.namespace)/\(port.identity.service)",
                port: port.identity.port, transport: "\(port.identity.transport)".uppercased(),
                connections: port.connections, packets: port.traffic?.packets,
                bytes: port.traffic?.bytes,
                endpoints: port.endpoints.map {
                    Endpoint(address: "\($0.address)", connections: $0.connections)
                })
        }
    }

    /// So many Service ports are shown to people, those with the most connections.
    private static let shown = 20
    /// So many endpoints of each.
    private static let shownEndpoints = 3

    /// The busiest ports, by name.
    func text(_ terminal: Terminal) -> String {
        let busiest = ports.enumerated()
            .sorted { ($1.element.load, $0.offset) < ($0.element.load, $1.offset) }
            .prefix(Self.shown).sorted { $0.offset < $1.offset }.map(\.element)
        let countsTraffic = counters == "traffic"
        let head =
            ["SERVICE PORT", "CONNECTIONS"] + (countsTraffic ? ["PACKETS", "BYTES"] : [])
            + ["TO ENDPOINTS"]
        var text = Table(
            head,
            busiest.map { port in
                [
                    "\(port.service) \(port.port)/\(port.transport)", Self.number(port.connections),
                ]
                    + (countsTraffic ? [Self.number(port.packets), Self.number(port.bytes)] : [])
                    + [Self.list(port.endpoints)]
            }
        ).text(terminal)
        if ports.count > busiest.count {
            text += "and \(ports.count - busiest.count) more with fewer connections; -o json\n"
        }
        if repairs > 0 {
            text +=
                terminal.styled("repaired", .doubtful)
                + ": the table was changed by others \(repairs) "
                + (repairs == 1 ? "time" : "times") + "\n"
        }
        if let trouble {
            text += terminal.styled("not counted", .doubtful) + ": \(trouble)\n"
        }
        return text
    }

    private static func number(_ count: UInt64?) -> String { count.map(String.init) ?? "-" }

    private static func list(_ endpoints: [Endpoint]) -> String {
        guard !endpoints.isEmpty else { return "none: refused" }
        let few = endpoints.prefix(shownEndpoints).map { endpoint in
            endpoint.address + (endpoint.connections.map { " (\($0))" } ?? "")
        }
        let more = endpoints.count - few.count
        return few.joined(separator: ", ") + (more > 0 ? " and \(more) more" : "")
    }
}

extension StateReport.Dataplane.Port {
    fileprivate var load: UInt64 { connections ?? 0 }
}
