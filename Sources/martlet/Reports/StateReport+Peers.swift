import BFD
import BGP
import FoundationEssentials
import LinuxNetwork
import NetworkTypes
import Speaker

extension StateReport {
    /// A router, and the session with it.
    struct Peer: Codable, Sendable, Equatable {
        /// The name of the BGPPeer.
        var peer: String
        /// Its address, or the interface it is looked for on.
        var place: String
        /// The RFC's name: `Idle` … `Established`.
        var state: String
        /// Seconds since the state changed.
        var forSeconds: Double?
        var localAS: UInt32
        var remoteAS: UInt32?
        var remoteRouterID: String?
        /// Both ends of the connection.
        var local: String?
        var remote: String?
        /// Agreed timers, seconds.
        var holdTime: Int?
        var keepaliveTime: Int?
        /// Seconds until the peer counts as gone unless it is heard.
        var holdExpiresInSeconds: Double?
        /// What both ends agreed on, and what the peer offered.
        var agreed: [String] = []
        var offered: [String] = []
        /// Routes that it is to have, that it has, and of which something is still to be said.
        var prefixesWanted: Int
        var prefixesSent: Int
        var prefixesPending: Int
        /// Prefixes that it announces to us; none is installed.
        var prefixesReceived: Int
        /// Whether that number is exact; else there are at least as many.
        var prefixesReceivedExact: Bool
        /// Next hops by family.
        var nextHops: [String: String] = [:]
        /// Why routes of a family are not sent.
        var obstacles: [String: String] = [:]
        /// How often the session has been established.
        var established: UInt64
        var lastError: [LastError] = []
        /// Seconds until the next attempt to connect.
        var nextAttemptInSeconds: Double?
        /// Why no attempt can be made.
        var hindrance: String?
        var bfd: Path?
    }

    /// Something that went wrong with a peer.
    struct LastError: Codable, Sendable, Equatable {
        /// `sent`, `received` or `transport`.
        var direction: String
        var text: String
        var agoSeconds: Double
    }

    /// What BFD sees of the way to a peer.
    struct Path: Codable, Sendable, Equatable {
        var path: String
        /// `Up`, `Down` …, this end's and the far end's.
        var state: String
        var remoteState: String
        var diagnostic: String
        var forSeconds: Double
        var transmitMilliseconds: Double
        var receiveMilliseconds: Double?
        var detectionMilliseconds: Double?
        var packetsSent: UInt64
        var packetsReceived: UInt64
        var packetsDiscarded: UInt64
        var downs: UInt64
        var echoing: Bool
        var trouble: String?
    }
}

extension StateReport.Peer {
    init(_ peer: BGPReport.Peer, localAS: UInt32, paths: BFDReport, now: Instant) {
        let status = peer.status
        self.init(
            peer: peer.name, place: "\(peer.transport)", state: status.state.rawValue,
            localAS: localAS, prefixesWanted: peer.routes.ipv4.wanted + peer.routes.ipv6.wanted,
            prefixesSent: peer.routes.told,
            prefixesPending: peer.routes.pending,
            prefixesReceived: status.prefixesIn.values.reduce(0, +),
            prefixesReceivedExact: status.arePrefixesExact, established: status.counters.established
        )
        forSeconds = status.since.map { (now - $0).seconds }
        local = peer.local.map { "\($0)" }
        remote = peer.remote.map { "\($0)" }
        if let parameters = status.parameters {
            remoteAS = parameters.remoteAS
            remoteRouterID = "\(IPAddress(ipv4: parameters.remoteRouterID))"
            holdTime = Int(parameters.holdTime)
            keepaliveTime = Int(parameters.keepaliveTime)
            agreed = Self.agreed(parameters)
            offered = parameters.offered.map { "\($0)" }
        }
        holdExpiresInSeconds = status.holdDeadline.map { ($0 - now).seconds }
        for (family, hop) in peer.nextHops { nextHops["\(family)"] = "\(hop.address)" }
        for (family, obstacle) in peer.obstacles { obstacles["\(family)"] = "\(obstacle)" }
        lastError = [
            status.lastSent.map {
                StateReport.LastError(
                    direction: "sent", text: $0.text, agoSeconds: (now - $0.at).seconds)
            },
            status.lastReceived.map {
                StateReport.LastError(
                    direction: "received", text: $0.text, agoSeconds: (now - $0.at).seconds)
            },
            status.lastFailure.map {
                StateReport.LastError(
                    direction: "transport", text: $0.text, agoSeconds: (now - $0.at).seconds)
            },
        ].compactMap(\.self).sorted { $0.agoSeconds < $1.agoSeconds }
        nextAttemptInSeconds = status.nextAttempt.map { max(0, ($0 - now).seconds) }
        hindrance = peer.hindrance
        bfd = peer.watched.flatMap { paths.sessions[$0] }.map {
            StateReport.Path($0, now: now)
        }
    }

    private static func agreed(_ parameters: SessionParameters) -> [String] {
        var agreed = parameters.families.sorted().map(\.description)
        if parameters.hasFourOctetAS { agreed.append("4-octet AS") }
        if parameters.hasRouteRefresh { agreed.append("route refresh") }
        if parameters.hasEnhancedRouteRefresh { agreed.append("enhanced route refresh") }
        if parameters.maximumLength > 4096 { agreed.append("extended messages") }
        for family in parameters.extendedNextHop.sorted() {
            agreed.append("IPv6 next hops for \(family)")
        }
        if let restart = parameters.gracefulRestart {
            agreed.append(
                "graceful restart (peer's time \(restart.restartTime) s"
                    + (parameters.keepsOnNotification ? ", also after NOTIFICATIONs)" : ")"))
        }
        if let role = parameters.remoteRole { agreed.append("role: the peer is \(role)") }
        return agreed
    }
}

extension StateReport.Path {
    init(_ session: BFDReport.Session, now: Instant) {
        path = "\(session.path)"
        let status = session.status
        state = "\(status.state)"
        remoteState = status.remote.map { "\($0.state)" } ?? "not heard"
        diagnostic = "\(status.diagnostic)"
        forSeconds = (now - status.since).seconds
        transmitMilliseconds = status.transmitInterval.seconds * 1000
        receiveMilliseconds = status.receiveInterval.map { $0.seconds * 1000 }
        detectionMilliseconds = status.detectionTime.map { $0.seconds * 1000 }
        packetsSent = status.counters.sent
        packetsReceived = status.counters.received
        packetsDiscarded = status.counters.discards.total
        downs = status.counters.downs
        echoing = status.echo == .active
        trouble = session.trouble
    }
}

extension [StateReport.Peer] {
    /// One line for each, and below it what is wrong.
    func text(_ terminal: Terminal) -> String {
        var text = Table(
            ["PEER", "AT", "AS", "STATE", "FOR", "SENT", "RECEIVED", "BFD", ""],
            map { peer in
                [
                    peer.peer, peer.place, peer.remoteAS.map(String.init) ?? "-", peer.state,
                    peer.forSeconds.map { "\(Int($0)) s" } ?? "-",
                    "\(peer.prefixesSent)"
                        + (peer.prefixesPending > 0 ? " (+\(peer.prefixesPending))" : ""),
                    (peer.prefixesReceivedExact ? "" : "≥") + "\(peer.prefixesReceived)",
                    peer.bfd?.state ?? "-", peer.note,
                ]
            }
        ).text(terminal)
        for peer in self {
            for (family, obstacle) in peer.obstacles.sorted(by: { $0.key < $1.key }) {
                text += "  \(peer.peer) gets no \(family) routes: \(obstacle)\n"
            }
        }
        return text
    }
}

extension StateReport.Peer {
    /// The last thing that went wrong, as long as it matters.
    fileprivate var note: String {
        if state == "Established" { return bfd?.trouble ?? "" }
        if let hindrance { return hindrance }
        guard let last = lastError.first else {
            return nextAttemptInSeconds.map { "next attempt in \(Int($0)) s" } ?? ""
        }
        return "\(last.direction == "transport" ? "" : last.direction + " ")\(last.text)"
    }
}
