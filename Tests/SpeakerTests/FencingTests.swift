import ClusterSource
import Kubernetes
import LinuxNetwork
import LoadBalancing
import Logging
import NetworkTypes
import Synchronization
import Testing

@testable import Speaker

@Suite("Nodes that answer only with a fresh Lease, in a model of the world")
struct FencedWorldTests {
    private func disturb(_ world: inout FencedWorld) {
        for _ in 0..<30 {
            let name = world.names[Int.random(in: 0..<world.names.count, using: &world.random)]
            switch Int.random(in: 0..<9, using: &world.random) {
            case 0: world.kill(name)
            case 1: if world.nodes[name]?.isUp == false { world.start(name) }
            case 2, 3:
                var sides: [String: Int] = [:]
                for name in world.names {
                    sides[name] = Int.random(in: 0...1, using: &world.random)
                }
                world.split(sides)
            case 4: world.split(world.sides.mapValues { _ in 0 })
            case 5: world.cutFromServer.insert(name)
            case 6: world.cutFromServer = []
            case 7:
                let length = Int.random(in: 50...25_000, using: &world.random)
                world.nodes[name]?.sleepsUntil = world.now + .milliseconds(length)
            default: world.toggleDrain(name)
            }
            world.run(for: .milliseconds(Int.random(in: 10...9_000, using: &world.random)))
        }
    }

    @Test(
        "no two nodes that are cut off from each other ever answer for one address",
        arguments: UInt64(0)..<10)
    func neverTwo(_ seed: UInt64) {
        var world = FencedWorld(seed: seed, count: 3)
        world.run(for: .seconds(15))
        disturb(&world)
        #expect(world.violations.isEmpty, "\(world.violations.prefix(3))")
        #expect(world.longestOverlap <= .milliseconds(100))
        #expect(world.answers > 0)
    }

    @Test("when all is well again every address is answered for, once", arguments: UInt64(0)..<6)
    func somebodyAnswers(_ seed: UInt64) {
        var world = FencedWorld(seed: 50 + seed, count: 3)
        world.run(for: .seconds(5))
        disturb(&world)
        world.heal()
        world.run(for: .seconds(40))
        // Of lost requests some Lease may just have lapsed.
        var isWell = false
        for _ in 0..<400 where !isWell {
            world.run(for: .milliseconds(50))
            isWell = FencedWorld.addresses.allSatisfy { address in
                world.names.count { world.isAnswering($0, address) } == 1
            }
        }
        #expect(isWell)
    }

    @Test("a node that dies is replaced once its Lease has run out, and not before")
    func takeover() {
        var world = FencedWorld(seed: 7, count: 2)
        world.run(for: .seconds(20))
        let lost = FencedWorld.addresses.filter { world.isAnswering("n0", $0) }
        let died = world.now
        world.kill("n0")
        while !lost.allSatisfy({ world.isAnswering("n1", $0) }), world.now < died + .seconds(60) {
            world.run(for: .milliseconds(100))
        }
        #expect(!lost.isEmpty)
        #expect(world.now - died > .seconds(6), "from its last renewal, ten seconds")
        #expect(world.now - died < .seconds(30))
    }
}

@Suite("The fence of the permit")
struct AnsweringFenceTests {
    private let never = Instant(nanoseconds: .min)
    private let later = Instant(nanoseconds: .max)

    @Test("an answer needs both bounds")
    func both() {
        let permit = AnsweringPermit(isFenced: true)
        permit.until = later
        #expect(permit.until == never)
        let soon = MonotonicClock.now() + .seconds(60)
        permit.fenceUntil = soon
        #expect(permit.until == soon)
        permit.until = never
        #expect(permit.until == never)
    }

    @Test("the suspension of one bound is not ended by what ends the other's")
    func suspensions() {
        let permit = AnsweringPermit(until: later, isFenced: true)
        permit.fenceUntil = later
        let gossip = permit.suspend()
        let fence = permit.suspendFence()
        permit.clear(gossip)
        #expect(permit.until == never)
        permit.clearFence(fence)
        #expect(permit.until == later)
    }

    @Test("a fence that is back after it had run out is a return, and wakes who waits")
    func returns() {
        let permit = AnsweringPermit(until: later, isFenced: true)
        let wakes = Atomic(0)
        _ = permit.register { wakes.add(1, ordering: .relaxed) }
        let before = permit.returns
        permit.fenceUntil = MonotonicClock.now() + .seconds(60)
        #expect(permit.returns > before)
        #expect(wakes.load(ordering: .relaxed) == 1)
    }

    @Test("where nobody needs a Lease there is no second bound")
    func unfenced() {
        let permit = AnsweringPermit()
        permit.until = later
        #expect(permit.until == later)
    }
}

/// Leases in memory, with a server that can be made to fail.
private final class LeasesOfTest: NodeLeases {
    struct Content {
        var records: [String: LeaseRecord] = [:]
        var version = 0
        var isAway = false
        var reads = 0
    }

    struct Away: Error {}

    let content = Mutex(Content())

    func renew(node: String, duration: Duration) async throws {
        try content.withLock { content in
            if content.isAway { throw Away() }
            content.version += 1
            content.records[node] = LeaseRecord(
                holder: node, durationSeconds: Int(duration.components.seconds),
                resourceVersion: "\(content.version)")
        }
    }

    func release(node: String) async throws {
        content.withLock { $0.records[node]?.holder = "" }
    }

    func read(node: String) async throws -> LeaseRecord? {
        try content.withLock { content in
            if content.isAway { throw Away() }
            content.reads += 1
            return content.records[node]
        }
    }

    func readAll() async throws -> [String: LeaseRecord] {
        try content.withLock { content in
            if content.isAway { throw Away() }
            content.reads += 1
            return content.records
        }
    }
}

@Suite("The keeper of a node's Lease")
struct FenceSpeakerTests {
    private let leases = LeasesOfTest()
    private let permit = AnsweringPermit(until: Instant(nanoseconds: .max), isFenced: true)

    private func running(
        _ body: @escaping @Sendable (FenceSpeaker, Told<TenureMail>) async throws -> Void
    ) async throws {
        let told = Told<TenureMail>()
        let permit = permit
        let speaker = FenceSpeaker(
            node: "n1", settings: FencingSettings(leases: leases, duration: .seconds(1)),
            permit: permit,
            tell: { edit in
                var mail = TenureMail()
                edit(&mail)
                told.note(mail)
                // As the thread does that decides.
                if let suspension = mail.fenceSuspension { permit.clearFence(suspension) }
            })
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await speaker.run() }
            try await body(speaker, told)
            group.cancelAll()
        }
    }

    @Test("it renews the Lease, and the permit reaches ahead of now as long as that works")
    func fresh() async throws {
        let (leases, permit) = (leases, permit)
        try await running { (_, told) async throws -> Void in
            #expect(try await comesTrue { permit.until > MonotonicClock.now() })
            #expect(told.all.last?.fence?.session == 1)
            let first = leases.content.withLock { $0.version }
            #expect(try await comesTrue { leases.content.withLock { $0.version } >= first + 3 })
            #expect(permit.fenceUntil - MonotonicClock.now() < .milliseconds(901))
        }
        #expect(permit.until == Instant(nanoseconds: .min), "and ends with it")
    }

    @Test("when the server is away the permit runs out by itself, and comes back in a new session")
    func away() async throws {
        let (leases, permit) = (leases, permit)
        try await running { (speaker, told) async throws -> Void in
            #expect(try await comesTrue { permit.until > MonotonicClock.now() })
            leases.content.withLock { $0.isAway = true }
            #expect(try await comesTrue { permit.until <= MonotonicClock.now() })
            #expect(try await comesTrue { told.all.last?.fence == Tenure.Fence() })
            #expect(speaker.report.trouble != nil)
            leases.content.withLock { $0.isAway = false }
            #expect(try await comesTrue { permit.until > MonotonicClock.now() })
            #expect(told.all.contains { $0.fence?.session ?? 0 > 1 && $0.fenceSuspension != nil })
        }
    }

    @Test("a node is found silent when its Lease is released, or stays as it is")
    func silence() async throws {
        let leases = leases
        leases.content.withLock { content in
            for name in ["gone", "left"] {
                content.records[name] = LeaseRecord(
                    holder: name == "left" ? "" : name, durationSeconds: 1, resourceVersion: "1")
            }
        }
        try await running { (speaker, told) async throws -> Void in
            #expect(try await comesTrue { told.all.last?.fence?.session != nil })
            #expect(leases.content.withLock { $0.reads } == 0, "nobody waits for anything yet")
            speaker.awaitSilence(of: ["gone", "left"])
            #expect(try await comesTrue { told.all.last?.fence?.silent == ["left"] })
            #expect(try await comesTrue { told.all.last?.fence?.silent == ["gone", "left"] })
        }
    }

    @Test("at the end it releases the Lease")
    func release() async throws {
        let leases = leases
        try await running { (speaker, _) async throws -> Void in
            #expect(try await comesTrue { leases.content.withLock { $0.version > 0 } })
            await speaker.release()
        }
        #expect(leases.content.withLock { $0.records["n1"]?.isReleased } == true)
    }

    @Test("fencing without gossip is refused with the way out")
    func withoutGossip() {
        #expect(throws: FencingNeedsGossip.self) {
            _ = try NodeSpeaker(
                settings: NodeSpeaker.Settings(
                    node: "n1", scope: ServiceScope(), fencing: FencingSettings(leases: leases)),
                source: SourceOfTest(ClusterState()), dataplane: nil, keepsDataplane: false,
                logger: .init(label: "test"))
        }
    }
}
