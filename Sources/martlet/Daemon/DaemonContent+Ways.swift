import ClusterSource
import Kubernetes
import LinuxNetwork
import NetworkTypes
import Speaker

extension DaemonContent {
    /// What keeps traffic from its way: in the Services, and in what runs beside on this node.
    func wayProblems(_ state: ClusterState) async -> [Problem] {
        var settings = waySettings(await speaker?.ownBacking)
        settings.expectsEndpoints = false
        return await wayReview.problems(of: state.snapshot, settings)
            + (await proxyReview()?.problems ?? [])
    }

    /// By which rules the ways of Services are judged here.
    func waySettings(_ backing: ServiceChains.Options?) -> ServiceChainReview.Settings {
        var settings = server == nil ? ServiceChainReview.Settings() : .server
        // A folder's node ports were judged by `validate`; here they work, whatever their number.
        settings.nodePorts = nil
        settings.allowsExternalIPs = backing?.allowsExternalIPs
        if speaker != nil { settings.carrier = backing == nil ? .another : .martlet }
        guard server != nil else { return settings }
        settings.known =
            if speaker == nil {
                .none
            } else if backing == nil {
                .loadBalancers
            } else {
                .allButHeadless
            }
        return settings
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
