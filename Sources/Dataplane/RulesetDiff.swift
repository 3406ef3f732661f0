/// What one transaction does to the table, in the order in which it has to be done.
///
/// 1. `replacesTable`: an old table goes, an empty one comes.
/// 2. New sets are made, empty, and new chains, without rules, so that anything may lead to them.
/// 3. Elements go, then come. A changed element is in both lists. This is before the rules, since
///    the kernel checks each new element of a map against every rule that already uses the map.
/// 4. Chains that changed lose their rules and get the new ones.
/// 5. Chains that nothing leads to any more lose their rules, then go.
/// 6. Sets that no rule uses any more go.
public struct RulesetDiff: Equatable, Sendable {
    /// What the table has besides the Services' ways.
    public internal(set) var options = Ruleset.Options()
    /// Whether everything that was there is replaced.
    public internal(set) var replacesTable = false
    /// Sets to make.
    public internal(set) var addedSets: [NamedSet] = []
    /// Chains to make; each is in `writtenChains` too.
    public internal(set) var addedChains: [RuleChain] = []
    /// Chains whose rules are to be exactly these; each after those it leads to.
    public internal(set) var writtenChains: [RuleChain] = []
    /// Elements to take out.
    public internal(set) var removedElements: [SetElement] = []
    /// Elements to put in.
    public internal(set) var addedElements: [SetElement] = []
    /// Names of chains to remove.
    public internal(set) var removedChains: [String] = []
    /// Names of sets to remove.
    public internal(set) var removedSets: [String] = []
    /// Connections to forget once the transaction has taken effect; no part of it.
    public internal(set) var flushes: [FlowFlush] = []
    /// How many more there were than ``FlowFlush/maximumPerUpdate``; these end by their time-out.
    public internal(set) var omittedFlushes = 0

    /// Whether there is nothing to do.
    public var isEmpty: Bool {
        !replacesTable && addedSets.isEmpty && addedChains.isEmpty && writtenChains.isEmpty
            && removedElements.isEmpty && addedElements.isEmpty && removedChains.isEmpty
            && removedSets.isEmpty
    }
}
