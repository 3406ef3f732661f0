import Membership
import NetworkTypes

extension DetectionCluster {
    func state(of other: Int, at index: Int) -> MemberState? {
        nodes[index].agent.state(of: nodes[other].name)
    }

    /// Whether all of `group` hold every other one of it for alive.
    func agreeAlive(_ group: some Sequence<Int>) -> Bool {
        let group = Array(group)
        return group.allSatisfy { index in
            group.allSatisfy { $0 == index || state(of: $0, at: index) == .alive }
        }
    }

    /// Whether all of `group` hold `other` for dead.
    func agreeDead(_ other: Int, _ group: some Sequence<Int>) -> Bool {
        group.allSatisfy { state(of: other, at: $0) == .dead }
    }

    /// Every death that anybody was told of since the log was cleared.
    var deaths: [MemberChange] {
        nodes.flatMap { $0.changes.filter { $0.to == .dead } }
    }

    func clearLogs() {
        for index in nodes.indices { nodes[index].changes = [] }
    }

    /// Lets everything come up, and checks that it has.
    func settle(milliseconds: Int = 2_000) -> Bool {
        run(milliseconds: milliseconds)
        let isSettled =
            agreeAlive(nodes.indices) && nodes.allSatisfy { !$0.agent.isReassessing }
        clearLogs()
        return isSettled
    }
}

/// SplitMix64.
struct TestRandom: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = (state ^ state >> 30) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
        return mixed ^ mixed >> 31
    }
}

/// What is to happen, by time; what happens at the same time, in the order of its coming.
struct TestHeap<Content> {
    private struct Place {
        let at: Instant
        let number: Int
        let content: Content

        func comes(before other: Place) -> Bool { (at, number) < (other.at, other.number) }
    }

    private var places: [Place] = []
    private var count = 0

    mutating func push(_ content: Content, at: Instant) {
        count += 1
        var index = places.count
        places.append(Place(at: at, number: count, content: content))
        while index > 0, places[index].comes(before: places[(index - 1) / 2]) {
            places.swapAt(index, (index - 1) / 2)
            index = (index - 1) / 2
        }
    }

    mutating func popFirst(until end: Instant) -> (Instant, Content)? {
        guard let first = places.first, first.at <= end else { return nil }
        places.swapAt(0, places.count - 1)
        places.removeLast()
        var index = 0
        while true {
            var child = 2 * index + 1
            guard child < places.count else { break }
            if child + 1 < places.count, places[child + 1].comes(before: places[child]) {
                child += 1
            }
            guard places[child].comes(before: places[index]) else { break }
            places.swapAt(child, index)
            index = child
        }
        return (first.at, first.content)
    }
}
