import AdminServer
import ClusterSource
import Kubernetes
import Layer2
import LoadBalancing
import NetworkTypes
import Speaker

/// The metrics of a daemon. Names and labels are MetalLB's where the meaning is the same, so that
/// dashboards and alerts go on working; the rest begin with `martlet_`.
struct DaemonMetrics {
    let state: ClusterState
    let node: String
    let hasState: Bool
    let speaker: NodeSpeakerStatus?
    /// What is asked of the API server; `nil` for a folder.
    let server: ServerMetrics?

    func families() -> [MetricFamily] {
        pools() + configuration() + (server?.families(state) ?? [])
            + (speaker.map { announcements($0) + failover($0) + peering($0) } ?? [])
            + process()
    }

    private func pools() -> [MetricFamily] {
        let pools = state.status.pools.sorted { $0.key < $1.key }
        return [
            MetricFamily(
                "metallb_allocator_addresses_total", .gauge,
                help: "Usable addresses of a pool.",
                samples: pools.map { name, figures in
                    // In floating point, because the counts of IPv6 pools saturate.
                    .init(
                        ["pool": name],
                        Double(figures.assignedIPv4) + Double(figures.availableIPv4)
                            + Double(figures.assignedIPv6) + Double(figures.availableIPv6))
                }),
            MetricFamily(
                "metallb_allocator_addresses_in_use_total", .gauge,
                help: "Addresses of a pool that Services have.",
                samples: pools.map { name, figures in
                    .init(
                        ["pool": name],
                        Double(figures.assignedIPv4) + Double(figures.assignedIPv6))
                }),
        ]
    }

    private func configuration() -> [MetricFamily] {
        let errors = state.snapshot.problems.count { $0.severity == .error }
        return [
            MetricFamily(
                "metallb_k8s_client_config_loaded_bool", .gauge,
                help: "1 once the configuration was read.",
                samples: [.init([:], hasState ? 1 : 0)]),
            MetricFamily(
                "metallb_k8s_client_config_stale_bool", .gauge,
                help: "1 while something could not be read and its last good version is in force.",
                samples: [.init([:], errors > 0 ? 1 : 0)]),
            MetricFamily(
                "martlet_problems", .gauge, help: "What is wrong with what was read.",
                samples: Problem.Severity.allCases.map { severity in
                    .init(
                        ["severity": severity.rawValue],
                        Double(state.snapshot.problems.count { $0.severity == severity }))
                }),
        ]
    }

    private func announcements(_ status: NodeSpeakerStatus) -> [MetricFamily] {
        var totals: [IPAddress: (requests: UInt64, responses: UInt64, gratuitous: UInt64)] = [:]
        var answered: Set<IPAddress> = []
        var conflicts: Set<IPAddress> = []
        for address in status.interfaces.flatMap(\.addresses) {
            let old = totals[address.address] ?? (0, 0, 0)
            totals[address.address] = (
                old.requests + address.counters.requestsReceived,
                old.responses + address.counters.responsesSent,
                old.gratuitous + address.counters.gratuitousSent
            )
            if address.answeringSince != nil { answered.insert(address.address) }
            if address.lastConflict != nil { conflicts.insert(address.address) }
        }
        let addresses = totals.sorted { $0.key < $1.key }
        return [
            MetricFamily(
                "metallb_speaker_announced", .gauge,
                help: "Services whose address this node answers for.",
                samples: announced(status, answered)),
            MetricFamily(
                "metallb_layer2_requests_received", .counter,
                help: "ARP and NDP requests for an address.",
                samples: addresses.map { .init(["ip": "\($0.key)"], Double($0.value.requests)) }),
            MetricFamily(
                "metallb_layer2_responses_sent", .counter,
                help: "ARP and NDP answers for an address.",
                samples: addresses.map { .init(["ip": "\($0.key)"], Double($0.value.responses)) }),
            MetricFamily(
                "metallb_layer2_gratuitous_sent", .counter,
                help: "Frames of unasked announcements for an address.",
                samples: addresses.map {
                    .init(["ip": "\($0.key)"], Double($0.value.gratuitous))
                }),
            MetricFamily(
                "martlet_layer2_conflict", .gauge,
                help: "1 for an address that somebody else uses too.",
                samples: addresses.map {
                    .init(["ip": "\($0.key)"], conflicts.contains($0.key) ? 1 : 0)
                }),
            MetricFamily(
                "martlet_layer2_frames_received_total", .counter,
                help: "Frames taken from the kernel.",
                samples: status.interfaces.map {
                    .init(["interface": $0.interface], Double($0.counters.framesReceived))
                }),
            MetricFamily(
                "martlet_layer2_frames_missed_total", .counter,
                help: "Frames that the kernel dropped before they were read.",
                samples: status.interfaces.map {
                    .init(["interface": $0.interface], Double($0.counters.framesMissed))
                }),
            MetricFamily(
                "martlet_layer2_send_failures_total", .counter,
                help: "Frames that could not be sent.",
                samples: status.interfaces.map {
                    .init(["interface": $0.interface], Double($0.counters.sendFailures))
                }),
            MetricFamily(
                "martlet_dataplane_in_step", .gauge,
                help: "1 while the installed rules are those that are wanted.",
                samples: [.init([:], status.dataplaneFailure == nil ? 1 : 0)]),
        ]
    }

    private func announced(
        _ status: NodeSpeakerStatus, _ answered: Set<IPAddress>
    ) -> [MetricFamily.Sample] {
        status.tenure.plan.announcements.filter { answered.contains($0.key) }.sorted {
            $0.key < $1.key
        }
        .flatMap { address, announcement in
            announcement.settings.services.map { service in
                MetricFamily.Sample(
                    [
                        "service": "\(service)", "protocol": "layer2", "node": node,
                        "ip": "\(address)",
                    ], 1)
            }
        }
    }

    private func process() -> [MetricFamily] {
        [
            MetricFamily(
                "martlet_allocator_leader", .gauge,
                help: "1 while this process gives addresses.",
                samples: [.init([:], state.isLeader ? 1 : 0)]),
            MetricFamily(
                "martlet_build_info", .gauge, help: "The version, as a label.",
                samples: [.init(["version": Version.text, "node": node], 1)]),
        ]
    }
}
