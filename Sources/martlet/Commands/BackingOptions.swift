import ArgumentParser
import Dataplane
import Speaker

/// How a speaker takes traffic on to endpoints.
struct BackingOptions: ParsableArguments {
    @Flag(
        name: .customLong("allow-external-ips"),
        help: ArgumentHelp(
            "With --dataplane nftables: serve externalIPs of Services, too.",
            discussion: "Whoever may write a Service can then take any address on the nodes."))
    var allowExternalIPs = false

    @Option(
        help: ArgumentHelp(
            "With --dataplane nftables: what becomes of endpoints on nodes of which the gossip "
                + "hears nothing: drop (no new connections while others serve) or keep (until the "
                + "API server says so; default with one).",
            valueName: "choice"))
    var deadNodeEndpoints: DeadNodeChoice?

    @Flag(
        inversion: .prefixedNo,
        help: "With --dataplane nftables: answer ICMP echo to load balancer addresses.")
    var answerPing = true

    @Option(
        help: ArgumentHelp(
            "With --dataplane nftables: what the kernel counts: connections, traffic (packets and "
                + "bytes as well) or none.",
            valueName: "what"))
    var dataplaneCounters: CounterChoice = .connections

    @Flag(help: "With --dataplane nftables: metrics tell the endpoints of a Service apart.")
    var metricsEndpoints = false

    @Flag(
        inversion: .prefixedNo,
        help: ArgumentHelp(
            "Ask endpoints whether they live, where an annotation of the Service says so (default: "
                + "with --manifests only; the API server says itself what is ready)."))
    var healthChecks: Bool?

    /// What the table has.
    var ruleset: Ruleset.Options {
        Ruleset.Options(answersPing: answerPing, counters: dataplaneCounters.counters)
    }

    /// - Parameter isInCluster: whether there is an API server, which says itself what is ready.
    func settings(isInCluster: Bool) -> BackingSettings {
        BackingSettings(
            allowsExternalIPs: allowExternalIPs,
            dropsDeadNodes: deadNodeEndpoints.map { $0 == .drop } ?? !isInCluster,
            probesEndpoints: healthChecks ?? !isInCluster)
    }
}

enum DeadNodeChoice: String, ExpressibleByArgument, CaseIterable {
    case drop
    case keep
}

enum CounterChoice: String, ExpressibleByArgument, CaseIterable {
    case connections
    case traffic
    case none

    var counters: Ruleset.Counters {
        switch self {
        case .connections: .connections
        case .traffic: .traffic
        case .none: .none
        }
    }
}
