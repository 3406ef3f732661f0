import Kubernetes

/// Reviews the ways of Services, beside the actor that answers whether the daemon is well: a review
/// of ten thousand Services takes a while. Whoever asks meanwhile waits for the same one.
actor WayReview {
    /// The most problems that are listed.
    private static let listed = 1_000

    /// The last review, and what it was of.
    private struct Reviewed {
        let settings: ServiceChainReview.Settings
        let services: ObjectTable<Service>
        let slices: ObjectTable<[EndpointSlice]>
        let problems: [Problem]
    }

    private var reviewed: Reviewed?

    /// What is wrong with Services. It is worked out again only when something is different.
    func problems(
        of snapshot: ClusterSnapshot, _ settings: ServiceChainReview.Settings
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
        reviewed = Reviewed(
            settings: settings, services: snapshot.services, slices: snapshot.endpointSlices,
            problems: problems)
        return problems
    }
}
