import BGP
import ClusterSource
import Kubernetes
import LinuxNetwork
import LoadBalancing
import NetworkTypes
import Speaker

extension Explainer {
    /// What the routers of a node would be told, where no speaker can be asked.
    static func routes(
        of state: ClusterState, node: String, scope: ServiceScope
    ) -> RouteKnowledge? {
        guard !state.snapshot.configuration.bgpPeers.isEmpty else { return nil }
        var input = RouteInput(node: node, scope: scope)
        var planner = RoutePlanner(node: node)
        planner.update(input.update(state))
        return RouteKnowledge(plan: planner.plan)
    }
}

/// What a speaker knows of its routers, for an explanation.
struct RouteKnowledge: Sendable {
    /// What is to be told, and why not more.
    var plan: RoutePlan
    /// What was told; empty offline.
    var peers: BGPReport

    /// `nil` without BGP peers.
    init?(_ status: NodeSpeakerStatus?) {
        guard let status, let plan = status.routes else { return nil }
        self.plan = plan
        peers = status.peers
    }

    /// An offline view: what would be told.
    init(plan: RoutePlan) {
        self.plan = plan
        peers = BGPReport()
    }

    /// What becomes of an address towards each peer, by name.
    func reports(on address: IPAddress) -> [ServiceReport.RouteReport] {
        plan.verdicts(for: address).sorted { $0.key < $1.key }.flatMap { name, verdict in
            reports(name, verdict)
        }
    }

    private func reports(_ peer: String, _ verdict: RouteVerdict) -> [ServiceReport.RouteReport] {
        switch verdict {
        case .withheld(let refusal):
            [
                ServiceReport.RouteReport(
                    peer: peer, planned: false, reason: refusal.description, remedy: refusal.remedy)
            ]
        case .announced(let announcements):
            announcements.map { report(on: $0, to: peer) }
        }
    }

    private func report(
        on announcement: RouteAnnouncement, to name: String
    ) -> ServiceReport.RouteReport {
        let route = announcement.route
        var report = ServiceReport.RouteReport(
            peer: name, planned: true, prefix: announcement.prefix.description,
            reason: "by BGPAdvertisement \(route.advertisements.joined(separator: ", "))"
                + (route.isLastResort ? ", as the last resort: no other node can" : ""))
        guard let peer = peers.peers.first(where: { $0.name == name }) else { return report }
        if let told = peer.told[announcement.prefix] {
            report.told = "\(told)"
        } else if !peer.isEstablished {
            report.notTold = "the session is \(peer.status.state.rawValue)"
        } else if let obstacle = peer.obstacles[RouteFamily(announcement.prefix.family)] {
            report.notTold = "\(obstacle)"
        } else {
            report.notTold = "about to be sent"
        }
        return report
    }

    /// The peers that are to be told of an address.
    func listeners(to address: IPAddress) -> [String] {
        plan.verdicts(for: address).compactMap { name, verdict in
            if case .announced = verdict { name } else { nil }
        }.sorted()
    }

    /// The prefixes that an address can be part of.
    func prefixes(of address: IPAddress) -> [Prefix] {
        plan.verdicts(for: address).values.flatMap { verdict -> [Prefix] in
            if case .announced(let announcements) = verdict {
                announcements.map(\.prefix)
            } else {
                []
            }
        }
    }
}

extension ServiceReport {
    /// What one router is told of an address.
    struct RouteReport: Codable, Sendable, Equatable {
        var peer: String
        /// Whether this node is to tell it.
        var planned: Bool
        /// The block that holds the address.
        var prefix: String?
        /// Why, or why not.
        var reason: String
        var remedy: String?
        /// The attributes that the peer has been sent; absent when it has nothing.
        var told: String?
        /// Why it has nothing although it should.
        var notTold: String?
    }
}

extension ServiceReport.RouteReport {
    /// One line.
    func line(_ terminal: Terminal) -> String {
        guard planned else {
            let remedy = remedy.map { terminal.styled("; \($0)", .faint) } ?? ""
            return "    peer \(peer)  no: this node \(reason)\(remedy)"
        }
        let state =
            told.map { "\(terminal.styled("told", .good)): \($0)" }
            ?? notTold.map { "\(terminal.styled("not told", .doubtful)): \($0)" } ?? "to be told"
        return "    peer \(peer)  \(prefix ?? "") \(state)  \(terminal.styled(reason, .faint))"
    }
}
