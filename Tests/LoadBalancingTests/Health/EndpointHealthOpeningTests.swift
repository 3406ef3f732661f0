import LoadBalancing
import NetworkTypes
import Testing

/// What all endpoints have in common breaks, and is mended.
@Suite("Failing open, and back")
struct EndpointHealthOpeningTests {
    private let web = ServiceName(namespace: "shop", name: "web")
    private let targets: [EndpointHealth.Target]
    private var health = EndpointHealth(seed: 1)
    private var now = Instant(nanoseconds: 0)

    init() throws {
        let service = web
        targets = try (1...3).map {
            EndpointHealth.Target(
                service: service, address: try #require(IPAddress("198.51.100.\($0)")), port: 8080)
        }
        health.update(settings(), at: now)
    }

    private func settings(
        fall: Int = 3, failsOpen: Bool = true
    ) -> [EndpointHealth.Target: ProbeSettings] {
        Dictionary(
            uniqueKeysWithValues: targets.map {
                ($0, ProbeSettings(fall: fall, failsOpen: failsOpen))
            })
    }

    private var isOpen: Bool { !health.failingOpen.isEmpty }
    private func without(_ indexes: Int...) -> [ServiceName: Set<IPAddress>] {
        [web: Set(indexes.map { targets[$0].address })]
    }

    /// Asks everybody once; those whose index is in `good` answer as they should.
    private mutating func round(good: Set<Int>) {
        now = now + .seconds(3)
        for case .ask(let target, let attempt) in health.deadlineReached(at: now) {
            let isGood = targets.firstIndex(of: target).map(good.contains) ?? false
            _ = health.answered(target, attempt: attempt, isGood ? .good : .refused, at: now)
        }
    }

    @Test("who is first to be back does not carry all traffic: the others get their chance first")
    mutating func oneByOne() {
        round(good: [])
        #expect(isOpen && health.excluded.isEmpty)
        // All are mended, but their good answers do not begin together.
        let rounds: [Set<Int>] = [[0], [0], [0, 1], [0, 1, 2], [0, 1, 2], [0, 1, 2]]
        for good in rounds {
            round(good: good)
            #expect(health.excluded[web, default: []].count < 2)
        }
        #expect(!isOpen && health.excluded.isEmpty)
    }

    @Test("those that stay down after one is back go out, once they were asked `rise` times more")
    mutating func rest() {
        round(good: [])
        round(good: [0])
        round(good: [0])
        // The first one is back.
        #expect(isOpen && health.excluded.isEmpty)
        round(good: [0])
        #expect(isOpen && health.excluded.isEmpty)
        round(good: [0])
        #expect(!isOpen && health.excluded == without(1, 2))
    }

    @Test("when the one that was back fails again, all stay in, and the chance is given anew")
    mutating func relapse() {
        health.update(settings(fall: 1), at: now)
        for good in [[], [0], [0], []] as [Set<Int>] {
            round(good: good)
            #expect(isOpen && health.excluded.isEmpty)
        }
        for _ in 0..<3 {
            round(good: [1])
            #expect(isOpen && health.excluded.isEmpty)
        }
        round(good: [1])
        #expect(!isOpen && health.excluded == without(0, 2))
    }

    @Test("at the start nobody goes out before all were asked: the question may be wrong for all")
    mutating func start() {
        now = now + .seconds(3)
        var asked: [(EndpointHealth.Target, UInt64)] = []
        for case .ask(let target, let attempt) in health.deadlineReached(at: now) {
            asked.append((target, attempt))
        }
        #expect(asked.map(\.0).sorted() == targets)
        for (target, attempt) in asked where target != targets[2] {
            _ = health.answered(target, attempt: attempt, .refused, at: now)
            #expect(health.excluded.isEmpty)
        }
        for (target, attempt) in asked where target == targets[2] {
            _ = health.answered(target, attempt: attempt, .good, at: now)
        }
        #expect(health.excluded == without(0, 1))
    }

    @Test("who cannot even be asked keeps nobody in at the start")
    mutating func unaskable() {
        now = now + .seconds(3)
        for case .ask(let target, let attempt) in health.deadlineReached(at: now) {
            let answer: ProbeAnswer =
                target == targets[0] ? .notAsked(1) : target == targets[1] ? .refused : .good
            _ = health.answered(target, attempt: attempt, answer, at: now)
        }
        #expect(health.excluded == without(1))
    }

    @Test("where failing open is not wanted, each goes out at once and comes back alone")
    mutating func strict() throws {
        health.update(settings(failsOpen: false), at: now)
        now = now + .seconds(3)
        let first = try #require(health.deadlineReached(at: now).first)
        guard case .ask(let target, let attempt) = first else {
            Issue.record("nobody was asked")
            return
        }
        _ = health.answered(target, attempt: attempt, .refused, at: now)
        #expect(health.excluded == [web: [target.address]])
        for good in [[], [0], [0]] as [Set<Int>] { round(good: good) }
        #expect(health.excluded == without(1, 2) && !isOpen)
    }

    @Test("a new endpoint that was not asked yet does not end failing open")
    mutating func newcomer() throws {
        round(good: [])
        let new = EndpointHealth.Target(
            service: web, address: try #require(IPAddress("198.51.100.9")), port: 8080)
        var wanted = settings()
        wanted[new] = ProbeSettings()
        health.update(wanted, at: now)
        #expect(isOpen && health.excluded.isEmpty)
    }
}
