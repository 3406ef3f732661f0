import LoadBalancing
import NetworkTypes

/// Several tenures on one LAN that tell each other their claims: a model of what is around them,
/// with delays, splits, deaths and restarts. Each run follows from its seed.
struct TenureWorld {
    enum Happening {
        /// A claim as it was published, the `version`-th word on it.
        case claim(from: String, to: String, IPAddress, UInt64?, version: Int)
        /// One node looks whether it reaches another.
        case look(from: String, to: String)
        /// The announcer of a node is as far as it takes to answer; `round` counts the tries.
        case begin(String, IPAddress, start: Int, round: Int)
        case facts(to: String)
        case wake(String)
        case restart(String)
    }

    struct Pair: Hashable {
        var from: String
        var to: String
    }

    struct Word: Hashable {
        var epoch: UInt64?
        var version: Int
    }

    var random: WorldSeed
    var now = Instant(nanoseconds: 0)
    let names: [String]
    var facts: Tenure.Facts
    var tenures: [String: Tenure] = [:]
    var side: [String: Int] = [:]
    var published: [String: [IPAddress: Word]] = [:]
    /// Versions that a node has heard.
    var heardVersions: [Pair: [IPAddress: Int]] = [:]
    var views: [Pair: Bool] = [:]
    /// Addresses in use by each node's announcer, and those on the way with their start.
    var answering: [String: Set<IPAddress>] = [:]
    var starting: [String: [IPAddress: Int]] = [:]
    var manners: [String: [IPAddress: Tenure.Manner]] = [:]
    var moves: [(at: Instant, move: Tenure.Move)] = []
    /// When something was last so, for the causes of moves.
    var lastApart: [Pair: Instant] = [:]
    var lastRelieved: [String: Instant] = [:]
    var wishes: Set<String> = []
    var overlaps: [String: Instant] = [:]
    var longestOverlap: Duration = .zero
    var faults: [String] = []
    /// Whether it may have changed who answers where.
    private var isStirred = false
    /// The next last; of those at one time, the first one to be scheduled last.
    private var queue: [(at: Instant, what: Happening)] = []
    private var wakes: [String: Instant] = [:]
    private var starts = 0

    init(seed: UInt64) {
        random = WorldSeed(state: seed)
        names = (0..<Int.random(in: 3...7, using: &random)).map { "n\($0)" }
        let world = OwnershipWorld(names, addresses: Int.random(in: 1...20, using: &random))
        facts = Tenure.Facts(
            nodes: world.nodes.mapValues { _ in NodeFacts(liveness: .alive, hasSpeaker: true) },
            offers: world.offers, demands: world.demands)
        facts.offers["lan"]?.preemption =
            Preemption.allCases.randomElement(using: &random) ?? .never
        for name in names {
            side[name] = 0
            start(name)
        }
    }

    // MARK: Operations

    mutating func start(_ name: String) {
        tenures[name] = Tenure(node: name)
        answering[name] = []
        starting[name] = [:]
        for other in names where other != name { views[Pair(from: name, to: other)] = true }
        schedule(.milliseconds(Int.random(in: 1...20, using: &random)), .facts(to: name))
    }

    mutating func kill(_ name: String) {
        isStirred = true
        tenures[name] = nil
        answering[name] = []
        starting[name] = [:]
        lookAround(name)
    }

    mutating func restart(_ name: String) {
        guard tenures[name] == nil else { return }
        let memory = (published[name] ?? [:]).compactMapValues(\.epoch)
        start(name)
        for other in names where other != name {
            heardVersions[Pair(from: other, to: name)] = [:]
            synchronize(from: other, to: name)
        }
        handle(name, .claimsRestored(memory))
        lookAround(name)
    }

    mutating func split(_ sides: [String: Int]) {
        side = sides
        isStirred = true
        for name in names { lookAround(name) }
    }

    /// Changes what all know of a node; each hears of it when it does.
    mutating func change(_ name: String, _ body: (inout NodeFacts) -> Void) {
        if var node = facts.nodes[name] {
            body(&node)
            facts.nodes[name] = node
        }
        for other in names {
            schedule(.milliseconds(Int.random(in: 1...300, using: &random)), .facts(to: other))
        }
    }

    func reaches(_ from: String, _ to: String) -> Bool {
        tenures[from] != nil && tenures[to] != nil && side[from] == side[to]
    }

    private mutating func lookAround(_ name: String) {
        for other in names where other != name {
            for pair in [(name, other), (other, name)] {
                if !reaches(name, other) { lastApart[Pair(from: pair.0, to: pair.1)] = now }
                let delay = Int.random(in: 5...150, using: &random)
                schedule(.milliseconds(delay), .look(from: pair.0, to: pair.1))
            }
        }
    }

    // MARK: Time

    mutating func run(for duration: Duration) {
        let end = now + duration
        while let next = queue.last, next.at <= end {
            queue.removeLast()
            now = max(now, next.at)
            happen(next.what)
            if isStirred { watch() }
        }
        now = end
        if isStirred || !overlaps.isEmpty { watch() }
    }

    private mutating func schedule(_ delay: Duration, _ what: Happening) {
        let at = now + delay
        var (low, high) = (0, queue.count)
        while low < high {
            let middle = (low + high) / 2
            if queue[middle].at > at { low = middle + 1 } else { high = middle }
        }
        queue.insert((at, what), at: low)
    }

    private mutating func happen(_ what: Happening) {
        switch what {
        case .claim(let from, let to, let address, let epoch, let version):
            guard reaches(from, to) else { return }
            let pair = Pair(from: from, to: to)
            guard version > heardVersions[pair]?[address] ?? 0 else { return }
            heardVersions[pair, default: [:]][address] = version
            handle(to, .claimsChanged(node: from, [address: epoch]))
        case .look(let from, let to):
            guard tenures[from] != nil else { return }
            let pair = Pair(from: from, to: to)
            let isReached = reaches(from, to)
            if views[pair] != isReached {
                views[pair] = isReached
                handle(from, .livenessChanged([to: isReached ? .alive : .dead(cause: "silent")]))
            }
            // What was lost in a cut too short to be noticed is found out by comparing.
            if isReached { synchronize(from: to, to: from) }
        case .begin(let name, let address, let start, let round):
            begin(name, address, start, round)
        case .facts(let name): handle(name, .factsChanged(facts))
        case .wake(let name):
            wakes[name] = nil
            handle(name, .deadlineReached)
        case .restart(let name): restart(name)
        }
    }

    private mutating func begin(_ name: String, _ address: IPAddress, _ start: Int, _ round: Int) {
        guard starting[name]?[address] == start else { return }
        if case .takeover = manners[name]?[address] {
            let peer = names.first {
                $0 != name && reaches(name, $0) && (answering[$0]?.contains(address) ?? false)
            }
            if let peer {
                handle(name, .heldByPeer(address, peer: peer))
                let wait = Duration.milliseconds(250 << min(round, 4))
                return schedule(
                    wait, .begin(name, address, start: start, round: round + 1))
            }
        }
        starting[name]?[address] = nil
        answering[name]?.insert(address)
        isStirred = true
        handle(name, .answering(address))
    }

    private mutating func handle(_ name: String, _ event: Tenure.Event) {
        guard tenures[name] != nil else { return }
        let actions = tenures[name]?.handle(event, at: now) ?? []
        for action in actions { act(name, action) }
        if let due = tenures[name]?.nextDeadline, wakes[name] != due {
            wakes[name] = due
            schedule(max(due - now, .zero), .wake(name))
        }
    }

    private mutating func act(_ name: String, _ action: Tenure.Action) {
        switch action {
        case .announce(let address, let tenancy):
            guard !(answering[name]?.contains(address) ?? false) else { return }
            starts += 1
            starting[name]?[address] = starts
            manners[name, default: [:]][address] = tenancy.manner
            let delay: Duration =
                switch tenancy.manner {
                case .firstUse: .milliseconds(150)
                case .takeover: .milliseconds(10)
                case .handover, .resume: .milliseconds(1)
                }
            schedule(delay, .begin(name, address, start: starts, round: 0))
        case .withdraw(let address):
            isStirred = true
            answering[name]?.remove(address)
            starting[name]?[address] = nil
        case .claim(let address, let epoch): publish(name, address, epoch)
        case .release(let address): publish(name, address, nil)
        case .moved(let move): note(move)
        case .reannounce, .refusedMove, .held: break
        }
    }

    private mutating func publish(_ name: String, _ address: IPAddress, _ epoch: UInt64?) {
        let before = published[name]?[address]
        if let old = before?.epoch, let epoch, epoch < old {
            faults.append("\(name) claims \(address) under \(epoch) after \(old)")
        }
        let word = Word(epoch: epoch, version: (before?.version ?? 0) + 1)
        published[name, default: [:]][address] = word
        for other in names where other != name { tell(address, word, from: name, to: other) }
    }

    private mutating func synchronize(from: String, to: String) {
        for (address, word) in (published[from] ?? [:]).sorted(by: { $0.key < $1.key }) {
            tell(address, word, from: from, to: to)
        }
    }

    private mutating func tell(_ address: IPAddress, _ word: Word, from: String, to: String) {
        let delay = Duration.microseconds(Int.random(in: 200...5_000, using: &random))
        schedule(
            delay, .claim(from: from, to: to, address, word.epoch, version: word.version))
    }
}

// MARK: What must hold at any time

extension TenureWorld {
    /// Whatever has a cause is reported while the cause is fresh.
    private static let fresh: Duration = .seconds(6)

    private mutating func note(_ move: Tenure.Move) {
        moves.append((now, move))
        let isTrue: Bool
        switch move.cause {
        case .firstUse: isTrue = move.from == nil
        case .resumed: isTrue = false
        case .tookOver(let from, _):
            isTrue =
                !reaches(move.to, from) || isFresh(lastApart[Pair(from: move.to, to: from)])
        case .handedOver(let from, _):
            isTrue = (facts.nodes[from]?.isWell == false) || isFresh(lastRelieved[from])
        case .preempted: isTrue = facts.offers["lan"]?.preemption == .always
        case .balanced: isTrue = facts.offers["lan"]?.preemption == .gradual
        case .movedByHand: isTrue = wishes.contains("\(move.address) \(move.to)")
        }
        if !isTrue { faults.append("\(now): \(move.address) to \(move.to): \(move.cause)") }
    }

    private func isFresh(_ instant: Instant?) -> Bool {
        instant.map { now - $0 < Self.fresh } ?? false
    }

    /// Two nodes that hear each other and answer for one address.
    private mutating func watch() {
        isStirred = false
        var present: Set<String> = []
        for address in facts.demands.keys {
            let users = names.filter { answering[$0]?.contains(address) ?? false }
            for (index, user) in users.enumerated() {
                for other in users[(index + 1)...] where reaches(user, other) {
                    present.insert("\(address) \(user) \(other)")
                }
            }
        }
        for overlap in present where overlaps[overlap] == nil { overlaps[overlap] = now }
        for (overlap, since) in overlaps {
            longestOverlap = max(longestOverlap, now - since)
            if !present.contains(overlap) { overlaps[overlap] = nil }
        }
    }

    /// An operator's wish that a node has an address.
    mutating func wish(_ address: IPAddress, _ name: String) {
        wishes.insert("\(address) \(name)")
        handle(name, .moveRequested(address))
    }
}

extension NodeFacts {
    /// Whether nothing speaks against the node.
    var isWell: Bool {
        isReady && !isNetworkUnavailable && !isCordoned && !isDraining && !isExcludedByLabel
    }
}
