import NetworkTypes

/// What is to happen, in order of time; of equal times, in the order in which it was scheduled.
/// There is no other order, so equal seeds give equal runs.
package struct Schedule<Happening> {
    private struct Key {
        var time: Int64
        var order: UInt64
        var slot: Int

        @inline(__always)
        func precedes(_ other: Key) -> Bool {
            time == other.time ? order < other.order : time < other.time
        }
    }

    private var heap: [Key] = []
    private var happenings: [Happening?] = []
    private var freeSlots: [Int] = []
    private var scheduled: UInt64 = 0

    /// An empty schedule.
    package init() {}

    /// How much is yet to happen.
    package var count: Int { heap.count }

    /// When the next thing happens; `nil` when nothing does any more.
    package var next: Instant? { heap.first.map { Instant(nanoseconds: $0.time) } }

    /// Adds something.
    package mutating func add(_ happening: Happening, at time: Instant) {
        let slot: Int
        if let free = freeSlots.popLast() {
            slot = free
            happenings[slot] = happening
        } else {
            slot = happenings.count
            happenings.append(happening)
        }
        scheduled += 1
        heap.append(Key(time: time.nanoseconds, order: scheduled, slot: slot))
        rise(from: heap.count - 1)
    }

    /// Takes the next thing out, if it happens not later than `limit`.
    package mutating func pop(until limit: Instant) -> (time: Instant, happening: Happening)? {
        guard let first = heap.first, first.time <= limit.nanoseconds,
            let happening = happenings[first.slot].take()
        else { return nil }
        freeSlots.append(first.slot)
        let last = heap.removeLast()
        if !heap.isEmpty {
            heap[0] = last
            sink()
        }
        return (Instant(nanoseconds: first.time), happening)
    }

    private mutating func rise(from start: Int) {
        var index = start
        let key = heap[index]
        while index > 0 {
            let parent = (index - 1) / 2
            guard key.precedes(heap[parent]) else { break }
            heap[index] = heap[parent]
            index = parent
        }
        heap[index] = key
    }

    private mutating func sink() {
        var index = 0
        let key = heap[0]
        while true {
            var child = 2 * index + 1
            guard child < heap.count else { break }
            if child + 1 < heap.count, heap[child + 1].precedes(heap[child]) { child += 1 }
            guard heap[child].precedes(key) else { break }
            heap[index] = heap[child]
            index = child
        }
        heap[index] = key
    }
}
