/// A key of a member and its value as it now is.
public struct EntryChange: Hashable, Sendable {
    /// What the entry is about, 1 to ``Delta/Entry/maximumKey`` bytes.
    public var key: [UInt8]
    /// What it says, at most ``Delta/Entry/maximumValue`` bytes; `nil`: no longer there.
    public var value: [UInt8]?

    /// Makes a change.
    public init(key: [UInt8], value: [UInt8]?) {
        self.key = key
        self.value = value
    }
}

/// What became of another member's entries when a delta was put in.
public enum Applied: Hashable, Sendable {
    /// The copy is newer now; these entries read differently than before (maybe none of them).
    case news([EntryChange])
    /// All of it was known, or belongs to an earlier boot, or is about ourselves.
    case stale
    /// Something between our copy and the delta is missing: a digest will show what.
    case gap
    /// It was not taken, and the copy is as before.
    case refused(StoreRefusal)
}

/// Why the store does not take something.
public enum StoreRefusal: Hashable, Sendable, CaseIterable {
    /// Versions, keys or values contradict what ``Delta`` says of them.
    case malformed
    /// There are ``ReplicatedStore/maximumMembers`` members with entries already.
    case tooManyMembers
    /// The member would own more than ``ReplicatedStore/maximumEntries`` entries.
    case tooManyEntries
    /// All members together would own more than ``ReplicatedStore/maximumTotalEntries`` entries or
    /// ``ReplicatedStore/maximumTotalBytes`` bytes.
    case storeFull
}
