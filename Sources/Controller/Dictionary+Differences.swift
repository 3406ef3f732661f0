extension Dictionary where Value: Equatable {
    /// The keys of which two dictionaries do not say the same.
    ///
    /// One is mostly an edited copy of the other: both have one order but for what was edited, so
    /// that walking along both spares looking up every key.
    func differences(from old: Self) -> Set<Key> {
        var found: Set<Key> = []
        var others = old.makeIterator()
        var other = others.next()
        for (key, value) in self {
            // Those that are gone stand in the way.
            while let gone = other?.key, gone != key, self[gone] == nil {
                found.insert(gone)
                other = others.next()
            }
            if let pair = other, pair.key == key {
                if pair.value != value { found.insert(key) }
                other = others.next()
            } else if let last = old[key] {
                if last != value { found.insert(key) }
                other = others.next()
            } else {
                found.insert(key)
            }
        }
        while let left = other?.key {
            if self[left] == nil { found.insert(left) }
            other = others.next()
        }
        return found
    }
}
