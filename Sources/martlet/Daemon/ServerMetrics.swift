import AdminServer
import ClusterSource
import FoundationEssentials

/// The metrics of what is asked of an API server. Names and labels are MetalLB's where the meaning
/// is the same.
struct ServerMetrics {
    let tally: RequestTally.Counts

    func families(_ state: ClusterState) -> [MetricFamily] {
        objects() + requests() + standing(state)
    }

    private func objects() -> [MetricFamily] {
        [
            MetricFamily(
                "metallb_k8s_client_updates_total", .counter,
                help: "Objects that came, changed or went.",
                samples: [.init([:], Double(tally.updates))]),
            MetricFamily(
                "metallb_k8s_client_update_errors_total", .counter,
                help: "Objects among these that could not be read.",
                samples: [.init([:], Double(tally.unreadable))]),
        ]
    }

    private func requests() -> [MetricFamily] {
        func byResource(
            _ name: String, _ help: String, _ counts: [String: UInt64]
        ) -> MetricFamily {
            MetricFamily(
                name, .counter, help: help,
                samples: counts.sorted { $0.key < $1.key }.map {
                    .init(["resource": $0.key], Double($0.value))
                })
        }
        return [
            MetricFamily(
                "martlet_api_requests_total", .counter,
                help: "Requests to the API server by what came of them.",
                samples: tally.requests.sorted {
                    ($0.key.verb, $0.key.outcome) < ($1.key.verb, $1.key.outcome)
                }.map {
                    .init(["verb": $0.key.verb, "outcome": $0.key.outcome], Double($0.value))
                }),
            byResource(
                "martlet_api_lists_total",
                "How often all objects were asked for; more than once after an interruption.",
                tally.lists),
            byResource(
                "martlet_api_watches_total",
                "How often a watch was begun; about ten an hour while all is well.",
                tally.watches),
        ]
    }

    private func standing(_ state: ClusterState) -> [MetricFamily] {
        [
            MetricFamily(
                "martlet_last_good", .gauge,
                help: "1 while this is what was last known, because the API server is away.",
                samples: [.init([:], state.lastGoodSince == nil ? 0 : 1)]),
            MetricFamily(
                "martlet_last_good_since_seconds", .gauge,
                help: "When what is known was known to be so, in Unix time; only meanwhile.",
                samples: state.lastGoodSince.map {
                    [.init([:], $0.timeIntervalSince1970.rounded(.down))]
                } ?? []),
        ]
    }
}
