/// Which of a set of names is meant: every one, or only those listed.
///
/// It stands for node selectors after evaluation and for lists of interfaces, where "nothing
/// written" means all; an empty list of names means none.
public enum Selection: Hashable, Sendable {
    /// Every name.
    case all
    /// These names and no others.
    case only(Set<String>)

    /// Whether the name is meant.
    public func contains(_ name: String) -> Bool {
        switch self {
        case .all: true
        case .only(let names): names.contains(name)
        }
    }

    /// What either of the two means.
    public func union(_ other: Selection) -> Selection {
        guard case .only(let left) = self, case .only(let right) = other else { return .all }
        return .only(left.union(right))
    }
}
