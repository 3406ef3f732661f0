import Kubernetes
import LoadBalancing
import NetworkTypes

/// Nodes that answer only with a fresh Lease, in a model of what is around them: gossip that is
/// cut, an API server that is slow, away or out of one node's reach, processes that die and sleep,
/// and clocks that run at different rates. Each run follows from its seed.
struct FencedWorld {
    static let addresses = (1...6).map { IPAddress(family: .ipv4, bits: 0xc612_0000 + $0) }
    static let step = Duration.milliseconds(5)

    enum Mail {
        case claim(from: String, IPAddress, UInt64?, version: Int)
        case look(String)
        case lease(String, LeaseRecord?, sentAt: Instant)
        case renewed(sentAt: Instant)
        case failed(String?)
        case answering(IPAddress, start: Int)
    }

    struct Node {
        var tenure: Tenure
        var keeper = FenceKeeper(duration: .seconds(10))
        var watch = FenceWatch(duration: .seconds(10))
        var rate: Int
        var isUp = true
        var sleepsUntil = Duration.zero
        /// On its own clock.
        var fenceUntil = Instant(nanoseconds: .min)
        var answering: Set<IPAddress> = []
        var starting: [IPAddress: Int] = [:]
        var heard: [String: [IPAddress: Int]] = [:]
        var views: [String: Bool] = [:]
        var awaited: Set<String> = []
        var inbox: [(at: Duration, mail: Mail)] = []
    }

    struct Word {
        var epoch: UInt64?
        var version: Int
    }

    var random: WorldDice
    let names: [String]
    var facts: Tenure.Facts
    var now = Duration.zero
    var nodes: [String: Node] = [:]
    var sides: [String: Int] = [:]
    var cutFromServer: Set<String> = []
    var leases: [String: LeaseRecord] = [:]
    var version = 0
    var published: [String: [IPAddress: Word]] = [:]
    var starts = 0
    /// Two that answered for one address while they could not hear each other.
    var violations: [String] = []
    /// For how long two that hear each other answered for one address, at most.
    var longestOverlap = Duration.zero
    var overlaps: [String: Duration] = [:]
    var answers = 0

    init(seed: UInt64, count: Int) {
        random = WorldDice(state: seed)
        names = (0..<count).map { "n\($0)" }
        facts = Tenure.Facts(
            nodes: Dictionary(
                names.map { ($0, NodeFacts(liveness: .dead(cause: "never heard"))) },
                uniquingKeysWith: { $1 }),
            offers: ["lan": Layer2Offer()],
            demands: Dictionary(
                Self.addresses.map { address in
                    let demand = AddressDemand(
                        services: [ServiceName(namespace: "shop", name: "web")], pool: "lan",
                        advertisements: ["lan"], backing: .cluster(hasUsableEndpoint: true))
                    return (address, demand)
                }, uniquingKeysWith: { $1 }))
        for name in names {
            sides[name] = 0
            start(name)
        }
    }

    func local(_ name: String) -> Instant {
        Instant(nanoseconds: 0) + now * (nodes[name]?.rate ?? 1_000) / 1_000
    }

    func reaches(_ from: String, _ to: String) -> Bool {
        nodes[from]?.isUp == true && nodes[to]?.isUp == true && sides[from] == sides[to]
    }

    // MARK: Operations

    mutating func start(_ name: String) {
        let rate = nodes[name]?.rate ?? Int.random(in: 980...1_020, using: &random)
        nodes[name] = Node(tenure: Tenure(node: name, isFenced: true), rate: rate)
        let memory = (published[name] ?? [:]).compactMapValues(\.epoch)
        handle(name, .claimsRestored(memory))
        handle(name, .factsChanged(facts))
        keep(name, .started)
        lookAround(name)
    }

    mutating func kill(_ name: String) {
        nodes[name]?.isUp = false
        nodes[name]?.answering = []
        lookAround(name)
    }

    /// Drains a node, or ends that; all hear of it at once.
    mutating func toggleDrain(_ name: String) {
        facts.nodes[name]?.isDraining.toggle()
        for name in names where nodes[name]?.isUp == true { handle(name, .factsChanged(facts)) }
    }

    /// Everything is as it should be again.
    mutating func heal() {
        cutFromServer = []
        for name in names {
            nodes[name]?.sleepsUntil = now
            if facts.nodes[name]?.isDraining == true { toggleDrain(name) }
            if nodes[name]?.isUp == false { start(name) }
        }
        split(sides.mapValues { _ in 0 })
    }

    mutating func split(_ sides: [String: Int]) {
        self.sides = sides
        for name in names { lookAround(name) }
    }

    mutating func lookAround(_ name: String) {
        for other in names where other != name {
            post(other, .look(name), 5...150)
            post(name, .look(other), 5...150)
        }
    }

    mutating func post(_ name: String, _ mail: Mail, _ milliseconds: ClosedRange<Int>) {
        let delay = Duration.milliseconds(Int.random(in: milliseconds, using: &random))
        nodes[name]?.inbox.append((now + delay, mail))
    }

    // MARK: Time

    mutating func run(for length: Duration) {
        let end = now + length
        while now < end {
            now += Self.step
            for name in names { turn(name) }
            judge()
        }
    }

    private mutating func turn(_ name: String) {
        guard let node = nodes[name], node.isUp, node.sleepsUntil <= now else { return }
        let due = node.inbox.filter { $0.at <= now }.map(\.mail)
        nodes[name]?.inbox.removeAll { $0.at <= now }
        for mail in due { read(name, mail) }
        let clock = local(name)
        if let deadline = nodes[name]?.keeper.nextDeadline, deadline <= clock {
            keep(name, .deadlineReached)
        }
        if let deadline = nodes[name]?.watch.nextDeadline, deadline <= clock {
            tellWatch(name, .deadlineReached)
        }
        if let deadline = nodes[name]?.tenure.nextDeadline, deadline <= clock {
            handle(name, .deadlineReached)
        }
    }

    private mutating func read(_ name: String, _ mail: Mail) {
        switch mail {
        case .claim(let from, let address, let epoch, let version):
            guard reaches(from, name), version > nodes[name]?.heard[from]?[address] ?? 0 else {
                return
            }
            nodes[name]?.heard[from, default: [:]][address] = version
            handle(name, .claimsChanged(node: from, [address: epoch]))
        case .look(let other): look(name, other)
        case .lease(let other, let record, let sentAt):
            tellWatch(name, .read(other, record, sentAt: sentAt))
        case .renewed(let sentAt): keep(name, .renewed(sentAt: sentAt))
        case .failed(let other):
            if let other { tellWatch(name, .failed(other)) } else { keep(name, .failed) }
        case .answering(let address, let start):
            guard nodes[name]?.starting[address] == start else { return }
            // Without a permit nothing is sent, and so nothing begins.
            guard (nodes[name]?.fenceUntil).map({ local(name) < $0 }) == true else {
                return post(name, mail, 10...10)
            }
            nodes[name]?.starting[address] = nil
            nodes[name]?.answering.insert(address)
            handle(name, .answering(address))
        }
    }

    private mutating func look(_ name: String, _ other: String) {
        let isReached = reaches(name, other)
        if nodes[name]?.views[other] != isReached {
            // A node that is heard is heard with what it claims.
            if isReached {
                for (address, word) in (published[other] ?? [:]).sorted(by: { $0.key < $1.key }) {
                    read(
                        name, .claim(from: other, address, word.epoch, version: word.version))
                }
            }
            nodes[name]?.views[other] = isReached
            handle(name, .livenessChanged([other: isReached ? .alive : .dead(cause: "silence")]))
        } else if isReached {
            for (address, word) in (published[other] ?? [:]).sorted(by: { $0.key < $1.key }) {
                post(name, .claim(from: other, address, word.epoch, version: word.version), 1...5)
            }
        }
    }

    // MARK: The machines

    mutating func handle(_ name: String, _ event: Tenure.Event) {
        let clock = local(name)
        for action in nodes[name]?.tenure.handle(event, at: clock) ?? [] {
            switch action {
            case .announce(let address, _):
                guard nodes[name]?.answering.contains(address) == false else { continue }
                starts += 1
                nodes[name]?.starting[address] = starts
                post(name, .answering(address, start: starts), 5...20)
            case .withdraw(let address):
                nodes[name]?.answering.remove(address)
                nodes[name]?.starting[address] = nil
            case .claim(let address, let epoch): publish(name, address, epoch)
            case .release(let address): publish(name, address, nil)
            case .reannounce, .moved, .refusedMove, .held: break
            }
        }
        let awaited = nodes[name]?.tenure.awaitedSilence ?? []
        guard nodes[name]?.awaited != awaited else { return }
        nodes[name]?.awaited = awaited
        tellWatch(name, .awaited(awaited))
    }

    private mutating func publish(_ name: String, _ address: IPAddress, _ epoch: UInt64?) {
        let word = Word(epoch: epoch, version: (published[name]?[address]?.version ?? 0) + 1)
        published[name, default: [:]][address] = word
        for other in names where other != name {
            post(other, .claim(from: name, address, epoch, version: word.version), 1...5)
        }
    }

    mutating func keep(_ name: String, _ event: FenceKeeper.Event) {
        let clock = local(name)
        for action in nodes[name]?.keeper.handle(event, at: clock) ?? [] {
            switch action {
            case .renew: renew(name)
            case .begin(let session, let until):
                tellWatch(name, .sessionChanged(session))
                pass(name)
                nodes[name]?.fenceUntil = until
            case .extend(let until): nodes[name]?.fenceUntil = until
            case .lapsed:
                tellWatch(name, .sessionChanged(nil))
                pass(name)
            }
        }
    }

    private mutating func tellWatch(_ name: String, _ event: FenceWatch.Event) {
        let clock = local(name)
        for action in nodes[name]?.watch.handle(event, at: clock) ?? [] {
            switch action {
            case .read(let other): read(name, leaseOf: other)
            case .readAll: break
            case .silent: pass(name)
            }
        }
    }

    private mutating func pass(_ name: String) {
        guard let node = nodes[name] else { return }
        handle(
            name,
            .fenceChanged(Tenure.Fence(session: node.keeper.session, silent: node.watch.silent)))
    }

    // MARK: The server

    private mutating func isServed(_ name: String) -> Bool {
        !cutFromServer.contains(name) && Int.random(in: 0..<20, using: &random) > 0
    }

    private mutating func latency() -> ClosedRange<Int> {
        Int.random(in: 0..<20, using: &random) == 0 ? 200...6_000 : 2...30
    }

    /// Stored at once or never; it is the answer that takes long. A request that takes long is the
    /// same as one that is sent later, only worse for its sender.
    private mutating func renew(_ name: String) {
        let sentAt = local(name)
        guard isServed(name) else { return post(name, .failed(nil), 2...3_000) }
        version += 1
        leases[name] = LeaseRecord(
            holder: name, durationSeconds: 10, resourceVersion: "\(version)")
        if isServed(name) { post(name, .renewed(sentAt: sentAt), latency()) }
    }

    private mutating func read(_ name: String, leaseOf other: String) {
        let sentAt = local(name)
        guard isServed(name) else { return post(name, .failed(other), 2...3_000) }
        if isServed(name) {
            post(name, .lease(other, leases[other], sentAt: sentAt), latency())
        }
    }

    // MARK: What must hold

    func isAnswering(_ name: String, _ address: IPAddress) -> Bool {
        guard let node = nodes[name], node.isUp, node.sleepsUntil <= now else { return false }
        return node.answering.contains(address) && local(name) < node.fenceUntil
    }

    private mutating func judge() {
        var present: Set<String> = []
        for address in Self.addresses {
            let users = names.filter { isAnswering($0, address) }
            answers += users.count
            guard users.count > 1 else { continue }
            let what = "\(address): \(users.joined(separator: ", "))"
            present.insert(what)
            let isHeard = users.allSatisfy { reaches($0, users[0]) }
            if !isHeard { violations.append("\(now) \(what)") }
        }
        for what in present where overlaps[what] == nil { overlaps[what] = now }
        for (what, since) in overlaps {
            longestOverlap = max(longestOverlap, now - since + Self.step)
            if !present.contains(what) { overlaps[what] = nil }
        }
    }
}

/// SplitMix64.
struct WorldDice: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = (state ^ state >> 30) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
        return mixed ^ mixed >> 31
    }
}
