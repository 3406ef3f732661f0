/// A set of integers kept as its maximal runs, in a balanced tree ordered by the runs' starts.
///
/// This is what makes a /64 as cheap as a /29: an untouched pool is one run whatever its size, and
/// every address that is taken adds at most one. Membership, insertion, removal and "the lowest
/// member from here on" take O(log r) steps for r runs; nothing is ever scanned or counted.
///
/// The tree is a treap: a search tree by run, a heap by priority. The priority of a node is a
/// hash of its slot in the node array, so it costs no memory, no random source, and the same
/// history always gives the same tree. A slot says nothing about the key that lands in it, so the
/// expected depth is logarithmic for every order of insertion that is not made to measure.
/// The array holds 48 bytes a run, and grows to the greatest number of runs there has been;
/// it is bounded by the number of ranges plus the number of members taken out.
struct RunSet: Sendable {
    typealias Slot = UInt32

    struct Node: Sendable {
        var first: UInt128
        var last: UInt128
        var left: Slot = RunSet.none
        var right: Slot = RunSet.none
    }

    static let none = Slot.max

    var nodes: [Node] = []
    var root = RunSet.none
    /// Head of the chain of unused slots, linked through `left`.
    var spare = RunSet.none

    /// Whether there is no member.
    var isEmpty: Bool { root == Self.none }

    /// The lowest member.
    var first: UInt128? {
        var lowest: UInt128?
        var slot = root
        while slot != Self.none {
            let node = nodes[Int(slot)]
            lowest = node.first
            slot = node.left
        }
        return lowest
    }

    /// Whether `value` is a member.
    func contains(_ value: UInt128) -> Bool { slot(of: value) != Self.none }

    /// The lowest member that is not below `bound`.
    func first(from bound: UInt128) -> UInt128? {
        var best: UInt128?
        var slot = root
        while slot != Self.none {
            let node = nodes[Int(slot)]
            if bound < node.first {
                best = node.first
                slot = node.left
            } else if bound <= node.last {
                return bound
            } else {
                slot = node.right
            }
        }
        return best
    }

    /// Adds one value; false when it was a member already.
    @discardableResult
    mutating func insert(_ value: UInt128) -> Bool { insert(value, through: value) }

    /// Adds a run of values, joining it with its neighbours; false, and nothing done, when one
    /// of them was a member already.
    @discardableResult
    mutating func insert(_ first: UInt128, through last: UInt128) -> Bool {
        var below = Self.none
        var above = Self.none
        var slot = root
        while slot != Self.none {
            if nodes[Int(slot)].first <= first {
                below = slot
                slot = nodes[Int(slot)].right
            } else {
                above = slot
                slot = nodes[Int(slot)].left
            }
        }
        if below != Self.none, nodes[Int(below)].last >= first { return false }
        if above != Self.none, nodes[Int(above)].first <= last { return false }
        let joinsBelow = below != Self.none && nodes[Int(below)].last + 1 == first
        let joinsAbove = above != Self.none && nodes[Int(above)].first - 1 == last
        switch (joinsBelow, joinsAbove) {
        case (true, true):
            let end = nodes[Int(above)].last
            detach(above)
            nodes[Int(below)].last = end
        case (true, false): nodes[Int(below)].last = last
        case (false, true): nodes[Int(above)].first = first
        case (false, false): attach(first, last)
        }
        return true
    }

    /// Takes one value out; false when it was no member.
    @discardableResult
    mutating func remove(_ value: UInt128) -> Bool {
        let slot = slot(of: value)
        guard slot != Self.none else { return false }
        let node = nodes[Int(slot)]
        switch (node.first == value, node.last == value) {
        case (true, true): detach(slot)
        case (true, false): nodes[Int(slot)].first = value + 1
        case (false, true): nodes[Int(slot)].last = value - 1
        case (false, false):
            nodes[Int(slot)].last = value - 1
            attach(value + 1, node.last)
        }
        return true
    }

    private func slot(of value: UInt128) -> Slot {
        var slot = root
        while slot != Self.none {
            let node = nodes[Int(slot)]
            if value < node.first {
                slot = node.left
            } else if value > node.last {
                slot = node.right
            } else {
                return slot
            }
        }
        return Self.none
    }
}
