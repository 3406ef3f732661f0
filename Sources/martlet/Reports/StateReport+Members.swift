import FoundationEssentials
import LinuxNetwork
import Membership
import NetworkTypes
import Speaker

extension StateReport {
    /// Another speaker, or this one, as the gossip sees it.
    struct Member: Codable, Sendable, Equatable {
        var node: String
        /// `alive`, `suspect`, `dead` or `left`.
        var state: String
        /// Why it is not alive.
        var why: String?
        var endpoint: String?
        /// Seconds since the state changed.
        var forSeconds: Double
        /// Whether this node and that one watch each other.
        var watched: Bool
        /// Share of its beats that get lost, 0 to 1; absent where they do not watch each other.
        var loss: Double?
        /// Addresses that it answers for.
        var claims: Int
        /// Whether it hands over what it has.
        var draining: Bool
    }

    /// How the gossip does.
    struct Gossip: Codable, Sendable, Equatable {
        /// Whether datagrams are sealed.
        var sealed: Bool
        /// Whether this node may answer for its addresses now.
        var authorized: Bool
        /// Seconds since when no other node is heard; absent while one is.
        var isolatedForSeconds: Double?
        var members: [Member]
    }

    /// An address whose owner the gossip has lost while the wire still hears it.
    struct Held: Codable, Sendable, Equatable {
        var address: String
        var by: String
    }

    /// What this node noted for its operator.
    struct NodeEvent: Codable, Sendable, Equatable {
        var severity: String
        var reason: String
        var subject: String
        var message: String
        var count: Int
        /// Seconds since the last time.
        var agoSeconds: Double
    }
}

extension StateReport.Gossip {
    /// How it does on `node`, as the speaker there says.
    init(_ status: MembershipStatus, of speaker: NodeSpeakerStatus, node: String) {
        let live = speaker.members
        let now = MonotonicClock.now()
        sealed = status.isSealed
        authorized = status.isAuthorized
        isolatedForSeconds = status.isolatedSince.map { (now - $0).seconds }
        let others = status.members.sorted { $0.name < $1.name }.map { member in
            StateReport.Member(
                node: member.name, state: "\(member.state)",
                why: member.cause == .none ? nil : member.cause.explanation,
                endpoint: "\(member.endpoint)", forSeconds: (now - member.since).seconds,
                watched: member.session != nil, loss: member.session?.loss,
                claims: live[member.name]?.claims.count ?? 0,
                draining: live[member.name]?.isDraining ?? false)
        }
        let own = StateReport.Member(
            node: node, state: "alive", why: "this node", endpoint: nil, forSeconds: 0,
            watched: false, loss: nil, claims: speaker.tenure.claims.count,
            draining: speaker.isDraining)
        members = [own] + others
    }

    func text(_ terminal: Terminal) -> String {
        var text = ""
        if let isolatedForSeconds {
            text +=
                terminal.styled("no other node is heard", .bad)
                + " for \(Int(isolatedForSeconds)) s\n"
        }
        if !authorized {
            text += terminal.styled("this node answers nothing for now", .bad) + "\n"
        }
        text +=
            Table(
                ["NODE", "STATE", "SINCE", "CLAIMS", "LOSS", ""],
                members.map { member in
                    [
                        member.node, member.state + (member.draining ? ", draining" : ""),
                        member.endpoint == nil ? "-" : "\(Int(member.forSeconds)) s",
                        "\(member.claims)",
                        member.loss.map { "\(Int(($0 * 100).rounded())) %" } ?? "-",
                        member.why ?? "",
                    ]
                }
            ).text(terminal)
        return text
    }
}

extension StateReport.NodeEvent {
    init(_ event: RecentEvents.Event) {
        severity = event.isWarning ? "Warning" : "Normal"
        reason = event.reason
        subject = event.subject
        message = event.message
        count = event.count
        agoSeconds = (MonotonicClock.now() - event.at).seconds
    }
}

extension Duration {
    /// In seconds.
    var seconds: Double { Double(wholeNanoseconds) / 1e9 }
}
