import NetworkTypes

/// How many new Events each object may still have.
struct EventBudgets: Sendable {
    private struct Budget: Sendable {
        var left: Double
        var at: Instant
    }

    /// Objects whose budgets are known; beyond it all begin anew.
    private static let limit = 1024
    private let burst: Int
    private let refill: Duration
    private var budgets: [ObjectName: Budget] = [:]

    init(burst: Int, refill: Duration) {
        self.burst = burst
        self.refill = refill
    }

    /// Takes one from an object's budget; false when there is none left.
    mutating func spend(on object: ObjectName, at now: Instant) -> Bool {
        if budgets[object] == nil, budgets.count >= Self.limit {
            budgets = budgets.filter { left(of: $0.value, at: now) < Double(burst) - 1 }
            if budgets.count >= Self.limit { budgets = [:] }
        }
        var budget = budgets[object] ?? Budget(left: Double(burst), at: now)
        budget.left = left(of: budget, at: now)
        budget.at = max(now, budget.at)
        let isThere = budget.left >= 1
        if isThere { budget.left -= 1 }
        budgets[object] = budget
        return isThere
    }

    private func left(of budget: Budget, at now: Instant) -> Double {
        let gained =
            Double((now - budget.at).wholeNanoseconds) / Double(refill.wholeNanoseconds)
        return min(Double(burst), budget.left + max(0, gained))
    }
}

/// Names for Events that no two share: the Service's, the time, and a number that tells apart the
/// processes that give them.
struct EventNames: Sendable {
    private let seed: UInt64
    private var latest: UInt64 = 0

    init(seed: UInt64) { self.seed = seed }

    mutating func next(for service: String, at time: WallTime) -> String {
        latest = max(latest + 1, time.nanosecondsSince1970)
        let salt = String(seed & 0xffff_ffff, radix: 16)
        // A name has at most 253 characters; these leave room for the rest.
        return service.prefix(200) + ".\(String(latest, radix: 16))-\(salt)"
    }
}
