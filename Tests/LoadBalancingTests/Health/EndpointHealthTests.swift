import LoadBalancing
import NetworkTypes
import Testing

@Suite("Who is taken out for bad answers")
struct EndpointHealthTests {
    private let start = Instant(nanoseconds: 0)
    private let web = ServiceName(namespace: "shop", name: "web")

    private func target(_ text: String, of service: ServiceName? = nil) throws
        -> EndpointHealth.Target
    {
        EndpointHealth.Target(
            service: service ?? web, address: try #require(IPAddress(text)), port: 8080)
    }

    /// Asks everybody once and answers, with `good` where nothing else is said.
    private func round(
        _ health: inout EndpointHealth, _ now: inout Instant,
        _ answers: [EndpointHealth.Target: ProbeAnswer]
    ) -> [EndpointHealth.Action] {
        now = now + .seconds(3)
        return health.deadlineReached(at: now).flatMap { action -> [EndpointHealth.Action] in
            guard case .ask(let target, let attempt) = action else { return [action] }
            return health.answered(target, attempt: attempt, answers[target] ?? .good, at: now)
        }
    }

    /// So many endpoints, each at a port of its own.
    private func many(
        _ count: Int, _ settings: ProbeSettings
    ) throws -> [EndpointHealth.Target: ProbeSettings] {
        let address = try #require(IPAddress("198.51.100.1"))
        var targets: [EndpointHealth.Target: ProbeSettings] = [:]
        for port in 1...count {
            targets[.init(service: web, address: address, port: UInt16(port))] = settings
        }
        return targets
    }

    @Test("a dead endpoint is taken out, and in again, and that is told once")
    func out() throws {
        var health = EndpointHealth(seed: 1)
        var now = start
        let (one, two) = (try target("198.51.100.1"), try target("198.51.100.2"))
        #expect(health.nextDeadline == nil)
        health.update([one: ProbeSettings(), two: ProbeSettings()], at: now)
        let actions = round(&health, &now, [one: .refused])
        #expect(actions == [.changed(one, isUp: false, because: .refused)])
        #expect(health.excluded == [web: [one.address]])
        #expect(round(&health, &now, [:]).isEmpty)
        #expect(round(&health, &now, [:]) == [.changed(one, isUp: true, because: .good)])
        #expect(health.excluded.isEmpty)
    }

    @Test("when all of a family are down, all of them stay in, unless that is not wanted")
    func failOpen() throws {
        for failsOpen in [true, false] {
            var health = EndpointHealth(seed: 1)
            var now = start
            let settings = ProbeSettings(failsOpen: failsOpen)
            let (one, two) = (try target("198.51.100.1"), try target("198.51.100.2"))
            let six = try target("2001:db8::1")
            health.update([one: settings, two: settings, six: settings], at: now)
            _ = round(&health, &now, [one: .timedOut, two: .timedOut])
            if failsOpen {
                #expect(health.excluded.isEmpty)
                #expect(health.failingOpen.map(\.family) == [.ipv4])
            } else {
                #expect(health.excluded == [web: [one.address, two.address]])
                #expect(health.failingOpen.isEmpty)
            }
        }
    }

    @Test("Services are judged apart, although they have an endpoint in common")
    func services() throws {
        var health = EndpointHealth(seed: 1)
        var now = start
        let api = ServiceName(namespace: "shop", name: "api")
        let targets = [
            try target("198.51.100.1"), try target("198.51.100.2"),
            try target("198.51.100.1", of: api), try target("198.51.100.2", of: api),
        ]
        health.update(
            Dictionary(uniqueKeysWithValues: targets.map { ($0, ProbeSettings()) }), at: now)
        _ = round(&health, &now, [targets[2]: .status(500)])
        #expect(health.excluded == [api: [targets[2].address]])
    }

    @Test("who stays is remembered over a change of the others; who goes is forgotten")
    func update() throws {
        var health = EndpointHealth(seed: 1)
        var now = start
        let (one, two) = (try target("198.51.100.1"), try target("198.51.100.2"))
        let three = try target("198.51.100.3")
        health.update([one: ProbeSettings(), two: ProbeSettings()], at: now)
        _ = round(&health, &now, [one: .refused])
        health.update([one: ProbeSettings(), three: ProbeSettings()], at: now)
        #expect(health.excluded == [web: [one.address]])
        health.update([three: ProbeSettings()], at: now)
        #expect(health.excluded.isEmpty)
        // It was known for dead, and has to be found so again.
        health.update([one: ProbeSettings(), three: ProbeSettings()], at: now)
        #expect(health.excluded.isEmpty)
    }

    @Test("more endpoints than may be asked count as up, and are counted")
    func bound() throws {
        var health = EndpointHealth(seed: 1)
        health.update(try many(EndpointHealth.maximumTargets + 5, ProbeSettings()), at: start)
        #expect(health.unasked == 5)
        #expect(health.demand == EndpointHealth.maximumTargets / 2)
    }

    @Test("after any answers, nobody is out who is up, and no family is emptied that fails open")
    func property() throws {
        var random = SeededRandom(seed: 11)
        for run in 0..<200 {
            var health = EndpointHealth(seed: UInt64(run))
            var now = start
            var targets: [EndpointHealth.Target: ProbeSettings] = [:]
            for host in 0..<Int.random(in: 1...6, using: &random) {
                let text = Bool.random(using: &random) ? "198.51.100.\(host)" : "2001:db8::\(host)"
                targets[try target(text)] = ProbeSettings(rise: 2, fall: 2)
            }
            health.update(targets, at: now)
            var down: Set<EndpointHealth.Target> = []
            for _ in 0..<20 {
                var answers: [EndpointHealth.Target: ProbeAnswer] = [:]
                for target in targets.keys.sorted() where Bool.random(using: &random) {
                    answers[target] = .refused
                }
                for case .changed(let target, let isUp, _) in round(&health, &now, answers) {
                    if isUp { down.remove(target) } else { down.insert(target) }
                }
                for family in IPAddress.Family.allCases {
                    let members = targets.keys.filter { $0.address.family == family }
                    let out = members.filter {
                        health.excluded[web, default: []].contains($0.address)
                    }
                    #expect(members.isEmpty || out.count < members.count)
                    #expect(down.isSuperset(of: out))
                }
            }
        }
    }
}
