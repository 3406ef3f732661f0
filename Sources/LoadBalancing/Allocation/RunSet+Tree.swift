/// The treap under a `RunSet`: linking and unlinking nodes, with the runs themselves left alone.
extension RunSet {
    /// The runs in ascending order; a walk over all of them, so not for decisions.
    var runs: [ClosedRange<UInt128>] {
        var found: [ClosedRange<UInt128>] = []
        var path: [Slot] = []
        var slot = root
        while slot != Self.none || !path.isEmpty {
            while slot != Self.none {
                path.append(slot)
                slot = nodes[Int(slot)].left
            }
            let node = nodes[Int(path.removeLast())]
            found.append(node.first...node.last)
            slot = node.right
        }
        return found
    }

    /// Adds a node for a run that touches no other.
    mutating func attach(_ first: UInt128, _ last: UInt128) {
        let fresh = takeSlot(Node(first: first, last: last))
        let priority = Self.priority(fresh)
        var parent = Self.none
        var slot = root
        while slot != Self.none, Self.priority(slot) >= priority {
            parent = slot
            let node = nodes[Int(slot)]
            slot = first < node.first ? node.left : node.right
        }
        let (below, above) = split(slot, at: first)
        nodes[Int(fresh)].left = below
        nodes[Int(fresh)].right = above
        link(fresh, under: parent, for: first)
    }

    /// Takes a node out and its slot back.
    mutating func detach(_ slot: Slot) {
        let node = nodes[Int(slot)]
        var parent = Self.none
        var step = root
        while step != slot {
            parent = step
            let passed = nodes[Int(step)]
            step = node.first < passed.first ? passed.left : passed.right
        }
        link(merge(node.left, node.right), under: parent, for: node.first)
        nodes[Int(slot)].left = spare
        spare = slot
    }

    private mutating func link(_ child: Slot, under parent: Slot, for key: UInt128) {
        if parent == Self.none {
            root = child
        } else if key < nodes[Int(parent)].first {
            nodes[Int(parent)].left = child
        } else {
            nodes[Int(parent)].right = child
        }
    }

    private mutating func takeSlot(_ node: Node) -> Slot {
        guard spare != Self.none else {
            nodes.append(node)
            return Slot(nodes.count - 1)
        }
        let slot = spare
        spare = nodes[Int(slot)].left
        nodes[Int(slot)] = node
        return slot
    }

    /// Parts a subtree into the runs that start below `key` and the others.
    private mutating func split(_ slot: Slot, at key: UInt128) -> (below: Slot, above: Slot) {
        guard slot != Self.none else { return (Self.none, Self.none) }
        if nodes[Int(slot)].first < key {
            let (below, above) = split(nodes[Int(slot)].right, at: key)
            nodes[Int(slot)].right = below
            return (slot, above)
        } else {
            let (below, above) = split(nodes[Int(slot)].left, at: key)
            nodes[Int(slot)].left = above
            return (below, slot)
        }
    }

    /// Joins two subtrees, all of `below` before all of `above`.
    private mutating func merge(_ below: Slot, _ above: Slot) -> Slot {
        if below == Self.none { return above }
        if above == Self.none { return below }
        if Self.priority(below) >= Self.priority(above) {
            let joined = merge(nodes[Int(below)].right, above)
            nodes[Int(below)].right = joined
            return below
        } else {
            let joined = merge(below, nodes[Int(above)].left)
            nodes[Int(above)].left = joined
            return above
        }
    }

    /// A slot's place in the heap: a mix of its number in which neighbours have nothing in common
    /// (the finalizer of SplitMix64).
    static func priority(_ slot: Slot) -> UInt64 {
        var mixed = UInt64(slot) &* 0x9e37_79b9_7f4a_7c15 &+ 0x9e37_79b9_7f4a_7c15
        mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
        return mixed ^ mixed >> 31
    }
}
