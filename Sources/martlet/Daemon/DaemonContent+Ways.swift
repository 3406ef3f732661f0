import ClusterSource
import Kubernetes
import LinuxNetwork
import NetworkTypes
import Speaker

/// The last review of Services' ways, and what it was of.
struct ReviewedWays {
    let settings: ServiceChainReview.Settings
    let services: ObjectTable<Service>
    let slices: ObjectTable<[EndpointSlice]>
    let problems: [Problem]
}

extension DaemonContent {
    /// The most problems of Services' ways that are listed.
    private static let listed = 1_000

    /// What keeps traffic from its way: in the Services, and in what runs beside on this node.
    func wayProblems(_ state: ClusterState) async -> [Problem] {
        let backing = await speaker?.ownBacking
        var settings = server == nil ? ServiceChainReview.Settings() : .server
        // A folder's node ports were judged by `validate`; here they work, whatever their number.
        settings.nodePorts = nil
        settings.expectsEndpoints = false
        settings.knowsAllEndpoints = server == nil || backing != nil
        settings.allowsExternalIPs = backing?.allowsExternalIPs
        return serviceProblems(state.snapshot, settings) + (await proxyReview()?.problems ?? [])
    }

    /// What is wrong with Services. It is worked out again only when something is different.
    private func serviceProblems(
        _ snapshot: ClusterSnapshot, _ settings: ServiceChainReview.Settings
    ) -> [Problem] {
        if let reviewed, reviewed.settings == settings, reviewed.services == snapshot.services,
            reviewed.slices == snapshot.endpointSlices
        {
            return reviewed.problems
        }
        let found = ServiceChainReview(snapshot, settings: settings).findings()
            .filter { $0.severity != .notice }
        var problems = found.prefix(Self.listed).map { $0.problem() }
        if found.count > Self.listed {
            problems.append(
                Problem(
                    .notice, rule: "\(found.count - Self.listed) more problems are not listed",
                    remedy: "martlet validate lists all"))
        }
        reviewed = ReviewedWays(
            settings: settings, services: snapshot.services, slices: snapshot.endpointSlices,
            problems: problems)
        return problems
    }

    /// Who takes traffic on at this node.
    func proxyReview() async -> (summary: String, problems: [Problem])? {
        guard let speaker else { return nil }
        let sight = await speaker.proxySight(isInCluster: server != nil)
        let review = await proxies.review(sight)
        return (
            review.summary(sight.context),
            review.findings.filter { $0.severity != .notice }.map {
                Problem($0.severity, object: "Service proxy", rule: $0.rule, remedy: $0.remedy)
            }
        )
    }
}
