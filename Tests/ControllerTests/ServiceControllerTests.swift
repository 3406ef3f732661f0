import Kubernetes
import LoadBalancing
import Logging
import NetworkTypes
import Synchronization
import Testing

@testable import ClusterSource
@testable import Controller

/// A source in memory: it hands out the states it is given, and takes or refuses writes.
private final class ScriptedSource: SnapshotSource {
    struct Refused: Error {}

    private struct Content {
        var failures = 0
        var attempts = 0
    }

    private let content = Mutex(Content())
    private let subscribers = StateSubscribers()
    /// The batches that were taken, in order.
    let writes: AsyncStream<[StatusUpdate]>
    private let taken: AsyncStream<[StatusUpdate]>.Continuation

    init() { (writes, taken) = AsyncStream.makeStream() }

    var keepsAllocations: Bool { true }
    let writeLimit = Int.max
    var attempts: Int { content.withLock(\.attempts) }

    func run() async throws {}
    func states() -> AsyncStream<ClusterState> { subscribers.subscribe() }
    func publish(_ record: SpeakerRecord?) async throws {}

    func report(_ report: NodeReport) async {}
    func tell(_ events: [ClusterEvent]) async {}

    func write(_ updates: [StatusUpdate]) async throws -> WriteOutcome {
        let isRefused = content.withLock { content in
            content.attempts += 1
            content.failures -= 1
            return content.failures >= 0
        }
        if isRefused { throw Refused() }
        taken.yield(updates)
        return WriteOutcome()
    }

    func refuse(next count: Int) { content.withLock { $0.failures = count } }
    func say(_ state: ClusterState) { subscribers.publish(state) }
    func finish() { subscribers.finish() }
}

@Suite("The controller and its source", .timeLimit(.minutes(1)))
struct ServiceControllerTests {
    private let source = ScriptedSource()

    private var controller: ServiceController {
        ServiceController(
            source: source, scope: ServiceScope(),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            interval: .milliseconds(2), clock: { Instant(nanoseconds: 0) })
    }

    private var state: ClusterState {
        var world = World(IPAddressPool("main", "192.0.2.10-192.0.2.13"))
        world.add(Service("web"))
        return world.state
    }

    private func given(_ updates: [StatusUpdate]?) -> [String]? {
        allocation(updates)?.addresses.map(\.description)
    }

    private func allocation(_ updates: [StatusUpdate]?) -> ServiceAllocation? {
        for case .allocation(_, let allocation?) in updates ?? [] { return allocation }
        return nil
    }

    @Test("a follower decides and writes nothing")
    func follower() async {
        var state = state
        state.isLeader = false
        source.say(state)
        source.finish()
        let controller = controller
        await controller.run()
        #expect(source.attempts == 0)
        #expect(await controller.decisions == nil)
    }

    @Test("the leader writes; the last state is worked through before the controller ends")
    func leader() async {
        source.say(state)
        source.finish()
        await controller.run()
        var writes = source.writes.makeAsyncIterator()
        #expect(given(await writes.next()) == ["192.0.2.10"])
    }

    @Test("a write that fails is made again, Event and all")
    func retry() async {
        source.refuse(next: 3)
        source.say(state)
        let controller = controller
        async let running: Void = controller.run()
        var writes = source.writes.makeAsyncIterator()
        let updates = await writes.next() ?? []
        #expect(source.attempts == 4)
        #expect(given(updates) == ["192.0.2.10"])
        let events = updates.compactMap { if case .event(let event) = $0 { event } else { nil } }
        #expect(events.map(\.reason) == ["IPAllocated"])
        source.finish()
        await running
    }

    @Test("who loses the lead forgets, and who gets it back begins with what is recorded")
    func handOver() async {
        let controller = controller
        async let running: Void = controller.run()
        var writes = source.writes.makeAsyncIterator()
        source.say(state)
        #expect(given(await writes.next()) == ["192.0.2.10"])
        // Another process leads meanwhile, and gives the Service another address.
        var other = state
        other.isLeader = false
        source.say(other)
        while await controller.decisions != nil { await Task.yield() }
        other.isLeader = true
        let given = [IPAddress("192.0.2.13")].compactMap(\.self)
        let name = ObjectName(namespace: "shop", "web")
        other.allocations[name] = ServiceAllocation(addresses: given, pool: "main")
        other.snapshot.services[name]?.ingress = given.map(Service.Ingress.init(address:))
        source.say(other)
        let updates = await writes.next()
        #expect(updates?.isEmpty == false)
        #expect(allocation(updates) == nil)
        #expect(await controller.decisions?.outcomes[name]?.addresses == given)
        source.finish()
        await running
    }

    @Test("a term of another process that nobody saw counts all the same")
    func unseenTerm() async {
        // What is decided cannot be written while the lead is lost and won again.
        source.refuse(next: 1)
        var state = state
        state.term = 1
        let name = ObjectName(namespace: "shop", "web")
        let controller = controller
        source.say(state)
        async let running: Void = controller.run()
        while source.attempts == 0 { await Task.yield() }
        let given = [IPAddress("192.0.2.13")].compactMap(\.self)
        state.term = 2
        state.allocations[name] = ServiceAllocation(addresses: given, pool: "main")
        state.snapshot.services[name]?.ingress = given.map(Service.Ingress.init(address:))
        source.say(state)
        while await controller.decisions?.outcomes[name]?.addresses != given {
            await Task.yield()
        }
        source.finish()
        await running
    }

    @Test("told to stop it decides nothing more, and ends")
    func stops() async {
        let controller = controller
        controller.stop()
        source.say(state)
        await controller.run()
        #expect(source.attempts == 0)
    }
}
