import Kubernetes
import NetworkTypes
import Testing

@Suite("Budget of requests")
struct RequestBudgetTests {
    static let start = Instant(nanoseconds: 5_000_000_000)
    static let settings = RequestBudget.Settings(rate: 10, burst: 20, inFlight: 40)
    var budget = RequestBudget(Self.settings, seed: 1, at: Self.start)

    /// How many of a class are admitted at once.
    mutating func count(_ kind: RequestBudget.Class, at now: Instant = Self.start) -> Int {
        var count = 0
        while count < 1000, budget.admit(kind, at: now) { count += 1 }
        return count
    }

    static func busy(_ code: Int, _ seconds: Int?) -> RequestBudget.Outcome {
        .failed(
            .status(
                APIStatus(code: code, reason: "", message: "", retryAfterSeconds: seconds)))
    }

    @Test mutating func `a burst, and then the rate`() throws {
        #expect(count(.allocation) == 20)
        let next = try #require(budget.nextDeadline)
        #expect(next > Self.start && next <= Self.start + .milliseconds(120))
        #expect(budget.admit(.allocation, at: next - .nanoseconds(1)) == false)
        #expect(budget.admit(.allocation, at: next) == true)
    }

    @Test mutating func `over a minute no more than burst and rate, whatever is asked`() {
        var admitted = 0
        for millisecond in 0..<60_000 {
            let now = Self.start + .milliseconds(millisecond)
            for kind in [RequestBudget.Class.allocation, .status, .event]
            where budget.admit(kind, at: now) {
                admitted += 1
                budget.finished(kind, .answered, at: now)
            }
        }
        #expect((600...622).contains(admitted), "\(admitted)")
    }

    @Test mutating func `allocations come before statuses, statuses before events, none starves`() {
        var admitted: [RequestBudget.Class: Int] = [:]
        for millisecond in 0..<60_000 {
            let now = Self.start + .milliseconds(millisecond)
            for kind in RequestBudget.Class.allCases where kind != .lease {
                guard budget.admit(kind, at: now) else { continue }
                admitted[kind, default: 0] += 1
                budget.finished(kind, .answered, at: now)
            }
        }
        #expect(admitted[.allocation, default: 0] > 500)
        #expect((55...75).contains(admitted[.status, default: 0]))
        #expect((25...45).contains(admitted[.event, default: 0]))
    }

    @Test mutating func `statuses and events leave room for allocations`() {
        #expect(count(.event) <= 11)
        #expect(count(.status) <= 6)
        #expect(count(.allocation) >= 5)
    }

    @Test func `no more are under way than allowed, and each class has a place`() {
        let settings = RequestBudget.Settings(rate: 1000, burst: 1000, inFlight: 8)
        var budget = RequestBudget(settings, seed: 1, at: Self.start)
        var allocations = 0
        while budget.admit(.allocation, at: Self.start) { allocations += 1 }
        #expect(allocations == 6)
        #expect(budget.nextDeadline == nil, "only the end of a request helps")
        #expect(budget.admit(.status, at: Self.start) == true)
        #expect(budget.admit(.status, at: Self.start) == false)
        #expect(budget.admit(.event, at: Self.start) == true)
        #expect(budget.admit(.event, at: Self.start) == false)
        budget.finished(.allocation, .answered, at: Self.start)
        #expect(budget.admit(.allocation, at: Self.start) == true)
    }

    @Test("the server's Retry-After holds everything but Leases", arguments: [429, 503])
    mutating func pause(code: Int) throws {
        #expect(budget.admit(.allocation, at: Self.start) == true)
        #expect(budget.admit(.allocation, at: Self.start) == true)
        budget.finished(.allocation, Self.busy(code, 7), at: Self.start)
        budget.finished(.allocation, .answered, at: Self.start)
        #expect(budget.admit(.allocation, at: Self.start) == false)
        #expect(budget.admit(.lease, at: Self.start) == true)
        let end = try #require(budget.nextDeadline)
        #expect(end >= Self.start + .seconds(7) && end <= Self.start + .seconds(9))
        #expect(budget.admit(.allocation, at: Self.start + .seconds(6)) == false)
        #expect(budget.admit(.allocation, at: end) == true)
    }

    @Test mutating func `a server that goes on refusing is asked less and less often`() {
        var now = Self.start
        var waits: [Duration] = []
        for _ in 0..<8 {
            #expect(budget.admit(.allocation, at: now) == true)
            budget.finished(.allocation, .failed(.transport("refused")), at: now)
            let end = budget.pausedUntil ?? now
            waits.append(end - now)
            now = end
        }
        #expect(waits.last ?? .zero >= .seconds(15))
        #expect(waits.allSatisfy { $0 <= .seconds(30) })
        #expect(budget.admit(.allocation, at: now) == true)
        budget.finished(.allocation, .answered, at: now)
        #expect(budget.admit(.allocation, at: now) == true)
        budget.finished(.allocation, .failed(.transport("reset")), at: now)
        #expect((budget.pausedUntil ?? now) - now <= .milliseconds(100), "a first failure again")
    }

    @Test mutating func `a server that is back is asked at once, whoever found it`() {
        var now = Self.start
        for _ in 0..<8 {
            #expect(budget.admit(.allocation, at: now) == true)
            budget.finished(.allocation, .failed(.transport("refused")), at: now)
            now = budget.pausedUntil ?? now
        }
        #expect(budget.admit(.event, at: now) == true)
        budget.finished(.event, .failed(.timeout("no answer")), at: now)
        #expect(budget.admit(.allocation, at: now) == false)
        budget.serverReached(at: now)
        #expect(budget.nextDeadline.map { $0 <= now } == true)
        #expect(budget.admit(.allocation, at: now) == true)
    }

    @Test mutating func `a pause that the server asks for outlasts its answers to others`() {
        #expect(budget.admit(.allocation, at: Self.start) == true)
        #expect(budget.admit(.allocation, at: Self.start) == true)
        budget.finished(.allocation, .failed(.transport("reset")), at: Self.start)
        budget.finished(.allocation, Self.busy(429, 5), at: Self.start)
        budget.serverReached(at: Self.start)
        #expect(budget.admit(.allocation, at: Self.start + .seconds(4)) == false)
    }

    @Test mutating func `many that fail together are one failure`() {
        let admitted = count(.allocation)
        for _ in 0..<admitted {
            budget.finished(.allocation, .failed(.timeout("no answer")), at: Self.start)
        }
        #expect((budget.pausedUntil ?? Self.start) - Self.start <= .milliseconds(100))
    }

    @Test mutating func `a no that is about the request alone pauses nothing`() {
        for code in [403, 404, 409, 410, 422, 500] {
            #expect(budget.admit(.allocation, at: Self.start) == true)
            budget.finished(.allocation, Self.busy(code, nil), at: Self.start)
            #expect(budget.pausedUntil == nil)
        }
    }

    @Test mutating func `whoever asks at every deadline gets what is due, and no deadline is past`()
    {
        var now = Self.start
        var admitted = 0
        while now < Self.start + .seconds(60) {
            for kind in [RequestBudget.Class.allocation, .status, .event] {
                while budget.admit(kind, at: now) {
                    admitted += 1
                    budget.finished(kind, .answered, at: now)
                }
            }
            guard let next = budget.nextDeadline else {
                Issue.record("refused without a deadline")
                return
            }
            #expect(next > now)
            now = next
        }
        #expect((600...624).contains(admitted), "\(admitted)")
    }
}
