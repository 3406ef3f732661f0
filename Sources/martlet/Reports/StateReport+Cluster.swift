import ClusterSource
import Controller
import FoundationEssentials
import Kubernetes
import LinuxNetwork
import NetworkTypes

extension StateReport {
    /// Since when the API server cannot be asked.
    struct LastGood: Codable, Sendable, Equatable {
        /// When what is known was known to be so.
        var since: Date
        /// Whether it comes from a former process.
        var restored: Bool

        /// `nil` while a state is current.
        init?(_ state: ClusterState) {
            guard let since = state.lastGoodSince else { return nil }
            self.since = since
            restored = state.isRestored
        }

        /// In words.
        var text: String {
            let time = since.formatted(.iso8601)
            return restored
                ? "the API server has not answered since this daemon started: going on with what a "
                    + "former one knew at \(time)"
                : "API server away since \(time): going on with what was known"
        }
    }

    /// What a cluster says of itself.
    struct Cluster: Codable, Sendable, Equatable {
        /// The server, and how it was found.
        var server: String
        /// Who holds the Lease of the controller that gives addresses, as it calls itself; also
        /// where the Lease has run out.
        var leaseHolder: String?
        /// When that controller last said so, by its own clock.
        var leaseRenewed: String?
        var processes: [Process]
    }

    /// How a process finds the configuration: its ConfigurationState.
    struct Process: Codable, Sendable, Equatable {
        var process: String
        /// `Valid`, `Invalid` or `Unknown`.
        var result: String
        /// The errors, one a line; empty without any.
        var summary: String
    }

    /// The report of one who has looked at a cluster.
    init(_ reading: ClusterReading, scope: ServiceScope, now: Instant) {
        let explainer = Explainer(reading, scope: scope, now: now)
        let holder = reading.lease.flatMap { $0.holder.isEmpty ? nil : $0.holder }
        let isFresh = reading.lease.map { !$0.hasRunOut } ?? false
        self.init(
            version: Version.text, node: "", roles: [], allocates: false,
            allocator: isFresh ? holder : nil,
            cluster: Cluster(
                server: reading.server, leaseHolder: holder, leaseRenewed: reading.lease?.renewTime,
                processes: reading.verdicts.sorted { $0.process < $1.process }.map {
                    Process(process: $0.process, result: $0.result, summary: $0.summary)
                }),
            complete: reading.state.isComplete, services: explainer.summaries(),
            pools: explainer.poolReports(), interfaces: [], speakers: reading.speakerReports,
            events: [],
            problems: (reading.unread + reading.state.snapshot.problems).map(ProblemReport.init))
    }
}

extension ClusterReading {
    /// What each speaker says that it does, by node.
    fileprivate var speakerReports: [StateReport.Speaker] {
        let answering = Dictionary(grouping: answers, by: \.node)
        let telling = Dictionary(grouping: routes, by: \.node)
        return Set(answering.keys).union(telling.keys).sorted().map { node in
            StateReport.Speaker(
                node: node, serving: true, claims: answering[node]?.count ?? 0,
                interfaces: Set((answering[node] ?? []).flatMap(\.names)).sorted(),
                announced: telling[node]?.count ?? 0,
                peers: Set((telling[node] ?? []).flatMap(\.names)).sorted())
        }
    }
}

extension LeaseRecord {
    /// How far two clocks may be apart before a Lease that is renewed looks abandoned.
    private static let clockAllowance = Duration.seconds(30)

    /// Whether nobody has renewed it in time, as far as this machine's clock can tell.
    fileprivate var hasRunOut: Bool {
        guard let renewTime else { return false }
        let longest = UInt64((duration + Self.clockAllowance).wholeNanoseconds)
        let oldest = WallTime(nanosecondsSince1970: WallClock.nanosecondsSince1970() - longest)
        // Such stamps are ordered as text is.
        return renewTime < oldest.microseconds
    }
}

extension StateReport.Cluster {
    fileprivate func allocation(by allocator: String?, _ terminal: Terminal) -> String {
        if let allocator {
            return "\(allocator) allocates addresses"
                + (leaseRenewed.map { ", Lease renewed \($0)" } ?? "")
        }
        let why =
            leaseHolder.map {
                "\($0) has not renewed its Lease since \(leaseRenewed ?? "it took it")"
            } ?? "no controller holds its Lease"
        return terminal.styled(
            "nobody allocates addresses: \(why); see whether the controllers run", .bad)
    }
}

extension StateReport {
    /// Who speaks, and what must be known before the rest is read.
    func head(_ terminal: Terminal) -> String {
        var lines: [String] = []
        if let cluster {
            lines.append("\(terminal.styled("cluster", .strong)) \(cluster.server)")
            lines.append(cluster.allocation(by: allocator, terminal))
        } else {
            let role =
                allocates
                ? ", allocates addresses" : allocator.map { "; \($0) allocates addresses" } ?? ""
            lines.append(
                "\(terminal.styled("martlet \(version)", .strong)) on \(node): "
                    + roles.joined(separator: " and ") + role)
        }
        if let lastGood { lines.append(terminal.styled(lastGood.text, .bad)) }
        if !complete {
            lines.append(
                terminal.styled("not everything could be read; see the problems below", .bad))
        }
        return lines.map { $0 + "\n" }.joined()
    }

    /// What speakers say that they do, and how processes find the configuration.
    func speakersTable(_ terminal: Terminal) -> String {
        func names(_ names: [String]) -> String {
            names.isEmpty ? "-" : names.joined(separator: ",")
        }
        var text = Table(
            ["NODE", "ANSWERS FOR", "ON", "HAS TOLD", "TO"],
            speakers.map {
                [
                    $0.node, "\($0.claims)", names($0.interfaces), "\($0.announced ?? 0)",
                    names($0.peers ?? []),
                ]
            }
        ).text(terminal)
        let faulty = cluster?.processes.filter { $0.result != "Valid" } ?? []
        if !speakers.isEmpty, !faulty.isEmpty { text += "\n" }
        text += Table(
            ["PROCESS", "CONFIGURATION", ""],
            faulty.flatMap { process in
                let lines = process.summary.split(separator: "\n").map(String.init)
                return [[process.process, process.result, lines.first ?? ""]]
                    + lines.dropFirst().map { ["", "", $0] }
            }
        ).text(terminal)
        return text
    }
}
