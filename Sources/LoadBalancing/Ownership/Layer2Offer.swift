/// What one layer 2 advertisement offers to the addresses it matches, with its node selectors
/// already evaluated to names.
///
/// Where several match one address they are united, node by node: a node may use the interfaces
/// of every offer that selects it, and the weights that those offers give it add up.
public struct Layer2Offer: Hashable, Sendable {
    /// The nodes that may own the addresses.
    public var nodes: Selection
    /// The interfaces they may use for it.
    public var interfaces: Selection
    /// Weights of node preferences by node name; a node not listed has weight 0.
    public var weights: [String: Int]
    /// When a well owner gives an address up; of united offers the most eager one counts.
    public var preemption: Preemption
    /// Time between unasked announcements; `.zero` turns them off. The shortest one wins.
    public var reannounceInterval: Duration

    /// Makes an offer; left out, every node on every interface, without preference.
    public init(
        nodes: Selection = .all, interfaces: Selection = .all, weights: [String: Int] = [:],
        preemption: Preemption = .never, reannounceInterval: Duration = .seconds(60)
    ) {
        self.nodes = nodes
        self.interfaces = interfaces
        self.weights = weights
        self.preemption = preemption
        self.reannounceInterval = reannounceInterval
    }
}

/// When an address moves although the node that holds it may go on.
public enum Preemption: Hashable, Sendable, CaseIterable {
    /// Never: it stays where it is until there is a cause.
    case never
    /// It goes towards the preferred nodes, and among them towards an even spread, one address at
    /// a time and only while all is quiet.
    case gradual
    /// It goes to a node of higher preference weight as soon as there is one. Among nodes of
    /// equal weight none is preferred, so there it stays as under `never`.
    case always
}
