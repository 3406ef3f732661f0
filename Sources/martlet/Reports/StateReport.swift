import FoundationEssentials

/// What a daemon says of itself and the cluster: the body of `/state`, and of `martlet status`.
struct StateReport: Codable, Sendable, Equatable {
    var version: String
    var node: String
    /// What runs in the process: `controller`, `speaker`.
    var roles: [String]
    /// Whether this process gives addresses.
    var allocates: Bool
    /// Who gives addresses, as its Lease calls it; absent where that is not known.
    var allocator: String?
    /// Present while this is what was last known, because the API server cannot be asked.
    var lastGood: LastGood?
    /// What a cluster says of itself; absent where a daemon was asked.
    var cluster: Cluster?
    /// False while something could not be read that has no last good version.
    var complete: Bool
    var services: [Service]
    var pools: [Pool]
    var interfaces: [Interface]
    var speakers: [Speaker]
    /// The routers that this node talks to.
    var peers: [Peer] = []
    /// What its data plane serves; absent where Martlet carries no traffic.
    var dataplane: Dataplane?
    /// How the gossip does; absent where there is none.
    var gossip: Gossip?
    /// How the Leases stand without which nobody answers; absent where none is needed.
    var fence: Fence?
    /// Addresses that nobody takes over although the gossip has lost their owner.
    var held: [Held] = []
    /// Addresses for which this node finds that nobody answers.
    var unanswered: [String] = []
    var events: [Event]
    /// What this node noted for its operator, oldest first.
    var nodeEvents: [NodeEvent] = []
    var problems: [ProblemReport]

    struct Service: Codable, Sendable, Equatable {
        var service: String
        var type: String
        var addresses: [Address]
        /// Why it has no address, or not all.
        var unmet: String?
        /// The nodes that say that they have told routers; absent where that was not asked.
        var announcedBy: [String]?

        /// What is said beside an address.
        fileprivate func remark(on address: Address) -> String {
            if let announcedBy {
                let few = announcedBy.prefix(3).joined(separator: ", ")
                return "routers have it from \(few)"
                    + (announcedBy.count > 3 ? " and \(announcedBy.count - 3) more" : "")
            }
            return address.owner == nil ? address.cause : unmet ?? ""
        }
    }

    struct Address: Codable, Sendable, Equatable {
        var address: String
        var pool: String?
        var owner: String?
        var cause: String
    }

    struct Pool: Codable, Sendable, Equatable {
        var pool: String
        var assignedIPv4: Int64
        var assignedIPv6: Int64
        var availableIPv4: Int64
        var availableIPv6: Int64
    }

    struct Interface: Codable, Sendable, Equatable {
        var interface: String
        var macAddress: String
        var listening: Bool
        var answering: Int
        var failure: String?
    }

    struct Speaker: Codable, Sendable, Equatable {
        var node: String
        var serving: Bool
        var claims: Int
        var interfaces: [String]
        /// How many Services routers have from it, and which; absent where that was not asked.
        var announced: Int?
        var peers: [String]?
    }

    struct Event: Codable, Sendable, Equatable {
        var service: String
        var severity: String
        var reason: String
        var message: String
        var at: Date?
    }
}

extension StateReport {
    /// Tables for people.
    func text(_ terminal: Terminal) -> String {
        var text = head(terminal)
        text += "\n" + servicesTable(terminal)
        text +=
            "\n"
            + Table(
                ["POOL", "IPV4 USED", "FREE", "IPV6 USED", "FREE"],
                pools.map {
                    [
                        $0.pool, "\($0.assignedIPv4)", "\($0.availableIPv4)", "\($0.assignedIPv6)",
                        $0.availableIPv6 == .max ? "plenty" : "\($0.availableIPv6)",
                    ]
                }
            ).text(terminal)
        if !interfaces.isEmpty {
            text +=
                "\n"
                + Table(
                    ["INTERFACE", "MAC", "STATE", "ANSWERING"],
                    interfaces.map {
                        [
                            $0.interface, $0.macAddress,
                            $0.failure ?? ($0.listening ? "listening" : "link down"),
                            "\($0.answering)",
                        ]
                    }
                ).text(terminal)
        }
        if !peers.isEmpty { text += "\n" + peers.text(terminal) }
        if let dataplane { text += "\n" + dataplane.text(terminal) }
        if let gossip {
            text += "\n" + gossip.text(terminal)
        } else if cluster != nil {
            text += "\n" + speakersTable(terminal)
        } else if !speakers.isEmpty {
            text +=
                "\n"
                + Table(
                    ["NODE", "SPEAKER", "CLAIMS", "INTERFACES"],
                    speakers.map {
                        [
                            $0.node, $0.serving ? "serving" : "stopped", "\($0.claims)",
                            $0.interfaces.joined(separator: ","),
                        ]
                    }
                ).text(terminal)
        }
        if let fence { text += "\n" + fence.text(terminal) }
        for held in held {
            text +=
                terminal.styled("held", .bad)
                + ": \(held.address) is still answered by \(held.by), which the gossip has lost\n"
        }
        if !unanswered.isEmpty {
            text +=
                terminal.styled("unanswered", .bad)
                + ": nobody answers for \(unanswered.joined(separator: ", "))\n"
        }
        for event in nodeEvents.suffix(8) {
            let style: Terminal.Style = event.severity == "Warning" ? .doubtful : .faint
            let times = event.count > 1 ? " (\(event.count) times)" : ""
            text +=
                terminal.styled("\(Int(event.agoSeconds)) s ago \(event.reason)", style)
                + " \(event.subject): \(event.message)\(times)\n"
        }
        let shown = problems.filter { $0.severity != "notice" }
        if !shown.isEmpty {
            text += "\n" + shown.map { $0.styled(terminal) }.joined(separator: "\n") + "\n"
        }
        return text
    }

    private func servicesTable(_ terminal: Terminal) -> String {
        var rows: [[String]] = []
        for service in services {
            if service.addresses.isEmpty {
                rows.append([service.service, "-", "-", "-", service.unmet ?? ""])
            }
            for (index, address) in service.addresses.enumerated() {
                rows.append([
                    index == 0 ? service.service : "", address.address, address.pool ?? "-",
                    address.owner ?? "-", service.remark(on: address),
                ])
            }
        }
        return Table(["SERVICE", "ADDRESS", "POOL", "OWNER", ""], rows).text(terminal)
    }
}

/// Columns as wide as their widest cell.
struct Table {
    let head: [String]
    let rows: [[String]]

    init(_ head: [String], _ rows: [[String]]) {
        self.head = head
        self.rows = rows
    }

    func text(_ terminal: Terminal) -> String {
        guard !rows.isEmpty else { return "" }
        let widths = head.indices.map { column in
            ([head] + rows).map { $0[column].count }.max() ?? 0
        }
        func line(_ cells: [String]) -> String {
            var line = ""
            for (cell, width) in zip(cells, widths) {
                line += cell + String(repeating: " ", count: width - cell.count + 2)
            }
            while line.last == " " { line.removeLast() }
            return line
        }
        return terminal.styled(line(head), .faint) + "\n"
            + rows.map { line($0) + "\n" }.joined()
    }
}
