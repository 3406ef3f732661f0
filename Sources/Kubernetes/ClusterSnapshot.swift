/// Everything that Martlet knows of the cluster at one moment, as plain values.
///
/// A source makes it, controller and speakers decide on it; equal snapshots give equal decisions.
public struct ClusterSnapshot: Sendable, Equatable {
    /// Services with what has been given to them (`status` merged in).
    public var services: ObjectTable<Service> = [:]
    /// Endpoint slices, given and derived, by Service.
    public var endpointSlices: ObjectTable<[EndpointSlice]> = [:]
    /// Nodes by name.
    public var nodes: [String: Node] = [:]
    /// Namespaces by name.
    public var namespaces: [String: Namespace] = [:]
    /// Pools, advertisements, peers and the rest: the valid ones, or their last good versions.
    public var configuration = Configuration()
    /// What is wrong with what was read, in order of file and line.
    public var problems: [Problem] = []

    /// An empty cluster.
    public init() {}
}
