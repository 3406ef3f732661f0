import LoadBalancing
import NetworkTypes
import Testing

@Suite("Asking an endpoint whether it lives")
struct EndpointProbeTests {
    private let start = Instant(nanoseconds: 1_000_000_000)

    /// A probe and a clock that goes from deadline to deadline.
    private struct Bench {
        var probe: EndpointProbe
        var now: Instant
        var asked: [Instant] = []

        init(_ settings: ProbeSettings = ProbeSettings(), seed: UInt64 = 1, at start: Instant) {
            probe = EndpointProbe(settings, seed: seed, at: start)
            now = start
        }

        /// Asks once and answers after a while, or never.
        mutating func ask(
            _ answer: ProbeAnswer?, after delay: Duration = .milliseconds(1)
        ) -> [EndpointProbe.Action] {
            now = probe.nextDeadline
            guard case .ask(let attempt)? = probe.handle(.deadlineReached, at: now).first else {
                return []
            }
            asked.append(now)
            guard let answer else {
                now = probe.nextDeadline
                return probe.handle(.deadlineReached, at: now)
            }
            now = now + delay
            return probe.handle(.answered(attempt: attempt, answer), at: now)
        }
    }

    @Test("before the first answer an endpoint counts as up; the first bad one is believed at once")
    func unproven() {
        var bench = Bench(at: start)
        #expect(bench.probe.isUp && bench.probe.state == .unproven)
        #expect(bench.ask(.refused) == [.changed(isUp: false, because: .refused)])
        #expect(!bench.probe.isUp)
    }

    @Test("a living endpoint goes out after `fall` bad answers in a row, and no sooner")
    func fall() {
        var bench = Bench(at: start)
        #expect(bench.ask(.good).isEmpty)
        #expect(bench.ask(.status(500)).isEmpty)
        #expect(bench.ask(.refused).isEmpty)
        #expect(bench.ask(.good).isEmpty)
        #expect(bench.ask(.refused).isEmpty)
        #expect(bench.ask(.refused).isEmpty)
        #expect(bench.probe.isUp)
        #expect(bench.ask(.status(503)) == [.changed(isUp: false, because: .status(503))])
    }

    @Test("one that is out comes back after `rise` good answers in a row")
    func rise() {
        var bench = Bench(at: start)
        _ = bench.ask(.refused)
        #expect(bench.ask(.good).isEmpty)
        #expect(bench.ask(.refused).isEmpty)
        #expect(bench.ask(.good).isEmpty)
        #expect(!bench.probe.isUp)
        #expect(bench.ask(.good) == [.changed(isUp: true, because: .good)])
    }

    @Test("no answer in time is given up, and is a bad one; what comes later is passed over")
    func timeout() {
        var bench = Bench(ProbeSettings(fall: 1), at: start)
        _ = bench.ask(.good)
        let actions = bench.ask(nil)
        #expect(
            actions == [.abandon(attempt: 2), .changed(isUp: false, because: .timedOut)])
        #expect(bench.now == bench.asked[1] + .seconds(1))
        #expect(bench.probe.handle(.answered(attempt: 2, .good), at: bench.now).isEmpty)
        #expect(bench.probe.state == .down(successes: 0))
    }

    @Test("a question that this node could not ask says nothing of the endpoint")
    func notAsked() {
        var bench = Bench(ProbeSettings(fall: 1), at: start)
        #expect(bench.ask(.notAsked(24)).isEmpty)
        #expect(bench.probe.state == .unproven)
        _ = bench.ask(.good)
        #expect(bench.ask(.notAsked(24)).isEmpty)
        #expect(bench.probe.isUp)
    }

    @Test("nothing happens before its time, however often it is called")
    func early() {
        var probe = EndpointProbe(ProbeSettings(), seed: 3, at: start)
        let first = probe.nextDeadline
        #expect(first <= start + .seconds(1))
        if first > start {
            #expect(probe.handle(.deadlineReached, at: first - .nanoseconds(1)).isEmpty)
        }
        #expect(probe.handle(.deadlineReached, at: first) == [.ask(attempt: 1)])
        #expect(probe.handle(.deadlineReached, at: first).isEmpty)
    }

    @Test("questions are an interval apart, 10 % more or less, and spread among endpoints")
    func jitter() {
        var beginnings: Set<Instant> = []
        for seed in 0..<64 {
            var bench = Bench(seed: UInt64(seed), at: start)
            for _ in 0..<50 { _ = bench.ask(.good) }
            beginnings.insert(bench.asked[0])
            for (one, next) in zip(bench.asked, bench.asked.dropFirst()) {
                #expect(
                    (Duration.milliseconds(1_800)...Duration.milliseconds(2_200))
                        .contains(next - one))
            }
            let mean = (bench.asked[49] - bench.asked[0]) / 49
            #expect(
                (Duration.milliseconds(1_900)...Duration.milliseconds(2_100)).contains(mean))
        }
        #expect(beginnings.count > 48)
    }

    @Test("a question that takes longer than the interval is followed by the next at once")
    func slow() {
        let settings = ProbeSettings(interval: .milliseconds(100), timeout: .seconds(5))
        var bench = Bench(settings, at: start)
        _ = bench.ask(.good, after: .seconds(3))
        #expect(bench.probe.nextDeadline == bench.now)
    }
}
