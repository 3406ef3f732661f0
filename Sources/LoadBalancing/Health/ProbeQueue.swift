import NetworkTypes

/// Endpoints in the order in which they are due: a binary heap.
///
/// Equal deadlines come by the name of the endpoint, so that a replay is exact. When a deadline
/// moves, its old entry stays; who takes one out looks whether it still holds.
struct ProbeQueue: Equatable, Sendable {
    struct Entry: Equatable, Comparable, Sendable {
        let deadline: Instant
        let target: EndpointHealth.Target

        static func < (left: Self, right: Self) -> Bool {
            (left.deadline, left.target) < (right.deadline, right.target)
        }
    }

    private var entries: [Entry]

    init(_ entries: some Sequence<Entry> = []) {
        // What is sorted is a heap.
        self.entries = entries.sorted()
    }

    var count: Int { entries.count }
    var first: Entry? { entries.first }

    mutating func add(_ target: EndpointHealth.Target, at deadline: Instant) {
        let entry = Entry(deadline: deadline, target: target)
        var place = entries.count
        entries.append(entry)
        while place > 0 {
            let parent = (place - 1) / 2
            guard entry < entries[parent] else { break }
            entries[place] = entries[parent]
            place = parent
        }
        entries[place] = entry
    }

    mutating func removeFirst() {
        let moved = entries.removeLast()
        guard !entries.isEmpty else { return }
        var place = 0
        while true {
            var child = 2 * place + 1
            guard child < entries.count else { break }
            if child + 1 < entries.count, entries[child + 1] < entries[child] { child += 1 }
            guard entries[child] < moved else { break }
            entries[place] = entries[child]
            place = child
        }
        entries[place] = moved
    }
}
