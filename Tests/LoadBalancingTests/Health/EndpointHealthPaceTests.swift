import LoadBalancing
import NetworkTypes
import Testing

@Suite("How fast endpoints are asked")
struct EndpointHealthPaceTests {
    private let start = Instant(nanoseconds: 0)
    private let second = Duration.seconds(1)

    private func health(of count: Int, _ settings: ProbeSettings) throws -> EndpointHealth {
        let web = ServiceName(namespace: "shop", name: "web")
        let address = try #require(IPAddress("198.51.100.1"))
        var targets: [EndpointHealth.Target: ProbeSettings] = [:]
        for port in 1...count {
            targets[.init(service: web, address: address, port: UInt16(port))] = settings
        }
        var health = EndpointHealth(seed: 1)
        health.update(targets, at: start)
        return health
    }

    /// Goes from deadline to deadline, and says who was asked when.
    private func run(
        _ health: inout EndpointHealth, until end: Instant, answering answer: ProbeAnswer?
    ) -> [(at: Instant, target: EndpointHealth.Target)] {
        var asked: [(at: Instant, target: EndpointHealth.Target)] = []
        while let now = health.nextDeadline, now <= end {
            let actions = health.deadlineReached(at: now)
            // Or its thread would never rest.
            let isLater = health.nextDeadline.map { $0 > now } ?? true
            guard isLater else {
                Issue.record("called again at once, at \(now)")
                return asked
            }
            for case .ask(let target, let attempt) in actions {
                asked.append((now, target))
                if let answer {
                    _ = health.answered(target, attempt: attempt, answer, at: now)
                }
            }
        }
        return asked
    }

    @Test("of more questions than may be asked in a second the rest is asked later, all in turn")
    func rate() throws {
        let count = EndpointHealth.maximumTargets
        var health = try health(
            of: count, ProbeSettings(interval: .milliseconds(100), timeout: .milliseconds(100)))
        #expect(health.demand == count * 10)
        let asked = run(&health, until: start + .seconds(20), answering: .good)
        #expect(asked.count > 19 * EndpointHealth.maximumRate)
        for first in 0..<20 {
            let window = (start + second * first)..<(start + second * (first + 1))
            let number = asked.count { window.contains($0.at) }
            #expect(number <= EndpointHealth.maximumRate * 6 / 5, "in second \(first)")
        }
        let times = Dictionary(grouping: asked, by: \.target).mapValues { $0.map(\.at) }
        #expect(times.count == count)
        #expect(times.values.allSatisfy { $0.count >= 2 }, "nobody waits while others are asked")
    }

    @Test("so few questions as may be asked come when they are due")
    func unhurried() throws {
        var health = try health(of: 200, ProbeSettings())
        #expect(health.demand == 100)
        let asked = run(&health, until: start + .seconds(60), answering: .good)
        for times in Dictionary(grouping: asked, by: \.target).values.map({ $0.map(\.at) }) {
            for (one, next) in zip(times, times.dropFirst()) {
                #expect(next - one <= .milliseconds(2_300) && next - one >= .milliseconds(1_700))
            }
        }
    }

    @Test("no more than 512 questions are under way; each that ends makes room for one")
    func silence() throws {
        var health = try health(
            of: 2_000, ProbeSettings(interval: .seconds(60), timeout: .seconds(300)))
        let end = start + .seconds(200)
        let asked = run(&health, until: end, answering: nil)
        #expect(asked.count == EndpointHealth.maximumQuestions)
        let first = try #require(asked.first)
        _ = health.answered(first.target, attempt: 1, .good, at: end)
        let next = health.deadlineReached(at: end)
        #expect(next.count == 1)
        // Those that nobody answers end by their own time.
        let rest = run(&health, until: start + .seconds(320), answering: .good)
        #expect(Set(rest.map(\.target)).count >= 2_000 - EndpointHealth.maximumQuestions - 1)
    }

    @Test("who is asked no more is neither asked nor awaited, and makes room")
    func removal() throws {
        var health = try health(
            of: 600, ProbeSettings(interval: .seconds(10), timeout: .seconds(300)))
        let asked = run(&health, until: start + .seconds(20), answering: nil)
        #expect(asked.count == EndpointHealth.maximumQuestions)
        let left = asked[0].target
        health.update([left: ProbeSettings()], at: start + .seconds(20))
        #expect(health.demand == 1)
        #expect(
            Set(run(&health, until: start + .seconds(60), answering: .good).map(\.target))
                == [left])
        health.update([:], at: start + .seconds(60))
        #expect(health.nextDeadline == nil && health.demand == 0)
    }
}
