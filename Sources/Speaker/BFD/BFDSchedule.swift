import NetworkTypes

/// Which session is to be looked at when: a heap in which a later deadline costs nothing.
///
/// Nearly every packet moves its session's deadline back. So a session is noted once, at the
/// earliest moment that it may be due, and is noted anew only for an earlier one; `next` says too
/// early at times, never too late. Holds a few times as many entries as there are sessions at most.
struct BFDSchedule {
    private struct Node {
        let time: Instant
        let session: UInt32
    }

    private var nodes: [Node] = []
    private var noted: [UInt32: Instant] = [:]

    /// When the first session may be due.
    var next: Instant? { nodes.first?.time }

    /// Has a session looked at by `deadline`.
    mutating func note(_ session: UInt32, _ deadline: Instant) {
        if let earlier = noted[session], earlier <= deadline { return }
        noted[session] = deadline
        // What is passed over leaves with its time, which may be far away.
        if nodes.count > 4 * noted.count + 64 { rebuild() } else { insert(deadline, session) }
    }

    private mutating func rebuild() {
        nodes.removeAll(keepingCapacity: true)
        for (session, deadline) in noted { insert(deadline, session) }
    }

    private mutating func insert(_ deadline: Instant, _ session: UInt32) {
        nodes.append(Node(time: deadline, session: session))
        var child = nodes.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard nodes[child].time < nodes[parent].time else { break }
            nodes.swapAt(child, parent)
            child = parent
        }
    }

    /// Forgets a session.
    mutating func remove(_ session: UInt32) { noted[session] = nil }

    /// Takes out a session that may be due at `now`.
    mutating func takeDue(at now: Instant) -> UInt32? {
        while let first = nodes.first, first.time <= now {
            removeFirst()
            // One that was noted anew, or removed, is passed over.
            guard noted[first.session] == first.time else { continue }
            noted[first.session] = nil
            return first.session
        }
        return nil
    }

    private mutating func removeFirst() {
        let last = nodes.removeLast()
        if nodes.isEmpty { return }
        nodes[0] = last
        var parent = 0
        while true {
            var child = 2 * parent + 1
            guard child < nodes.count else { return }
            if child + 1 < nodes.count, nodes[child + 1].time < nodes[child].time { child += 1 }
            guard nodes[child].time < nodes[parent].time else { return }
            nodes.swapAt(parent, child)
            parent = child
        }
    }
}
