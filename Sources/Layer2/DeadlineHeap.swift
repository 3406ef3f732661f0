import NetworkTypes

/// At most one deadline for each slot, the earliest at hand: a binary heap that knows where each
/// slot sits, so that setting, moving and removing a deadline cost O(log n).
///
/// Equal deadlines come in slot order, so that a replay is exact.
struct DeadlineHeap: Equatable, Sendable {
    struct Node: Equatable, Comparable, Sendable {
        let deadline: Instant
        let slot: Int

        static func < (left: Node, right: Node) -> Bool {
            (left.deadline, left.slot) < (right.deadline, right.slot)
        }
    }

    private var nodes: [Node] = []
    /// By slot: where in `nodes` its deadline is, or -1.
    private var positions: [Int] = []

    var first: Node? { nodes.first }

    /// Gives `slot` a deadline, or takes it away.
    mutating func set(_ slot: Int, _ deadline: Instant?) {
        while positions.count <= slot { positions.append(-1) }
        let position = positions[slot]
        switch (deadline, position) {
        case (nil, -1):
            return
        case (nil, _):
            let last = nodes.removeLast()
            positions[slot] = -1
            if last.slot != slot { settle(last, at: position) }
        case (let deadline?, -1):
            let node = Node(deadline: deadline, slot: slot)
            nodes.append(node)
            settle(node, at: nodes.count - 1)
        case (let deadline?, _):
            settle(Node(deadline: deadline, slot: slot), at: position)
        }
    }

    /// Puts `node` where it belongs, starting from the free place at `start`.
    private mutating func settle(_ node: Node, at start: Int) {
        var position = start
        while position > 0 {
            let parent = (position - 1) / 2
            guard node < nodes[parent] else { break }
            place(nodes[parent], at: position)
            position = parent
        }
        while true {
            var child = 2 * position + 1
            guard child < nodes.count else { break }
            if child + 1 < nodes.count, nodes[child + 1] < nodes[child] { child += 1 }
            guard nodes[child] < node else { break }
            place(nodes[child], at: position)
            position = child
        }
        place(node, at: position)
    }

    private mutating func place(_ node: Node, at position: Int) {
        nodes[position] = node
        positions[node.slot] = position
    }
}
