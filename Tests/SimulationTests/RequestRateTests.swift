import Kubernetes
import NetworkTypes
import Testing

/// What a cluster asks of its API server. The figures are printed for `Docs/Measurements.md`.
@Suite("Requests to the API server")
struct RequestRateTests {
    static func world(
        _ speakers: Int, _ adapt: (inout RequestRateWorld.Settings) -> Void = { _ in }
    ) -> RequestRateWorld {
        var settings = RequestRateWorld.Settings(speakers: speakers)
        adapt(&settings)
        return RequestRateWorld(settings)
    }

    static let reads: [RequestRateWorld.Kind] = [.watch, .list]

    @Test(
        "At rest, a node asks less than twice a minute, however many Services there are",
        arguments: [1000, 5000])
    func rest(speakers: Int) {
        let world = Self.world(speakers)
        world.run(for: .seconds(1200))
        let rates = world.rates(of: Self.reads + [.lease], last: 600)
        let mean = Double(rates.reduce(0, +)) / 600
        let leases = Double(world.rates(of: [.lease], last: 600).reduce(0, +)) / 600
        print("\(speakers) speakers at rest: \(mean)/s, at most \(rates.max() ?? 0)/s")
        print("of these for the controllers' Lease: \(leases)/s")
        #expect(world.followed > world.followers.count - 10, "but for those between two watches")
        #expect(mean < Double(speakers) / 30)
        #expect(rates.max() ?? 0 < speakers / 8)
        #expect(leases < 2)
        #expect(world.total(of: .refused) + world.total(of: .tooMany) == 0)
    }

    @Test func `at rest the number of Services costs no request`() {
        let totals = [10, 10_000].map { services in
            let world = Self.world(100) { $0.services = services }
            world.run(for: .seconds(1200))
            return world.total(of: .watch) + world.total(of: .list)
        }
        #expect(totals[0] == totals[1])
    }

    @Test func `a Lease for each node costs a node a request every three seconds`() {
        let world = Self.world(1000) { $0.hasFences = true }
        world.run(for: .seconds(60))
        let rate = Double(world.rates(of: [.lease], last: 30).reduce(0, +)) / 30
        print("1000 speakers with --fencing lease: \(rate)/s for Leases")
        #expect((250...400).contains(rate))
    }

    @Test("After a server's restart all come back, and not all at once", arguments: [1000, 5000])
    func restart(speakers: Int) {
        let world = Self.world(speakers)
        world.run(for: .seconds(120))
        world.isDown = true
        world.breakConnections()
        world.run(for: .seconds(30))
        let refused = world.rates(of: [.refused], last: 30).max() ?? 0
        // It has lost its memory of the past, so everything is listed anew.
        world.isDown = false
        world.passVersions(100)
        world.forgotten = world.version
        var seconds = 0
        while world.followed < world.followers.count, seconds < 120 {
            world.run(for: .seconds(1))
            seconds += 1
        }
        world.run(for: .seconds(10))
        let rates = world.rates(of: Self.reads, last: seconds + 10)
        let peak = rates.max() ?? 0
        print(
            "\(speakers) speakers, restart of 30 s: refused at most \(refused)/s, then at most "
                + "\(peak)/s, \(rates.reduce(0, +)) in all, all follow after \(seconds) s")
        #expect(world.followed == world.followers.count)
        #expect(seconds <= 45)
        // A herd would be everything in one second.
        #expect(peak * 5 < rates.reduce(0, +), "no second has more than a fifth of them all")
        #expect(refused < 10_000, "the first retries alone, all at once, would be 50,000")
        #expect(rates.reduce(0, +) < world.followers.count * 3)
    }

    @Test func `when connections move to another server, they do so over seconds`() {
        let world = Self.world(5000)
        world.run(for: .seconds(60))
        world.breakConnections()
        world.run(for: .seconds(12))
        let rates = world.rates(of: Self.reads, last: 12)
        print("5000 speakers move to another server: at most \(rates.max() ?? 0)/s")
        #expect(world.followed == world.followers.count)
        #expect(rates.reduce(0, +) < world.followers.count + 1000)
        #expect(rates.max() ?? 0 < world.followers.count / 8)
    }

    @Test func `a server that can do little gets all back, by saying so`() {
        let world = Self.world(1000) { $0.capacity = 500 }
        world.run(for: .seconds(60))
        world.breakConnections()
        world.forgotten = world.version + 1
        world.passVersions(10)
        world.run(for: .seconds(180))
        #expect(world.followed == world.followers.count)
        print("1000 speakers, 500/s possible: told to wait \(world.total(of: .tooMany)) times")
        #expect(world.total(of: .tooMany) < world.followers.count * 8)
    }

    @Test func `a server without streaming lists is asked for pages, the big lists in many`() {
        let world = Self.world(100) { $0.knowsStreamingLists = false }
        world.run(for: .seconds(60))
        #expect(world.followed == world.followers.count)
        // 20 pages of Services for each, 20 of slices for each speaker, one for all else.
        #expect(world.total(of: .list) == 100 * (20 + 20 + 8) + 2 * (20 + 9))
        #expect(world.total(of: .watch) == world.followers.count * 2)
    }

    /// 1,000 Services get an address; each is announced by BGP from everywhere, and by ARP from one
    /// node.
    static func massChange(speakers: Int) -> [RequestRateWorld.Kind: Int] {
        let world = world(speakers) { $0.hasStatuses = true }
        for statuses in world.statuses {
            statuses.tell(.sized(nodes: speakers, services: 0))
            statuses.tell(.wanted(.init()))
        }
        world.run(for: .seconds(400))
        let before = Dictionary(
            uniqueKeysWithValues: RequestRateWorld.Kind.allCases.map { ($0, world.total(of: $0)) })
        let start = world.second
        let allocator = RateAllocator(world, services: 1000)
        allocator.start()
        // Those that watches stand for; the version is what matters to a watch.
        for _ in 0..<5 { world.change(.services) }
        let names = (0..<1000).map { ObjectName(namespace: "shop", "service-\($0)") }
        let routes = Dictionary(uniqueKeysWithValues: names.prefix(20).map { ($0, Set(["tor"])) })
        for (number, statuses) in world.statuses.enumerated() {
            let own = names.indices.filter { $0 % speakers == number }.map { names[$0] }
            statuses.tell(.sized(nodes: speakers, services: 1000))
            statuses.tell(
                .wanted(
                    .init(
                        interfaces: Dictionary(
                            uniqueKeysWithValues: own.map { ($0, Set(["eth0"])) }),
                        peers: routes)))
        }
        world.run(for: .seconds(180))
        print(
            "\(speakers) speakers, 1000 Services change: all written after "
                + "\(allocator.doneAt.map { "\($0 - Instant(nanoseconds: 0))" } ?? "never") "
                + "(from \(start) s), statuses at most "
                + "\(world.rates(of: [.status], last: 180).max() ?? 0)/s")
        return Dictionary(
            uniqueKeysWithValues: RequestRateWorld.Kind.allCases.map {
                ($0, world.total(of: $0) - (before[$0] ?? 0))
            })
    }

    @Test func `a mass change costs requests by its Services, not by its nodes`() {
        let few = Self.massChange(speakers: 1000)
        let many = Self.massChange(speakers: 5000)
        print("requests in three minutes with 1000 speakers: \(few), with 5000: \(many)")
        for requests in [few, many] {
            #expect(requests[.allocation] == 1000, "one write for each Service")
            #expect(requests[.status, default: 0] <= 2000)
            #expect(requests[.status, default: 0] >= 1000)
            #expect(requests[.list] == 0)
        }
        #expect(few[.status] == many[.status])
    }
}

/// A controller that writes addresses as its budget admits them.
final class RateAllocator {
    private unowned let world: RequestRateWorld
    private var budget: RequestBudget
    private var waiting: Int
    private var open: Int
    private(set) var doneAt: Instant?

    init(_ world: RequestRateWorld, services: Int) {
        self.world = world
        waiting = services
        open = services
        let settings = RequestBudget.Settings(rate: 400, burst: 400, inFlight: 32)
        budget = RequestBudget(settings, seed: 7, at: world.now)
    }

    func start() {
        while waiting > 0, budget.admit(.allocation, at: world.now) {
            waiting -= 1
            world.ask(.allocation) { [self] failure in
                budget.finished(
                    .allocation, failure.map { .failed($0) } ?? .answered, at: world.now)
                if failure == nil { open -= 1 } else { waiting += 1 }
                if open == 0 { doneAt = world.now }
                start()
            }
        }
        guard waiting > 0, let deadline = budget.nextDeadline else { return }
        world.schedule(after: deadline - world.now) { [self] in start() }
    }
}
