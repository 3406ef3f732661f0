import Layer2
import LoadBalancing
import Membership
import NetworkTypes

/// Many speakers made of the real machines, on a virtual LAN and with virtual datagrams between
/// them, under one clock and from one seed.
///
/// Nothing here knows the time of day or a random source: two simulations of equal settings do
/// exactly the same. What happens to the cluster is scripted from outside, as in
///
/// ```
/// let world = Simulation(.init(seed: 7, nodes: 5))
/// world.run(for: .seconds(2))
/// world.kill(0)
/// world.run(for: .seconds(1))
/// ```
///
/// and ``judge`` watches all the while. Bounds: queues of paused processes hold
/// ``SimulatedSpeaker/maximumBacklog`` inputs each, as socket buffers would, and drop the rest.
package final class Simulation {
    /// What a simulation is made of.
    package struct Settings: Sendable {
        /// From which all chance comes.
        package var seed: UInt64
        /// How many nodes.
        package var nodes: Int
        /// How many addresses the Services have, of both families in turn.
        package var addresses: Int
        /// Whether addresses are probed for before their first use.
        package var detectsConflicts = true
        /// When addresses go back.
        package var preemption = Preemption.never
        /// How many hosts use the addresses.
        package var clients = 1
        /// How often each of them asks, for one address after the other.
        package var askInterval = Duration.milliseconds(10)
        /// How often the judge looks.
        package var inspection = Duration.milliseconds(5)
        /// Whether the nodes' clocks differ, by up to an hour and 100 parts in a million.
        package var skewsClocks = true
        /// How late a thread of a well node runs at most.
        package var lateness = Duration.microseconds(80)
        /// Lines of trace to keep.
        package var traceCapacity = 400
        /// Whether the processes begin with the memory of claims, as after a restart of all;
        /// otherwise nobody has ever claimed anything.
        package var beginsSettled = false
        /// How many nodes these claims are handed out to, evenly; `nil`: to all.
        package var carriers: Int?
        /// From the start of one node to that of the next. Many nodes that start in one instant are
        /// a storm that no real cluster sees.
        package var startSpacing = Duration.zero
        /// Nothing is elected before this: clusters of many nodes find together more quickly so.
        package var firstDecision = Instant(nanoseconds: 0)
        /// Whether the nodes watch each other's addresses.
        package var watchesAnswers = true

        /// Settings; left out, three nodes with two addresses each.
        package init(seed: UInt64 = 1, nodes: Int = 3, addresses: Int? = nil) {
            self.seed = seed
            self.nodes = nodes
            self.addresses = addresses ?? nodes * 2
        }
    }

    /// Something that is scheduled.
    enum Happening {
        case datagram([UInt8], from: Int, to: Int)
        /// ICMP destination unreachable, code 3 or 1.
        case unreachable(at: Int, boot: UInt32, destination: Int, isPort: Bool)
        case frame(VirtualLAN.Transit)
        case wake(node: Int, boot: UInt32, SimulatedSpeaker.Worker)
        case mail(node: Int, boot: UInt32, SimulatedSpeaker.Worker)
        case translation(node: Int, boot: UInt32)
        case client(Int)
        case inspection
        case script((Simulation) -> Void)
    }

    /// What it is made of.
    package let settings: Settings
    /// The time of the simulation; it begins at zero.
    package private(set) var now = Instant(nanoseconds: 0)
    /// All chance.
    package var random: SeededRandom
    /// The wire.
    package var lan = VirtualLAN()
    /// The datagrams.
    package var gossip = VirtualGossip()
    /// The nodes. A node's number is its port of the LAN; the clients' follow.
    package private(set) var speakers: [SimulatedSpeaker] = []
    /// The hosts that use the addresses.
    package internal(set) var clients: [VirtualClient] = []
    /// The addresses of the Services, ascending.
    package let addresses: [IPAddress]
    /// What the API server says.
    package var cluster: ClusterFacts
    /// Watches what must hold.
    package let judge: Judge
    /// What happened last.
    package var trace: Trace
    var schedule = Schedule<Happening>()
    /// Wake-ups in the schedule that came to be planned for an earlier time.
    var staleWakes = 0
    /// Whether datagrams are cut where frames are not, or the other way round.
    var hasCutsOfOneKind = false
    private(set) var nodeOfEndpoint: [IPAddress: Int] = [:]

    /// A cluster whose nodes all start now.
    package init(_ settings: Settings) {
        precondition(settings.nodes > 0 && settings.nodes <= Cast.maximumNodes)
        self.settings = settings
        random = SeededRandom(seed: settings.seed)
        addresses = Cast.serviceAddresses(settings.addresses)
        cluster = ClusterFacts(
            nodes: (0..<settings.nodes).map(Cast.name), addresses: addresses,
            detectsConflicts: settings.detectsConflicts, preemption: settings.preemption)
        judge = Judge(addresses: addresses, nodes: settings.nodes, clients: settings.clients)
        trace = Trace(capacity: settings.traceCapacity)
        for index in 0..<settings.nodes {
            let clock =
                settings.skewsClocks
                ? NodeClock(
                    start: Int64(random.below(3_600_000_000_000)),
                    partsPerMillion: Int64(random.below(201)) - 100)
                : NodeClock(start: 1_000_000_000)
            speakers.append(SimulatedSpeaker(index: index, clock: clock, world: self))
            nodeOfEndpoint[Cast.nodeAddress(index)] = index
        }
        for number in 0..<settings.clients { addClient(number) }
        if settings.beginsSettled { handOutClaims() }
        for index in speakers.indices {
            if settings.startSpacing == .zero {
                start(index)
            } else {
                after(settings.startSpacing * index) { $0.start(index) }
            }
        }
        schedule.add(.inspection, at: now + settings.inspection)
    }

    private func addClient(_ number: Int) {
        clients.append(
            VirtualClient(
                port: settings.nodes + number, hardware: Cast.clientHardware(number),
                own: Cast.clientAddresses(number), addresses: addresses,
                interval: settings.askInterval,
                start: now + random.duration(below: settings.askInterval)))
        schedule.add(.client(number), at: clients[number].nextDeadline)
    }

    private func handOutClaims() {
        for (number, address) in addresses.enumerated() {
            speakers[number % (settings.carriers ?? settings.nodes)].disk[address] = 1
        }
    }

    /// How much is scheduled that will lead to something.
    package var pending: Int { schedule.count - staleWakes }

    // MARK: Time

    /// Goes on for a while.
    package func run(for duration: Duration) { run(until: now + duration) }

    /// Goes on until `end`.
    package func run(until end: Instant) {
        while let next = schedule.pop(until: end) {
            now = max(now, next.time)
            happen(next.happening)
        }
        now = max(now, end)
    }

    /// Goes on until something is so, at most for `limit`; how long that took, `nil` if it never
    /// was. Looks after everything that happens.
    package func run(
        atMost limit: Duration, until condition: (Simulation) -> Bool
    ) -> Duration? {
        let begin = now
        while !condition(self) {
            guard let next = schedule.pop(until: begin + limit) else {
                now = begin + limit
                return nil
            }
            now = max(now, next.time)
            happen(next.happening)
        }
        return now - begin
    }

    /// Does something later.
    package func after(_ delay: Duration, _ script: @escaping (Simulation) -> Void) {
        schedule.add(.script(script), at: now + delay)
    }

    private func happen(_ happening: Happening) {
        switch happening {
        case .datagram(let bytes, let from, let to): arrive(bytes, from: from, to: to)
        case .unreachable(let node, let boot, let destination, let isPort):
            let there = SocketAddress(Cast.nodeAddress(destination), port: Cast.gossipPort)
            speakers[node].receive(
                isPort ? .portUnreachable(there) : .hostUnreachable(there), on: .gossip, boot: boot)
        case .frame(let transit): arrive(transit)
        case .wake(let node, let boot, let worker): speakers[node].wake(worker, boot: boot)
        case .mail(let node, let boot, let worker):
            speakers[node].readMail(worker, boot: boot)
        case .translation(let node, let boot):
            speakers[node].receive(.cluster, on: .tenure, boot: boot)
        case .client(let number): ask(number)
        case .inspection:
            judge.inspect(self)
            schedule.add(.inspection, at: now + settings.inspection)
        case .script(let script): script(self)
        }
    }
}
