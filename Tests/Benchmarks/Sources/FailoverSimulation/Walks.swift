import NetworkTypes
import Simulation
import Synchronization

/// What many random walks came to.
struct Walks {
    var walked = 0
    var simulated = Duration.zero
    var failed: [RandomWalk.Outcome] = []
    var longestOverlap = Duration.zero
    var longestGap = Duration.zero
    var moves = 0
    var holds = 0

    /// The most failures that are told in full.
    static let reports = 5

    mutating func add(_ outcome: RandomWalk.Outcome) {
        walked += 1
        simulated += outcome.simulated
        longestOverlap = max(longestOverlap, outcome.figures.longestOverlap)
        longestGap = max(longestGap, outcome.figures.longestGap)
        moves += outcome.figures.moves
        holds += outcome.figures.holds
        if !outcome.violations.isEmpty { failed.append(outcome) }
    }

    /// Walks with the seeds from 1 to `count`, on as many threads as asked for, until the deadline.
    static func run(count: Int, lanes: Int, until limit: Deadline) async -> Walks {
        let shared = Shared()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<lanes {
                group.addTask {
                    while !limit.isOver, let seed = shared.nextSeed(upTo: count) {
                        shared.add(RandomWalk.run(seed: seed))
                    }
                }
            }
        }
        return shared.walks
    }

    /// What the lanes share.
    private final class Shared: Sendable {
        private let state = Mutex((next: UInt64(1), walks: Walks()))

        var walks: Walks { state.withLock { $0.walks } }

        func nextSeed(upTo count: Int) -> UInt64? {
            state.withLock { state in
                guard state.next <= UInt64(max(count, 0)) else { return nil }
                defer { state.next += 1 }
                return state.next
            }
        }

        func add(_ outcome: RandomWalk.Outcome) { state.withLock { $0.walks.add(outcome) } }
    }
}
