/// All live members and ourselves in the order of a frozen hash, closed to a circle. Another ring
/// has another order, so that two rings make an expander: any half of the members has many
/// neighbours in the other half.
struct Ring: Sendable {
    private struct Place: Comparable {
        let key: UInt64
        let id: NodeID

        static func < (left: Place, right: Place) -> Bool {
            (left.key, left.id) < (right.key, right.id)
        }
    }

    private let number: UInt64
    private var places: [Place] = []

    init(number: UInt64) { self.number = number }

    var count: Int { places.count }

    /// The member at a position, for random choices.
    subscript(position: Int) -> NodeID { places[position].id }

    private func place(_ id: NodeID) -> Place {
        Place(key: (id.bits &+ number &* 0x9e37_79b9_7f4a_7c15).mixed, id: id)
    }

    /// The first position that does not come before `place`.
    private func position(_ place: Place) -> Int {
        var (low, high) = (0, places.count)
        while low < high {
            let middle = (low + high) / 2
            if places[middle] < place { low = middle + 1 } else { high = middle }
        }
        return low
    }

    mutating func insert(_ id: NodeID) {
        let place = place(id)
        let position = position(place)
        if position < places.count, places[position] == place { return }
        places.insert(place, at: position)
    }

    mutating func remove(_ id: NodeID) {
        let place = place(id)
        let position = position(place)
        if position < places.count, places[position] == place { places.remove(at: position) }
    }

    /// How far apart two members are on the circle.
    func distance(_ first: NodeID, _ second: NodeID) -> UInt64 {
        let clockwise = place(first).key &- place(second).key
        return min(clockwise, 0 &- clockwise)
    }

    /// Predecessor and successor of a member, or of the place where it would be.
    func neighbours(of id: NodeID) -> [NodeID] {
        guard !places.isEmpty else { return [] }
        let place = place(id)
        let position = position(place)
        let isIn = position < places.count && places[position] == place
        let before = places[(position + places.count - 1) % places.count].id
        let after = places[(isIn ? position + 1 : position) % places.count].id
        return before == after ? [before] : [before, after]
    }
}
