import Layer2
import LoadBalancing
import Membership
import NetworkTypes

/// One life of a speaker's process: the real machines, wired as the real shell wires them.
///
/// The threads are what a machine's shell is: they hand inputs to their machine, one after the
/// other, and post what it wants done to the others. Between threads mail takes a little time.
/// Authority and reassessment are read as the shell reads them, without mail.
package final class SpeakerProcess {
    /// What a thread is handed.
    enum Input {
        // The gossip's thread.
        case datagram([UInt8], from: Int)
        case portUnreachable(SocketAddress)
        case hostUnreachable(SocketAddress)
        case entries([(key: [UInt8], value: [UInt8]?)])
        case goodbye
        // The tenure's thread.
        case cluster
        case liveness([String: NodeFacts.Liveness])
        case claims(node: String, [IPAddress: UInt64?])
        case forgotten(String)
        case assessed
        case isolated(Bool)
        case tenure(Tenure.Event)
        case found(IPAddress, AnswerWatch.Verdict)
        // The interface's thread.
        case frame([UInt8])
        case announcer([Announcer.Event])
        case watch([IPAddress: Set<MACAddress>])
    }

    private struct WorkerState {
        var backlog: [Input] = []
        var dropped = 0
        var wakesAt: Instant?
        /// The deadline that the next turn has been planned for.
        var plannedFor: Instant?
        var mailbox: [Input] = []
    }

    unowned let node: SimulatedSpeaker
    unowned let world: Simulation
    /// Which start of the node's process this is.
    package let boot: UInt32
    /// Who lives.
    package internal(set) var agent: MembershipAgent
    /// What is announced here.
    package internal(set) var tenure: Tenure
    /// The interface.
    package internal(set) var announcer: Announcer
    /// The watch over the others' addresses.
    package internal(set) var watch: AnswerWatch
    /// What the others say of themselves.
    var members: [String: MemberStatements] = [:]
    /// Whether the agent has found out who lives; nothing is decided before.
    package internal(set) var isAssessed = false
    var base: ClusterFacts?
    /// Whether a new base is on its way.
    var isTranslating = false
    var liveness: [String: NodeFacts.Liveness] = [:]
    var claims: [String: [IPAddress: UInt64]] = [:]
    var stations: [MACAddress: String] = [:]
    /// Addresses for which nobody answers, as the watch found.
    var ownDisputes: [IPAddress: Claim] = [:]
    var isIsolated = false
    var shownIsolation: Instant?
    var wasAuthorized = false
    var outbox: [SimulatedSpeaker.Worker: [Input]] = [:]
    /// The addresses for which questions are answered.
    package internal(set) var answering: Set<IPAddress> = []
    /// Whether the process was asked to end.
    package internal(set) var isTerminating = false
    private var workers = Array(
        repeating: WorkerState(), count: SimulatedSpeaker.Worker.allCases.count)

    init(_ node: SimulatedSpeaker, boot: UInt32) {
        self.node = node
        self.boot = boot
        world = node.world
        let now = node.localNow
        let wallClock =
            1_800_000_000_000_000_000 + world.now.nanoseconds
            + node.wallClockError.wholeNanoseconds
        agent = MembershipAgent(
            MembershipAgent.Settings(
                name: node.name, incarnation: UInt64(max(wallClock, 1)),
                seed: world.random.next(), port: Cast.gossipPort), at: now)
        tenure = Tenure(node: node.name)
        announcer = Announcer(interface: Cast.interface, macAddress: node.hardware)
        watch = AnswerWatch(macAddress: node.hardware)
    }

    /// The first things that a process does.
    func begin() {
        let seeds = world.speakers.filter { $0.index != node.index }.map {
            Seed(name: $0.name, address: SocketAddress($0.hostAddresses[0], port: Cast.gossipPort))
        }
        perform(agent.handle(.seedsChanged(seeds), at: node.localNow))
        publishStatements()
        turn(.wire) {
            $0.perform(
                $0.announcer.handle(
                    .ownAddressesChanged($0.node.hostAddresses), at: $0.node.localNow))
        }
        if !node.disk.isEmpty { post(.tenure(.claimsRestored(node.disk)), to: .tenure) }
        flush()
        clusterChanged()
        for worker in SimulatedSpeaker.Worker.allCases { settle(worker) }
    }

    /// Everything that the process was is gone.
    func end() {
        world.staleWakes += workers.count { $0.wakesAt != nil }
        for address in answering { world.judge.ended(address, at: node.index, now: world.now) }
        answering = []
    }

    // MARK: Threads

    func receive(_ input: Input, on worker: SimulatedSpeaker.Worker) {
        let isLate = node.lateness > world.settings.lateness
        guard node.isPaused || isLate || !workers[worker.rawValue].backlog.isEmpty else {
            turn(worker) { $0.take(input) }
            return
        }
        guard workers[worker.rawValue].backlog.count < SimulatedSpeaker.maximumBacklog else {
            workers[worker.rawValue].dropped += 1
            return
        }
        workers[worker.rawValue].backlog.append(input)
        if !node.isPaused {
            wake(worker, at: world.now + world.random.duration(below: node.lateness))
        }
    }

    /// Lets the thread run at `time`, unless it runs earlier anyway.
    func wake(_ worker: SimulatedSpeaker.Worker, at time: Instant) {
        if let planned = workers[worker.rawValue].wakesAt {
            if planned <= time { return }
            world.staleWakes += 1
        }
        workers[worker.rawValue].wakesAt = time
        world.schedule.add(.wake(node: node.index, boot: boot, worker), at: time)
    }

    /// After a pause nothing that was planned before counts any more.
    func resume(_ worker: SimulatedSpeaker.Worker, at time: Instant) {
        if workers[worker.rawValue].wakesAt != nil { world.staleWakes += 1 }
        workers[worker.rawValue].wakesAt = nil
        wake(worker, at: time)
    }

    /// The scheduler lets the thread run: first the queue, then what is due. False when it has been
    /// woken earlier instead.
    func woken(_ worker: SimulatedSpeaker.Worker) -> Bool {
        guard workers[worker.rawValue].wakesAt == world.now else { return false }
        workers[worker.rawValue].wakesAt = nil
        workers[worker.rawValue].plannedFor = nil
        turn(worker) { process in
            let backlog = process.workers[worker.rawValue].backlog
            process.workers[worker.rawValue].backlog = []
            for input in backlog { process.take(input) }
            process.runDue(worker)
        }
        return true
    }

    /// One turn of a thread: what it posts leaves at the end.
    private func turn(
        _ worker: SimulatedSpeaker.Worker, _ body: (SpeakerProcess) -> Void
    ) {
        body(self)
        if worker == .gossip { showHealth() }
        flush()
        settle(worker)
    }

    func post(_ input: Input, to worker: SimulatedSpeaker.Worker) {
        outbox[worker, default: []].append(input)
    }

    /// What is posted is in the mailbox at once; the thread that it is for wakes a little later.
    func flush() {
        guard !outbox.isEmpty else { return }
        for worker in SimulatedSpeaker.Worker.allCases {
            guard let inputs = outbox[worker] else { continue }
            workers[worker.rawValue].mailbox += inputs
            world.schedule.add(
                .mail(node: node.index, boot: boot, worker),
                at: world.now + world.random.duration(below: world.settings.lateness))
        }
        outbox = [:]
    }

    func takeMail(of worker: SimulatedSpeaker.Worker) -> [Input] {
        defer { workers[worker.rawValue].mailbox = [] }
        return workers[worker.rawValue].mailbox
    }

    /// Plans the thread's next turn.
    private func settle(_ worker: SimulatedSpeaker.Worker) {
        guard let deadline = deadline(worker), workers[worker.rawValue].plannedFor != deadline,
            let due = node.clock.world(deadline)
        else { return }
        workers[worker.rawValue].plannedFor = deadline
        if let planned = workers[worker.rawValue].wakesAt, planned <= max(due, world.now) {
            return
        }
        wake(worker, at: max(due, world.now) + world.random.duration(below: node.lateness))
    }

    private func deadline(_ worker: SimulatedSpeaker.Worker) -> Instant? {
        switch worker {
        case .gossip: agent.nextDeadline
        case .tenure: tenure.nextDeadline
        case .wire:
            [announcer.nextDeadline, watch.nextDeadline].compactMap { $0 }.min()
        }
    }

    private func runDue(_ worker: SimulatedSpeaker.Worker) {
        let now = node.localNow
        guard let deadline = deadline(worker), deadline <= now else { return }
        switch worker {
        case .gossip: perform(agent.handle(.deadlineReached, at: now))
        case .tenure: perform(tenure.handle(.deadlineReached, at: now))
        case .wire: runWire(at: now)
        }
    }

    private func take(_ input: Input) {
        switch input {
        case .datagram, .portUnreachable, .hostUnreachable, .entries, .goodbye:
            takeGossip(input)
        case .cluster, .liveness, .claims, .forgotten, .assessed, .isolated, .tenure,
            .found:
            takeTenure(input)
        case .frame, .announcer, .watch:
            takeWire(input)
        }
    }

    /// How much waits in the queues, and how much was dropped because they were full.
    package var backlog: (waiting: Int, dropped: Int) {
        workers.reduce((0, 0)) { ($0.0 + $1.backlog.count, $0.1 + $1.dropped) }
    }
}
