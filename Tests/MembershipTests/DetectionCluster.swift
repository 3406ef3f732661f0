import Membership
import NetworkTypes

/// Several agents on a virtual network with one virtual clock and one seed: links with delay, loss
/// and one-way cuts, processes that die, hosts that die, pauses and stalls.
final class DetectionCluster {
    struct Node {
        var name: String
        var address: SocketAddress
        var agent: MembershipAgent
        var incarnation: UInt64
        var isRunning = true
        var isHostUp = true
        var pausedUntil: Instant?
        /// What waits in the socket while the process does not run.
        var inbox: [MembershipAgent.Event] = []
        var scheduled: Instant?
        var changes: [MemberChange] = []
        var troubles: [Trouble] = []
        var forgotten: [String] = []
        /// The others' entries as the actions tell them.
        var entries: [String: [[UInt8]: [UInt8]]] = [:]
        var seeds: [Seed] = []
    }

    struct Link: Hashable {
        var from: Int
        var to: Int
    }

    enum Happening {
        case arrival(MembershipAgent.Event, at: Int)
        case wake(Int)
        case resume(Int)
        case stall(Int)
    }

    static let start = Instant(nanoseconds: 1_000_000_000_000)
    static let boot: UInt64 = 1_800_000_000_000_000_000

    private(set) var now = DetectionCluster.start
    var nodes: [Node] = []
    var loss = 0.0
    var lossOf: [Link: Double] = [:]
    var cuts: Set<Link> = []
    /// One way, in microseconds.
    var delay = 80...250
    private var stalls: [Int: ClosedRange<Int>] = [:]
    private var byAddress: [SocketAddress: Int] = [:]
    private var queue = TestHeap<Happening>()
    private var random: TestRandom
    let seed: UInt64

    /// Starts `count` nodes at once, each with all others, or the first few, as seeds.
    init(_ count: Int, seed: UInt64 = 1, seedsEach: Int = 5) {
        self.seed = seed
        random = TestRandom(state: seed)
        for index in 0..<count { add("node-\(index)") }
        for index in 0..<count {
            let seeds = (0..<count).filter { $0 != index }.prefix(seedsEach)
            give(index, seeds: Array(seeds))
        }
    }

    static func address(_ index: Int) -> SocketAddress {
        SocketAddress(IPAddress(ipv4: 0xc612_0001 + UInt32(index)), port: 7481)
    }

    @discardableResult
    func add(_ name: String) -> Int {
        let index = nodes.count
        let address = Self.address(index)
        let incarnation = Self.boot + UInt64(index)
        nodes.append(
            Node(
                name: name, address: address, agent: agent(name, incarnation),
                incarnation: incarnation))
        byAddress[address] = index
        schedule(index)
        return index
    }

    private func agent(_ name: String, _ incarnation: UInt64) -> MembershipAgent {
        MembershipAgent(
            .init(name: name, incarnation: incarnation, seed: random.next()), at: now)
    }

    func give(_ index: Int, seeds: [Int], named: Bool = true) {
        nodes[index].seeds = seeds.map {
            Seed(name: named ? nodes[$0].name : nil, address: nodes[$0].address)
        }
        handle(.seedsChanged(nodes[index].seeds), at: index)
    }

    // MARK: Faults

    /// The process dies; its host answers for it.
    func kill(_ index: Int) {
        nodes[index].isRunning = false
        nodes[index].inbox = []
    }

    func powerOff(_ index: Int) {
        kill(index)
        nodes[index].isHostUp = false
    }

    /// Starts the process anew, by default with a clock that went on.
    func restart(_ index: Int, incarnation: UInt64? = nil) {
        let elapsed = UInt64(now.nanoseconds - Self.start.nanoseconds)
        nodes[index].incarnation = incarnation ?? Self.boot + elapsed
        nodes[index].agent = agent(nodes[index].name, nodes[index].incarnation)
        nodes[index].isRunning = true
        nodes[index].isHostUp = true
        nodes[index].scheduled = nil
        nodes[index].entries = [:]
        schedule(index)
        handle(.seedsChanged(nodes[index].seeds), at: index)
    }

    func pause(_ index: Int, milliseconds: Int) {
        let end = now + .milliseconds(milliseconds)
        if let until = nodes[index].pausedUntil, until >= end { return }
        nodes[index].pausedUntil = end
        queue.push(.resume(index), at: end)
    }

    /// Makes the process stop for random times, over and over.
    func stall(_ index: Int, milliseconds: ClosedRange<Int>) {
        stalls[index] = milliseconds
        queue.push(.stall(index), at: now)
    }

    func cut(_ from: some Sequence<Int>, _ to: some Sequence<Int>, bothWays: Bool = true) {
        let targets = Array(to)
        for source in from {
            for target in targets {
                cuts.insert(Link(from: source, to: target))
                if bothWays { cuts.insert(Link(from: target, to: source)) }
            }
        }
    }

    // MARK: Time

    func run(milliseconds: Int) { run(until: now + .milliseconds(milliseconds)) }

    func run(until end: Instant) {
        while let (at, happening) = queue.popFirst(until: end) {
            now = max(now, at)
            switch happening {
            case .arrival(let event, let index): handle(event, at: index)
            case .wake(let index):
                nodes[index].scheduled = nil
                if let deadline = nodes[index].agent.nextDeadline, deadline <= now {
                    handle(.deadlineReached, at: index)
                } else {
                    schedule(index)
                }
            case .resume(let index): resume(index)
            case .stall(let index):
                guard let range = stalls[index] else { continue }
                let length = Int.random(in: range, using: &random)
                pause(index, milliseconds: length)
                let next = length + Int.random(in: 5...60, using: &random)
                queue.push(.stall(index), at: now + .milliseconds(next))
            }
        }
        now = end
    }

    /// Runs until `isDone`, looking every millisecond; returns the time it took, `nil` when the
    /// limit came first.
    func run(limit milliseconds: Int, until isDone: () -> Bool) -> Int? {
        for elapsed in 0...milliseconds {
            if isDone() { return elapsed }
            run(milliseconds: 1)
        }
        return nil
    }

    func handle(_ event: MembershipAgent.Event, at index: Int) {
        guard nodes[index].isRunning else { return }
        if nodes[index].pausedUntil != nil {
            if case .deadlineReached = event { return }
            if nodes[index].inbox.count < 256 { nodes[index].inbox.append(event) }
            return
        }
        let actions = nodes[index].agent.handle(event, at: now)
        perform(actions, of: index)
        schedule(index)
    }

    private func resume(_ index: Int) {
        guard let until = nodes[index].pausedUntil, until <= now else { return }
        nodes[index].pausedUntil = nil
        let waiting = nodes[index].inbox
        nodes[index].inbox = []
        for event in waiting { handle(event, at: index) }
        if let deadline = nodes[index].agent.nextDeadline, deadline <= now {
            handle(.deadlineReached, at: index)
        }
    }

    private func schedule(_ index: Int) {
        guard let deadline = nodes[index].agent.nextDeadline else { return }
        if let scheduled = nodes[index].scheduled, scheduled <= deadline { return }
        nodes[index].scheduled = deadline
        queue.push(.wake(index), at: deadline)
    }

    private func perform(_ actions: [MembershipAgent.Action], of index: Int) {
        for action in actions {
            switch action {
            case .send(let bytes, let destination): send(bytes, from: index, to: destination)
            case .memberChanged(let change): nodes[index].changes.append(change)
            case .entriesChanged(let name, let changes):
                for change in changes {
                    nodes[index].entries[name, default: [:]][change.key] = change.value
                }
            case .nodeForgotten(let name):
                nodes[index].forgotten.append(name)
                nodes[index].entries[name] = nil
            case .trouble(let trouble): nodes[index].troubles.append(trouble)
            }
        }
    }

    private func isLost(_ from: Int, _ to: Int) -> Bool {
        let link = Link(from: from, to: to)
        if cuts.contains(link) { return true }
        let loss = lossOf[link] ?? loss
        return loss > 0 && Double.random(in: 0..<1, using: &random) < loss
    }

    private func send(_ bytes: [UInt8], from index: Int, to destination: SocketAddress) {
        guard let target = byAddress[destination], !isLost(index, target),
            nodes[target].isHostUp
        else { return }
        let arrival = now + .microseconds(Int.random(in: delay, using: &random))
        if nodes[target].isRunning {
            let event = MembershipAgent.Event.datagramReceived(
                bytes, from: nodes[index].address, sender: NodeID(name: nodes[index].name))
            queue.push(.arrival(event, at: target), at: arrival)
        } else if !isLost(target, index) {
            queue.push(
                .arrival(.portUnreachable(destination), at: index),
                at: arrival + .microseconds(Int.random(in: delay, using: &random)))
        }
    }
}
