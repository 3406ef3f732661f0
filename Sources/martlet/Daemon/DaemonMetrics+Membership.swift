import AdminServer
import Membership
import NetworkTypes
import Speaker

extension DaemonMetrics {
    /// Who lives, what was sent for it, and what became of addresses.
    func failover(_ status: NodeSpeakerStatus) -> [MetricFamily] {
        ownership(status) + (status.membership.map(membership) ?? [])
            + (StateReport.Fence(status).map(fence) ?? [])
    }

    private func fence(_ fence: StateReport.Fence) -> [MetricFamily] {
        [
            MetricFamily(
                "martlet_fence_fresh_seconds", .gauge,
                help: "For how long this node may still answer by its own Lease; 0: not now.",
                samples: [.init([:], fence.freshForSeconds ?? 0)]),
            MetricFamily(
                "martlet_fence_waiting", .gauge,
                help: "Addresses that this node is elected for and that wait for Leases.",
                samples: [.init([:], Double(fence.waiting))]),
            MetricFamily(
                "martlet_fence_awaited_seconds", .gauge,
                help: "For how long it has been waited until the node is surely silent.",
                samples: fence.awaited.map { .init(["node": $0.node], $0.forSeconds) }),
        ]
    }

    private func ownership(_ status: NodeSpeakerStatus) -> [MetricFamily] {
        [
            MetricFamily(
                "martlet_ownership_moves_total", .counter,
                help: "Addresses that came to or left this node, by cause.",
                samples: status.tenure.moveCounts.sorted { $0.key < $1.key }.map {
                    .init(["cause": $0.key], Double($0.value))
                }),
            MetricFamily(
                "martlet_ownership_held", .gauge,
                help: "1 for an address whose owner the gossip has lost while it still answers.",
                samples: status.tenure.held.sorted { $0.key < $1.key }.map {
                    .init(["ip": "\($0.key)", "by": $0.value], 1)
                }),
            MetricFamily(
                "martlet_ownership_unanswered", .gauge,
                help: "1 for an address that a node claims and nobody answers for.",
                samples: status.unanswered.sorted().map { .init(["ip": "\($0)"], 1) }),
            MetricFamily(
                "martlet_draining", .gauge, help: "1 while this node hands over what it has.",
                samples: [.init([:], status.isDraining ? 1 : 0)]),
        ]
    }

    private func membership(_ gossip: MembershipStatus) -> [MetricFamily] {
        [
            MetricFamily(
                "martlet_membership_members", .gauge, help: "Speakers that are known, by state.",
                samples: MemberState.allCases.map { state in
                    .init(
                        ["state": "\(state)"], Double(gossip.members.count { $0.state == state }))
                }),
            MetricFamily(
                "martlet_membership_authorized", .gauge,
                help: "1 while this node may answer for its addresses.",
                samples: [.init([:], gossip.isAuthorized ? 1 : 0)]),
            MetricFamily(
                "martlet_membership_isolated", .gauge,
                help: "1 while no other node is heard.",
                samples: [.init([:], gossip.isolatedSince == nil ? 0 : 1)]),
            MetricFamily(
                "martlet_membership_datagrams_total", .counter,
                help: "Datagrams sent and received.",
                samples: [
                    .init(["direction": "out"], Double(gossip.counters.datagramsSent)),
                    .init(["direction": "in"], Double(gossip.counters.datagramsReceived)),
                ]),
            MetricFamily(
                "martlet_membership_bytes_total", .counter,
                help: "Bytes of datagrams before sealing.",
                samples: [
                    .init(["direction": "out"], Double(gossip.counters.bytesSent)),
                    .init(["direction": "in"], Double(gossip.counters.bytesReceived)),
                ]),
            MetricFamily(
                "martlet_membership_refused_total", .counter,
                help: "Datagrams that were not let in, by reason.",
                samples: gossip.refused.sorted { $0.key < $1.key }.map {
                    .init(["reason": $0.key], Double($0.value))
                }),
        ]
    }
}
