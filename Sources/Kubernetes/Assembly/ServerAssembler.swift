/// Puts the snapshot together from objects of an API server, and remembers the last good version
/// of each, so that a slip in an object takes nothing away that worked.
///
/// - An object that is there but broken is replaced by its last good version; one that is gone is
///   gone.
/// - The configuration kinds go through ``ConfigurationAssembler``, which judges them among each
///   other and keeps their last good versions in the same way.
///
/// A change costs what its object costs, however many others there are, and a snapshot shares
/// everything else with the one before.
public struct ServerAssembler: Sendable {
    /// The Services whose endpoints are in the snapshot.
    public enum EndpointKeeping: Sendable, Hashable {
        /// All of them, as a data plane needs it.
        case all
        /// Those of type LoadBalancer. The others' endpoints are kept in a small form, for the
        /// day their type changes.
        case loadBalancersOnly
    }

    /// The most problems that a snapshot lists; the rest is counted.
    public static let problemLimit = 1000

    private var contents: ServerContents
    private var configuration: ConfigurationAssembler
    private var configured: (configuration: Configuration, problems: [Problem])?
    private var problems: [Problem] = []

    /// Makes an assembler; configuration objects of other namespaces than `configurationNamespace`
    /// are not used.
    public init(
        configurationNamespace: String = "metallb-system", endpoints: EndpointKeeping = .all
    ) {
        contents = ServerContents(keeping: endpoints)
        configuration = ConfigurationAssembler(namespace: configurationNamespace)
    }

    /// Takes in objects that came or changed, and the going of others (`nil`), in this order.
    public mutating func apply(_ changes: [(ManifestObject.Reference, APIObject?)]) {
        for (reference, object) in changes { contents.apply(reference, object) }
    }

    /// The cluster as it is after all that was applied.
    public mutating func snapshot() -> ClusterSnapshot {
        if contents.isConfigurationTouched || configured == nil {
            let outcome = configuration.assemble(contents.configurationInput())
            if outcome.problems != configured?.problems { contents.areProblemsTouched = true }
            configured = outcome
            contents.isConfigurationTouched = false
        }
        if contents.areProblemsTouched {
            problems = Self.bound(contents.problems() + (configured?.problems ?? []))
            contents.areProblemsTouched = false
        }
        var snapshot = contents.snapshot
        snapshot.configuration = configured?.configuration ?? Configuration()
        snapshot.problems = problems
        return snapshot
    }

    /// Where not all can be listed, errors go before the rest.
    private static func bound(_ problems: [Problem]) -> [Problem] {
        let excess = problems.count - problemLimit
        guard excess > 0 else { return problems }
        let errors = problems.filter { $0.severity == .error }
        let others = problems.lazy.filter { $0.severity != .error }
        return (errors + others).prefix(problemLimit) + [
            Problem(
                .notice, rule: "\(excess) more problems are not listed",
                remedy: "correct the ones above first")
        ]
    }
}
