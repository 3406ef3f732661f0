import AdminServer
import BFD
import BGP
import LinuxNetwork
import Speaker

extension DaemonMetrics {
    /// What the routers are told, under the names that dashboards know, and our own.
    func peering(_ status: NodeSpeakerStatus) -> [MetricFamily] {
        guard !status.peers.peers.isEmpty else { return [] }
        return sessions(status.peers.peers) + messages(status.peers.peers)
            + paths(status.peers.peers, status.paths) + own(status.peers)
    }

    /// `address:port`, as the peer was configured.
    private static func label(_ peer: BGPReport.Peer) -> String {
        let place = "\(peer.transport)"
        return place.contains(":")
            ? "[\(place)]:\(peer.transport.port)" : "\(place):\(peer.transport.port)"
    }

    private static func family(
        _ name: String, _ kind: MetricFamily.Kind, _ help: String, _ peers: [BGPReport.Peer],
        _ value: (BGPReport.Peer) -> Double
    ) -> MetricFamily {
        MetricFamily(
            name, kind, help: help,
            samples: peers.map { .init(["peer": label($0), "name": $0.name], value($0)) })
    }

    private func sessions(_ peers: [BGPReport.Peer]) -> [MetricFamily] {
        [
            Self.family(
                "metallb_bgp_session_up", .gauge, "1 while the session is established.", peers
            ) { $0.isEstablished ? 1 : 0 },
            Self.family(
                "metallb_bgp_announced_prefixes_total", .gauge,
                "Prefixes that the peer has been told of.", peers
            ) { Double($0.routes.told) },
            Self.family(
                "metallb_bgp_pending_prefixes_total", .gauge,
                "Prefixes of which something is still to be said.", peers
            ) { Double($0.routes.pending) },
            Self.family(
                "metallb_bgp_received_prefixes_total", .gauge,
                "Prefixes that the peer announces; none is installed.", peers
            ) { Double($0.status.prefixesIn.values.reduce(0, +)) },
        ]
    }

    private func messages(_ peers: [BGPReport.Peer]) -> [MetricFamily] {
        func count(
            _ name: String, _ help: String, _ value: (BGPReport.Peer) -> UInt64
        ) -> MetricFamily {
            Self.family("metallb_bgp_" + name, .counter, help, peers) { Double(value($0)) }
        }
        func received(
            _ name: String, _ help: String, _ path: KeyPath<PeerCounters.Messages, UInt64>
        ) -> MetricFamily {
            count(name, help + " received.") { $0.status.counters.received[keyPath: path] }
        }
        func sent(
            _ name: String, _ help: String, _ path: KeyPath<PeerCounters.Messages, UInt64>
        ) -> MetricFamily {
            count(name, help + " sent.") { $0.status.counters.sent[keyPath: path] }
        }
        return [
            count("updates_total", "UPDATE messages sent.") { $0.routes.updates },
            received("updates_total_received", "UPDATE messages", \.updates),
            sent("opens_sent", "OPEN messages", \.opens),
            received("opens_received", "OPEN messages", \.opens),
            sent("notifications_sent", "NOTIFICATION messages", \.notifications),
            received("notifications_received", "NOTIFICATION messages", \.notifications),
            sent("keepalives_sent", "KEEPALIVE messages", \.keepalives),
            received("keepalives_received", "KEEPALIVE messages", \.keepalives),
            sent("route_refresh_sent", "ROUTE-REFRESH messages", \.refreshes),
            received("route_refresh_received", "ROUTE-REFRESH messages", \.refreshes),
            count("total_sent", "Messages sent.") {
                $0.status.counters.sent.total + $0.routes.updates
            },
            received("total_received", "Messages", \.total),
        ]
    }

    private func paths(_ peers: [BGPReport.Peer], _ report: BFDReport) -> [MetricFamily] {
        var watched: [(place: String, name: String, status: BFDStatus)] = []
        for peer in peers {
            guard let path = peer.watched, let session = report.sessions[path] else { continue }
            watched.append(("\(peer.transport)", peer.name, session.status))
        }
        guard !watched.isEmpty else { return [] }
        func family(
            _ name: String, _ kind: MetricFamily.Kind, _ help: String,
            _ value: (BFDStatus) -> UInt64
        ) -> MetricFamily {
            MetricFamily(
                "metallb_bfd_" + name, kind, help: help,
                samples: watched.map {
                    .init(["peer": $0.place, "name": $0.name], Double(value($0.status)))
                })
        }
        return [
            family("session_up", .gauge, "1 while the BFD session is up.") {
                $0.state == .up ? 1 : 0
            },
            family("control_packet_input", .counter, "Control packets received.") {
                $0.counters.received
            },
            family("control_packet_output", .counter, "Control packets sent.") {
                $0.counters.sent
            },
            family("echo_packet_input", .counter, "Echo packets that came back.") {
                $0.counters.echoesReturned
            },
            family("echo_packet_output", .counter, "Echo packets sent.") {
                $0.counters.echoesSent
            },
            family("session_up_events", .counter, "How often the session came up.") {
                $0.counters.ups
            },
            family("session_down_events", .counter, "How often the session went down.") {
                $0.counters.downs
            },
        ]
    }

    private func own(_ report: BGPReport) -> [MetricFamily] {
        [
            Self.family(
                "martlet_bgp_established_total", .counter,
                "How often the session was established.", report.peers
            ) { Double($0.status.counters.established) },
            Self.family(
                "martlet_bgp_withdrawals_total", .counter, "Prefixes withdrawn.", report.peers
            ) { Double($0.routes.ipv4.withdrawals + $0.routes.ipv6.withdrawals) },
            Self.family(
                "martlet_bgp_obstructed_prefixes", .gauge,
                "Prefixes that the peer should have and cannot be told; see martlet status.",
                report.peers
            ) { Double($0.routes.ipv4.obstructed + $0.routes.ipv6.obstructed) },
            Self.family(
                "martlet_bgp_faulty_updates_total", .counter,
                "UPDATEs with faults that did not end the session (RFC 7606).", report.peers
            ) { Double($0.status.counters.faultyUpdates) },
            MetricFamily(
                "martlet_bgp_graceful_shutdown", .gauge,
                help: "1 while routes are marked as about to go (RFC 8326).",
                samples: [.init([:], report.marksShutdown ? 1 : 0)]),
        ]
    }
}
