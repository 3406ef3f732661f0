/// The last deletions, so that a late event does not bring an object back.
///
/// Bounds: 1,024 of them. When one more comes, the oldest gives way, and every version up to its
/// own then counts as deleted, unless the object is known to exist.
struct RememberedDeletions: Sendable {
    static let bound = 1024

    private var versions: [ObjectName: UInt64] = [:]
    /// The same as they came; a ring once it is full.
    private var order: [(name: ObjectName, version: UInt64)] = []
    private var oldest = 0
    /// Unknown objects of versions up to this one are gone.
    private var floor: UInt64 = 0

    /// How many there are.
    var count: Int { order.count }

    /// The version of an object's deletion; `nil` when none is remembered.
    func version(of name: ObjectName) -> UInt64? { versions[name] }

    /// Whether an unknown object of this version is one that has been deleted.
    func cover(_ name: ObjectName, _ version: UInt64?) -> Bool {
        guard let version else { return false }
        return version <= max(floor, versions[name] ?? 0)
    }

    mutating func remember(_ name: ObjectName, at version: UInt64) {
        guard version > versions[name] ?? 0 else { return }
        versions[name] = version
        guard order.count == Self.bound else {
            order.append((name, version))
            return
        }
        let leaving = order[oldest]
        floor = max(floor, leaving.version)
        if versions[leaving.name] == leaving.version { versions[leaving.name] = nil }
        order[oldest] = (name, version)
        oldest = (oldest + 1) % Self.bound
    }

    /// A whole list as of a version says what exists; only deletions that are younger than
    /// `youngest` still tell something.
    mutating func forget(upTo version: UInt64, youngerThan youngest: UInt64) {
        let former = versions
        self = RememberedDeletions()
        for (name, deletion) in former.sorted(by: { $0.value < $1.value }) where deletion > youngest
        {
            remember(name, at: deletion)
        }
        floor = version
    }
}
